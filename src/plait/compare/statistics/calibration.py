"""Do probabilities mean what they say? Reliability by confidence, and the scores of calibration."""

import numpy as np
import pandas as pd
from jaxtyping import Float
from numpy import ndarray

from plait.compare.outcomes import Kind, Outcomes, Predicted, Truth
from plait.compare.statistics.scores import drawn_scores, mean_scores
from plait.nn.temperature import temperature
from plait.statistics.bootstrap import percentile_interval, weight_chunks
from plait.statistics.class_metrics import BINS, confidence_bin, probabilities
from plait.statistics.metrics import metrics_by_name

SCORES = ("ece", "brier", "log_loss")
KINDS: tuple[Kind, ...] = ("baseline", "single", "fusion")


def reliability_table(outcomes: Outcomes, bins: int = BINS, draws: int = 1000, random_state: int = 0) -> pd.DataFrame:
    """How often the most probable class is the true one, by how probable it was said to be.

    Args:
        outcomes: What was predicted; nothing in a regression is judged.
        bins: Equal-width bins of the confidence, from 0 to 1.
        draws: Draws of groups with replacement.
        random_state: Seed of the draws.

    Returns:
        One row a contender and bin that is not empty: `method`, `bin` (from 0), mean `confidence`, `accuracy`,
        `share` of all predictions, and `low`, `high`, the 95 % interval of the accuracy. Repeats and seeds are pooled.
    """
    judged, rows = _judged(outcomes), []
    sums = [_bin_sums(judged.truth, one, bins) for one in judged.contenders.values()]
    drawn = _drawn_accuracy(judged.truth, np.stack(sums), draws, random_state) if sums else ()
    for label, of_bin, accuracy in zip(judged.contenders, sums, drawn, strict=True):
        right, confident, there = of_bin.sum(axis=0)
        ends = percentile_interval(accuracy)
        parts = np.stack([confident / there.clip(1), right / there.clip(1), there / there.sum(), *ends], axis=1)
        rows += [(label, int(place), *map(float, parts[place])) for place in np.flatnonzero(there)]
    return pd.DataFrame(rows, columns=["method", "bin", "confidence", "accuracy", "share", "low", "high"])


def calibration_table(outcomes: Outcomes, draws: int = 1000, random_state: int = 0) -> pd.DataFrame:
    """The scores of calibration of every baseline, single modality and fusion.

    The expected calibration error (ECE) is biased upwards in small samples, and its bootstrap more so: compare methods
    by it, and trust the Brier score and the log loss, which are proper.

    Args:
        outcomes: What was predicted; nothing in a regression is judged.
        draws: Draws of groups with replacement.
        random_state: Seed of the draws.

    Returns:
        One row a contender: `method`; `ece`, `brier`, `log_loss`, each with `_low` and `_high` (95 %); `temperature`:
        what the log probabilities would have to be divided by, above 1 where the method is too sure of itself.
    """
    judged = _judged(outcomes)
    metrics = metrics_by_name("classification", SCORES)
    drawn = drawn_scores(judged, metrics, draws, random_state) if judged.contenders else {}
    rows = []
    for label, one in judged.contenders.items():
        low, high = percentile_interval(drawn[label].T)
        row: dict[str, object] = {"method": label}
        for place, metric in enumerate(metrics):
            row[metric.name] = mean_scores(judged.truth, one, metric).mean()
            row[f"{metric.name}_low"], row[f"{metric.name}_high"] = low[place], high[place]
        rows.append({**row, "temperature": _temperature(judged.truth, one)})
    ends = ("", "_low", "_high")
    columns = ["method", *(f"{name}{end}" for name in SCORES for end in ends), "temperature"]
    return pd.DataFrame(rows, columns=columns)


def _judged(outcomes: Outcomes) -> Outcomes:
    """Those whose probabilities are judged: none in a regression."""
    classes = outcomes.truth.task == "classification"
    return outcomes.checked().of_kind(*(KINDS if classes else ()))


def _bin_sums(truth: Truth, one: Predicted, bins: int) -> Float[ndarray, "sample 3 bin"]:
    """Of each sample by bin: how often right, sum of the confidence, how often there."""
    sums = np.zeros((len(truth.target), 3, bins))
    for repeat, fold in enumerate(truth.fold):
        rows = np.flatnonzero(fold >= 0)
        for part in one.outputs[:, repeat, rows]:
            confidence = probabilities(part).max(1)
            place = confidence_bin(confidence, bins)
            right = part.argmax(1) == truth.target[rows]
            sums[rows, :, place] += np.stack([right, confidence, np.ones(len(rows))], axis=1)
    return sums


def _drawn_accuracy(
    truth: Truth, sums: Float[ndarray, "contender sample 3 bin"], draws: int, random_state: int
) -> Float[ndarray, "contender draw bin"]:
    """The accuracy of each bin in each draw of groups; NaN where it is empty."""
    rows = np.flatnonzero(truth.reported)
    accuracy = np.full((len(sums), draws, sums.shape[3]), np.nan)
    right_of, there_of = sums[:, rows, 0], sums[:, rows, 2]
    for chosen, weights in weight_chunks(truth.groups[rows], draws, random_state):
        right, there = weights @ right_of, weights @ there_of
        np.divide(right, there, out=accuracy[:, chosen], where=there > 0)
    return accuracy


def _temperature(truth: Truth, one: Predicted) -> float:
    """The temperature that all held-out predictions together ask for."""
    seeds, target = len(one.outputs), np.broadcast_to(truth.target, truth.fold.shape)[truth.fold >= 0]
    outputs = one.outputs[:, truth.fold >= 0].reshape(-1, one.outputs.shape[-1])
    with np.errstate(divide="ignore"):  # a probability of 0 is a logarithm of -inf
        return temperature(np.log(probabilities(outputs)), np.tile(target, seeds))
