"""Do uncertainties find the errors? The risk of the samples that are kept when the most uncertain are rejected."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float, Int
from numpy import ndarray
from numpy.typing import ArrayLike
from scipy.special import digamma

from plait.statistics.bootstrap import percentile_interval, weight_chunks

ORACLE, RANDOM = "oracle", "random"
"""Names of the references in tables: rejection by the losses themselves, and by lot."""


def risk_of_kept(losses: ArrayLike, uncertainty: ArrayLike) -> Float[ndarray, " sample"]:
    """Mean loss of the 1, 2, ..., n samples of the lowest uncertainty.

    Where samples are equally uncertain, the expectation over the orders in which they may stand.

    Args:
        losses: Loss of each sample: whether the prediction is wrong, its squared error, ...
        uncertainty: Of each sample; its order alone matters. Infinite is the last.

    Raises:
        ValueError: If there is no sample, there are not as many losses as uncertainties, a loss is not finite, or an
            uncertainty is NaN.
    """
    ranked = _ranked(_losses(losses), uncertainty)
    sizes = np.diff(ranked.starts, append=len(ranked.losses))
    expected = np.repeat(np.add.reduceat(ranked.losses, ranked.starts) / sizes, sizes)
    return np.asarray(np.cumsum(expected) / np.arange(1, len(expected) + 1))


def rejection_curves(losses: ArrayLike, uncertainties: Mapping[str, ArrayLike]) -> pd.DataFrame:
    """The risk of the samples that are kept, by the share that was rejected as the most uncertain.

    Args:
        losses: Loss of each sample: whether the prediction is wrong, its squared error, ...
        uncertainties: Uncertainties of the samples, by name. The order of the samples alone matters.

    Returns:
        One row a name and number of samples kept, from all to one: `uncertainty` (the name), `rejected` (share, from 0
        to 1 - 1/n), `risk` (mean loss of those kept; where samples are equally uncertain, its expectation over their
        order). Then "oracle", which rejects the greatest losses first (no order does better), and "random", the mean
        loss whatever is rejected.

    Raises:
        ValueError: If there is no sample, there are not as many losses as uncertainties, a loss is not finite, an
            uncertainty is NaN, or one has the name of a reference.
    """
    values = _losses(losses)
    curves = {name: risk_of_kept(values, one)[::-1] for name, one in _with_oracle(uncertainties, values).items()}
    curves[RANDOM] = np.full(len(values), values.mean())
    rejected = np.arange(len(values)) / len(values)
    tables = [pd.DataFrame({"uncertainty": name, "rejected": rejected, "risk": risk}) for name, risk in curves.items()]
    return pd.concat(tables, ignore_index=True)


def rejection_table(
    losses: ArrayLike,
    uncertainties: Mapping[str, ArrayLike],
    groups: ArrayLike | None = None,
    draws: int = 1000,
    random_state: int = 0,
) -> pd.DataFrame:
    """The area under each rejection curve (AURC), and the share that it gains of what can be gained over chance.

    The area is the mean over 1, 2, ..., n samples kept of their risk, in units of the loss (Geifman, Uziel and
    El-Yaniv, "Bias-Reduced Uncertainty Estimation for Deep Neural Classifiers", 2019); smaller is better, and the few
    most certain samples weigh much in it. The gain is (random - area) / (random - oracle): 1 is the oracle, 0 rejection
    by lot, and below 0 errors are among what is most certain. The intervals are a little narrow: of 100 samples they
    cover about 90 %.

    Args:
        losses: Loss of each sample, as in `rejection_curves`.
        uncertainties: Uncertainties of the samples, by name, as in `rejection_curves`.
        groups: Group of each sample; whole groups are drawn for the intervals. None draws samples.
        draws: Draws with replacement.
        random_state: Seed of the draws, which are the same for all uncertainties.

    Returns:
        One row a name: `uncertainty`, `aurc`, `low`, `high` (95 %), `random` (the mean loss), `oracle`, `gain`,
        `gain_low`, `gain_high`. The gain is NaN where all losses are equal.

    Raises:
        ValueError: As `rejection_curves`; or if there is not one group a sample.
    """
    values = _losses(losses)
    ranked = {name: _ranked(values, one) for name, one in _with_oracle(uncertainties, values).items()}
    parts = list(_drawn_areas(ranked, _codes(groups, len(values)), draws, random_state))
    areas = dict(zip([*ranked, RANDOM], np.concatenate(parts, axis=1), strict=True))
    possible, rows = areas[RANDOM] - areas[ORACLE], []
    for name in uncertainties:
        won = areas[RANDOM] - areas[name]
        gain = np.divide(won, possible, out=np.full_like(won, np.nan), where=possible > 0)
        ends = [*percentile_interval(areas[name][1:]), *percentile_interval(gain[1:])]
        found = [areas[name][0], *ends[:2], areas[RANDOM][0], areas[ORACLE][0], gain[0], *ends[2:]]
        rows.append((name, *map(float, found)))
    columns = ["uncertainty", "aurc", "low", "high", RANDOM, ORACLE, "gain", "gain_low", "gain_high"]
    return pd.DataFrame(rows, columns=columns)


@dataclass(frozen=True)
class _Ranked:
    """Losses from the most certain sample to the least, their samples, and where each run of equals begins."""

    losses: Float[ndarray, " sample"]
    order: Int[ndarray, " sample"]
    starts: Int[ndarray, " run"]


def _ranked(losses: Float[ndarray, " sample"], uncertainty: ArrayLike) -> _Ranked:
    values = np.asarray(uncertainty, dtype=np.float64)
    if values.shape != losses.shape:
        raise ValueError(f"There are {len(losses)} losses, but the uncertainties have shape {values.shape}.")
    if np.isnan(values).any():
        raise ValueError(
            f"{np.isnan(values).sum()} uncertainties are NaN: nothing is known of these samples. Leave them out, or "
            "let them be rejected first: np.nan_to_num(uncertainty, nan=np.inf)."
        )
    order = np.argsort(values, kind="stable")
    _, starts = np.unique(values[order], return_index=True)
    return _Ranked(losses[order], order, starts)


def _losses(losses: ArrayLike) -> Float[ndarray, " sample"]:
    values = np.asarray(losses)
    if values.ndim != 1 or not values.size:
        raise ValueError(f"losses must be one finite number a sample, and some (got shape {values.shape}).")
    if values.dtype.kind not in "biuf":
        raise ValueError(f"losses must be numbers (got {values.dtype}).")
    wrong = np.flatnonzero(~np.isfinite(values))
    if len(wrong):
        raise ValueError(f"losses must be finite; those of {len(wrong)} samples are not, first that in row {wrong[0]}.")
    return values.astype(np.float64)


def _with_oracle(uncertainties: Mapping[str, ArrayLike], losses: Float[ndarray, " sample"]) -> dict[str, ArrayLike]:
    if {ORACLE, RANDOM} & set(uncertainties):
        raise ValueError(f"'{ORACLE}' and '{RANDOM}' are added as references; call the uncertainties something else.")
    return {**uncertainties, ORACLE: losses}


def _codes(groups: ArrayLike | None, samples: int) -> Int[ndarray, " sample"]:
    if groups is None:
        return np.arange(samples)
    codes = np.asarray(pd.factorize(np.asarray(groups))[0])
    if codes.shape != (samples,):
        raise ValueError(f"There are {samples} losses, but the groups have shape {codes.shape}.")
    return codes


def _drawn_areas(
    ranked: Mapping[str, _Ranked], groups: Int[ndarray, " sample"], draws: int, random_state: int
) -> Iterator[Float[ndarray, "measure draw"]]:
    """The area of each ranking, and last the mean loss: of the samples as they are, then of each draw."""
    weightings = (weights for _, weights in weight_chunks(groups, draws, random_state))
    first = next(iter(ranked.values()))
    for weights in (np.ones((1, len(groups))), *weightings):
        mean = weights[:, first.order] @ first.losses / weights.sum(axis=1)
        yield np.stack([*(_areas(one, weights) for one in ranked.values()), mean])


def _areas(ranked: _Ranked, weights: Float[ndarray, "draw sample"]) -> Float[ndarray, " draw"]:
    """The area under each weighting, in which a sample of weight w stands w times, as equals.

    A run of M equals of mean loss L behind K samples of total loss S adds, with the harmonic numbers H,
    sum_{j=1..M} (S + j L) / (K + j) = M L + (S - K L) (H(K + M) - H(K)).
    """
    taken = weights[:, ranked.order]
    counts, sums = (np.add.reduceat(part, ranked.starts, axis=1) for part in (taken, taken * ranked.losses))
    kept, lost = counts.cumsum(axis=1), sums.cumsum(axis=1)
    before = kept - counts
    mean = np.divide(sums, counts, out=np.zeros_like(sums), where=counts != 0)
    harmonic = np.diff(digamma(kept + 1), axis=1, prepend=digamma(1.0))
    curved = ((lost - sums - before * mean) * harmonic).sum(axis=1)
    return np.asarray((lost[:, -1] + curved) / kept[:, -1])
