"""Promises about fitting: any modalities and targets, seeds, folds."""

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from plait.data.batches import TrainingData
from plait.methods.base import Fitted, Method
from plait.testing.trial import (
    EVERYTHING,
    FOLDS,
    PROBLEMS,
    THREE,
    Scope,
    Shapes,
    fit,
    outputs,
    refuses,
    require,
    small_samples,
)

_SHAPES: tuple[Shapes, ...] = ({"a": (3,)}, THREE, dict.fromkeys("abcde", (2,)))


def check_modalities(method: Method, scope: Scope = EVERYTHING) -> None:
    """One, three and five modalities are learned from: vectors, series and images.

    Raises:
        AssertionError: If a prediction has another shape, or is not finite.
    """
    for shapes in _SHAPES:
        data = small_samples(scope.problems[0], shapes)
        _check_outputs(method, fit(method, data), data, f"modalities of shapes {dict(shapes)}")


def check_problems(method: Method, scope: Scope = EVERYTHING) -> None:
    """Classes, one target and several targets are learned, or refused with a ValueError.

    Raises:
        AssertionError: If outputs have another shape or are not finite, or if a problem outside the scope is learned.
    """
    for problem in scope.problems:
        data = small_samples(problem, absent=0.2)
        _check_outputs(method, fit(method, data), data, str(problem))
    for problem in PROBLEMS:
        if problem not in scope.problems:
            require(
                refuses(method, small_samples(problem)),
                method,
                f"{problem} is outside the scope that was told, but was learned without a ValueError.",
                "Refuse it in fit and build, or list it in Scope(problems=...).",
            )


def _check_outputs(method: Method, fitted: Fitted, data: TrainingData, what: str) -> None:
    found = outputs(fitted.module, data.samples)
    expected = (len(data.samples), data.spec.outputs)
    require(
        tuple(found.shape) == expected,
        method,
        f"{what}: the module's outputs have shape {tuple(found.shape)}, expected {expected} (sample, output).",
        "Return one row of outputs a sample; average several networks inside the module.",
    )
    require(
        bool(found.isfinite().all()),
        method,
        f"{what}: some outputs are not finite.",
        "Guard logarithms, divisions and softmaxes.",
    )


def check_seeds(method: Method, scope: Scope = EVERYTHING) -> None:
    """The same seed gives the same numbers, another seed others; the global random state is left alone.

    Raises:
        AssertionError: If one of these does not hold.
    """
    data = small_samples(scope.problems[0], absent=0.2)
    before = torch.get_rng_state(), np.random.get_state(legacy=False)  # noqa: NPY002
    first = outputs(fit(method, data, seed=1).module, data.samples)
    left = torch.equal(torch.get_rng_state(), before[0]) and _same_state(before[1])
    require(
        left,
        method,
        "fitting changes the global random state of torch or numpy.",
        "Draw from `course.generator()`, or within `course.initial_weights()`; seed other libraries by course.stream.",
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1234)
        again = outputs(fit(method, data, seed=1).module, data.samples)
    require(
        torch.equal(first, again),
        method,
        "the same seed gives other numbers the second time.",
        "Draw from `course.generator()` or seeds of `course.stream(place)`, never from a global generator.",
    )
    other = outputs(fit(method, data, seed=2).module, data.samples)
    require(
        torch.equal(first, other) != scope.random,
        method,
        f"another seed gives {'the same' if scope.random else 'other'} numbers.",
        "Draw initial weights from `course.generator()`; if nothing is random, say Scope(random=False).",
    )


def _same_state(before: object) -> bool:
    return repr(np.random.get_state(legacy=False)) == repr(before)  # noqa: NPY002


def check_folds(method: Method, scope: Scope = EVERYTHING) -> None:
    """No copy of the model learns from the targets of its own fold, or of the set held out.

    The targets of one fold are changed; the outputs for its samples (`Fitted.validation`, if there are any) must stay.
    The epoch with the best validation loss depends on them by design, so there is one epoch; so does what a method
    searches, so it is the resolved method that is tried. Several folds may be refused with a ValueError.

    Raises:
        AssertionError: If a copy has seen them.
    """
    _check_blind(method, small_samples(scope.problems[0]), scope)
    data = small_samples(scope.problems[0], folds=FOLDS)
    if method.folds_allowed:
        _check_blind(method, data, scope)
        return
    require(
        refuses(method, data),
        method,
        "`folds_allowed` is false, but several folds were taken without a ValueError.",
        "Override `folds_allowed`, or refuse `course.data.spec.folds > 1`.",
    )


def _check_blind(method: Method, data: TrainingData, scope: Scope) -> None:
    """Outputs for the samples of a fold stay, whatever their targets."""
    found = fit(method, data)
    resolved = found.method
    first = (found if resolved is method else fit(resolved, data)).validation
    _check_validation(method, first, data)
    if first is None or scope.chooses:
        return
    own = data.samples.fold == 0
    target = data.samples.target
    target = target.where(~own[:, None], target.roll(1, 1) + _shift(data))
    changed = replace(data, samples=replace(data.samples, target=target))
    second = fit(resolved, changed).validation
    require(
        second is not None and torch.equal(*(rows[own[data.validation]] for rows in (first, second))),
        method,
        f"the model validated on fold 0 (of {data.spec.folds}) depends on the targets of that fold.",
        "Copy k trains on the samples of all folds but k. If only the choice among models depends on them, say "
        "Scope(chooses=True).",
    )


def _check_validation(method: Method, found: Tensor | None, data: TrainingData) -> None:
    shape = (len(data.validation), data.spec.outputs)
    if found is None and data.spec.folds == 1:
        return
    require(
        found is not None and tuple(found.shape) == shape and bool(found.isfinite().all()),
        method,
        f"`Fitted.validation` is not one row of finite outputs for each of the {shape[0]} samples that validate "
        f"({data.spec.folds} folds).",
        "Give the outputs of each fold's copy for the samples of its fold, in the order of `course.data.validation`.",
    )


def _shift(data: TrainingData) -> float:
    """Targets of a regression are moved; classes are changed by rolling alone."""
    return 0.0 if data.spec.task == "classification" else 3.0
