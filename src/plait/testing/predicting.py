"""Promises about predictions: absent modalities, other samples, nothing present, every subset."""

from dataclasses import replace
from itertools import product

import torch

from plait.data.batches import Batch, TrainingData
from plait.data.shapes import Output
from plait.methods.base import Fitted, Method
from plait.testing.trial import (
    EVERYTHING,
    THREE,
    Scope,
    fit,
    outputs,
    predictions,
    require,
    small_samples,
    with_absent,
)

_ROWS = 6
_ALIKE = 1e-10  # in double precision
_PRIOR = 1e-6  # the prior may have been computed in single precision


def check_absent_values(method: Method, scope: Scope = EVERYTHING) -> None:
    """Whatever stands where a modality is absent, NaN or 1e30, changes neither training nor prediction, in any bit.

    Raises:
        AssertionError: If it does.
    """
    data = small_samples(scope.problems[0], THREE, absent=0.4)
    other = replace(data, samples=with_absent(data.samples, float("nan"), 1e30))
    clean = fit(method, data)
    expected = outputs(clean.module, data.samples)
    require(
        torch.equal(outputs(clean.module, other.samples), expected),
        method,
        "a prediction depends on the values of an absent modality (they were NaN and 1e30).",
        "Select by presence, `values.where(here, 0)`: a product with 0 lets NaN pass.",
    )
    require(
        torch.equal(outputs(fit(method, other).module, data.samples), expected),
        method,
        "training depends on the values of an absent modality (they were NaN and 1e30).",
        "Leave absent samples out of means, scales and components; select by presence before any product.",
    )


def check_samples_alone(method: Method, scope: Scope = EVERYTHING) -> None:
    """A sample is predicted alike alone, among others, and in another order (to 1e-10 in double precision).

    Raises:
        AssertionError: If it is not.
    """
    data = small_samples(scope.problems[0], THREE, absent=0.3)
    module = fit(method, data).module
    together = outputs(module, data.samples)
    alone = torch.cat([outputs(module, _rows(data.samples, [row])) for row in range(_ROWS)])
    turned = outputs(module, _rows(data.samples, range(len(data.samples) - 1, -1, -1))).flip(0)
    gap = max(float((alone - together[:_ROWS]).abs().max()), float((turned - together).abs().max()))
    require(
        gap <= _ALIKE,
        method,
        f"the prediction of a sample depends on the samples beside it (by up to {gap:.3g}).",
        "In evaluation mode nothing may be computed over the batch: no batch statistics, no random numbers.",
    )


def _rows(batch: Batch, rows: range | list[int]) -> Batch:
    return batch.rows(torch.tensor(list(rows)))


def check_nothing_present(method: Method, scope: Scope = EVERYTHING) -> None:
    """A sample with nothing present gets the prior: mean target, or frequencies of the classes.

    Of the samples that train; a method that goes over those held out as well, after its choices, may count all. So
    does a sample that validates (in `Fitted.validation`).

    Raises:
        AssertionError: If the prediction is not finite, or is another, or training fails.
    """
    for problem in scope.tasks:
        data = small_samples(problem, absent=0.3)
        data.samples.present[0] = False
        fitted, nobody = _fitted(method, data, str(problem)), data.samples.rows(torch.zeros(2, dtype=torch.long))
        _check_prior(method, outputs(fitted.module, nobody), data, str(problem))
        if fitted.validation is not None:
            own = fitted.validation[data.validation == 0]
            _check_prior(method, own, data, f"{problem}, in `Fitted.validation`")


def _fitted(method: Method, data: TrainingData, what: str) -> Fitted:
    try:
        return fit(method, data)
    except ValueError as error:
        raise AssertionError(
            f"{type(method).__name__}: {what}: a sample with no modality at all stops the training ({error}). "
            "Guard sums and softmaxes over modalities that may all be absent."
        ) from error


def _check_prior(method: Method, found: Output, data: TrainingData, what: str) -> None:
    predicted = predictions(data.spec, found)
    require(
        bool(predicted.isfinite().all()),
        method,
        f"{what}: a sample with no modality at all is predicted as {predicted[0].tolist()}.",
        "Guard sums and softmaxes over modalities that may all be absent.",
    )
    priors = [target.mean(0) for target in (data.samples.target[data.train], data.samples.target)]
    require(
        any(bool(((predicted - prior).abs() <= _PRIOR).all()) for prior in priors),
        method,
        f"{what}: a sample with no modality at all is predicted as {predicted[0].tolist()}, not by the prior "
        f"{priors[0].tolist()}.",
        "Return the mean of the training targets (their logarithm for classes) where `present.any(1)` is false.",
    )


def check_every_subset(method: Method, scope: Scope = EVERYTHING) -> None:
    """Every subset of three modalities that a sample may have gives a finite prediction.

    Raises:
        AssertionError: If one does not; the message names the modalities present.
    """
    data = small_samples(scope.problems[0], THREE, absent=0.3)
    subsets = torch.tensor(list(product([False, True], repeat=len(THREE))))
    batch = replace(data.samples.rows(torch.arange(len(subsets))), present=subsets)
    found = outputs(fit(method, data).module, batch).isfinite().all(1)
    bad = [[name for name, here in zip(THREE, row, strict=True) if here] for row in subsets[~found].tolist()]
    require(
        not bad,
        method,
        f"predictions are not finite where exactly these modalities are present: {bad}.",
        "Guard divisions and softmaxes over the modalities that are present.",
    )
