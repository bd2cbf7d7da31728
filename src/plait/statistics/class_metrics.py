"""Metrics of classifications: by scikit-learn for one set of samples, by matrix products for many weightings of it."""

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray
from sklearn import metrics as vetted

BINS = 15
"""Equal-width bins of the top-class confidence (Guo, Pleiss, Sun and Weinberger, 2017)."""
_LEAST = np.finfo(np.float64).eps


def probabilities(outputs: Float[ndarray, "sample out"]) -> Float[ndarray, "sample out"]:
    """Rows that sum to one to the last digit, which rows in single precision do not."""
    outputs = outputs.astype(np.float64)
    return np.asarray(outputs / outputs.sum(axis=1, keepdims=True))


def accuracy(target: Int[ndarray, " sample"], outputs: Float[ndarray, "sample out"]) -> float:
    """Share of the samples whose most probable class is the true one."""
    return float(vetted.accuracy_score(target, outputs.argmax(1)))


def balanced_accuracy(target: Int[ndarray, " sample"], outputs: Float[ndarray, "sample out"]) -> float:
    """Mean over the classes that occur of the share of their samples that is found."""
    # balanced_accuracy_score is the same number, and warns if a class is predicted that does not occur
    occurring = np.unique(target)
    return float(vetted.recall_score(target, outputs.argmax(1), labels=occurring, average="macro", zero_division=0))


def macro_f1(target: Int[ndarray, " sample"], outputs: Float[ndarray, "sample out"]) -> float:
    """Mean of F1 over the classes that occur or are predicted."""
    return float(vetted.f1_score(target, outputs.argmax(1), average="macro"))


def roc_auc(target: Int[ndarray, " sample"], outputs: Float[ndarray, "sample out"]) -> float:
    """Area under the ROC curve; of more than two classes, the mean of each against the rest.

    NaN if a class does not occur.
    """
    count = outputs.shape[1]
    if len(np.unique(target)) < max(count, 2):
        return float("nan")
    # roc_auc_score of all classes at once wants rows that sum to one, and making them so would break ties
    each = [vetted.roc_auc_score(target == code, outputs[:, code]) for code in _judged(count)]
    return float(np.mean(each))


def log_loss(target: Int[ndarray, " sample"], outputs: Float[ndarray, "sample out"]) -> float:
    """Mean of -log p(true class), in nats; p is no less than 2.2e-16."""
    return float(vetted.log_loss(target, probabilities(outputs), labels=np.arange(outputs.shape[1])))


def brier(target: Int[ndarray, " sample"], outputs: Float[ndarray, "sample out"]) -> float:
    """Mean of the squared errors of the probabilities, summed over the classes (Brier, 1950): from 0 to 2."""
    # scikit-learn has it for several classes from 1.7 on
    return float(squared_distances(target, outputs).mean())


def ece(target: Int[ndarray, " sample"], outputs: Float[ndarray, "sample out"]) -> float:
    """Expected calibration error: |accuracy - confidence| of 15 bins of the confidence, by their share of samples."""
    return float(weighted_ece(target, outputs, np.ones((1, len(target))))[0])


def errors(target: Int[ndarray, " sample"], outputs: Float[ndarray, "sample out"]) -> Float[ndarray, " sample"]:
    """1 for each sample whose most probable class is not the true one."""
    return np.asarray(outputs.argmax(1) != target, dtype=np.float64)


def surprises(target: Int[ndarray, " sample"], outputs: Float[ndarray, "sample out"]) -> Float[ndarray, " sample"]:
    """-log p(true class) of each sample, in nats."""
    true = probabilities(outputs)[np.arange(len(target)), target]
    return np.asarray(-np.log(np.clip(true, _LEAST, 1 - _LEAST)))


def squared_distances(
    target: Int[ndarray, " sample"], outputs: Float[ndarray, "sample out"]
) -> Float[ndarray, " sample"]:
    """Squared error of the probabilities of each sample, summed over the classes."""
    return np.asarray(np.square(probabilities(outputs) - np.eye(outputs.shape[1])[target]).sum(axis=1))


def weighted_mean(values: Float[ndarray, " sample"], weights: Float[ndarray, "draw sample"]) -> Float[ndarray, " draw"]:
    """Mean of one number a sample under each weighting."""
    return np.asarray(weights @ values / weights.sum(axis=1))


def weighted_accuracy(
    target: Int[ndarray, " sample"], outputs: Float[ndarray, "sample out"], weights: Float[ndarray, "draw sample"]
) -> Float[ndarray, " draw"]:
    """The accuracy under each weighting."""
    return weighted_mean(1 - errors(target, outputs), weights)


def weighted_log_loss(
    target: Int[ndarray, " sample"], outputs: Float[ndarray, "sample out"], weights: Float[ndarray, "draw sample"]
) -> Float[ndarray, " draw"]:
    """The log loss under each weighting."""
    return weighted_mean(surprises(target, outputs), weights)


def weighted_brier(
    target: Int[ndarray, " sample"], outputs: Float[ndarray, "sample out"], weights: Float[ndarray, "draw sample"]
) -> Float[ndarray, " draw"]:
    """The Brier score under each weighting."""
    return weighted_mean(squared_distances(target, outputs), weights)


def weighted_recall(
    target: Int[ndarray, " sample"], outputs: Float[ndarray, "sample out"], weights: Float[ndarray, "draw sample"]
) -> Float[ndarray, " draw"]:
    """The balanced accuracy under each weighting, over the classes that have weight."""
    true, _, right = _counts(target, outputs, weights)
    return _mean_where(right, true)


def weighted_f1(
    target: Int[ndarray, " sample"], outputs: Float[ndarray, "sample out"], weights: Float[ndarray, "draw sample"]
) -> Float[ndarray, " draw"]:
    """The macro F1 under each weighting, over the classes that have weight or are predicted."""
    true, predicted, right = _counts(target, outputs, weights)
    return _mean_where(2 * right, true + predicted)


def weighted_auc(
    target: Int[ndarray, " sample"], outputs: Float[ndarray, "sample out"], weights: Float[ndarray, "draw sample"]
) -> Float[ndarray, " draw"]:
    """The area under the ROC curve under each weighting; NaN where a class has no weight."""
    each = [_auc(target == code, outputs[:, code], weights) for code in _judged(outputs.shape[1])]
    return np.asarray(np.mean(each, axis=0))


def weighted_ece(
    target: Int[ndarray, " sample"], outputs: Float[ndarray, "sample out"], weights: Float[ndarray, "draw sample"]
) -> Float[ndarray, " draw"]:
    """The expected calibration error under each weighting."""
    confidence = probabilities(outputs).max(1)
    gap = np.zeros((len(target), BINS))
    gap[np.arange(len(target)), confidence_bin(confidence)] = (outputs.argmax(1) == target) - confidence
    return np.asarray(np.abs(weights @ gap).sum(axis=1) / weights.sum(axis=1))


def confidence_bin(confidence: Float[ndarray, " sample"], bins: int = BINS) -> Int[ndarray, " sample"]:
    """The bin of each confidence, from 0; bin b holds those above b / bins up to (b + 1) / bins."""
    return np.asarray(np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1))


def _judged(classes: int) -> range:
    """Classes whose ROC curves are averaged: of two, one says it all."""
    return range(1, 2) if classes == 2 else range(classes)


def _counts(
    target: Int[ndarray, " sample"], outputs: Float[ndarray, "sample out"], weights: Float[ndarray, "draw sample"]
) -> tuple[Float[ndarray, "draw out"], Float[ndarray, "draw out"], Float[ndarray, "draw out"]]:
    """Weight of each class among the true, the predicted, and the rightly predicted."""
    unit = np.eye(outputs.shape[1])
    predicted = outputs.argmax(1)
    right = unit[target] * (predicted == target)[:, None]
    true, guessed, both = np.split(weights @ np.hstack([unit[target], unit[predicted], right]), 3, axis=1)
    return true, guessed, both


def _mean_where(part: Float[ndarray, "draw out"], whole: Float[ndarray, "draw out"]) -> Float[ndarray, " draw"]:
    """Mean over the classes of part / whole, those without any left out."""
    there = whole != 0  # NaN stays
    ratio = np.divide(part, whole, out=np.zeros_like(part), where=there)
    return np.asarray(ratio.sum(axis=1) / there.sum(axis=1))


def _auc(
    positive: Bool[ndarray, " sample"], score: Float[ndarray, " sample"], weights: Float[ndarray, "draw sample"]
) -> Float[ndarray, " draw"]:
    """Probability that a positive scores above a negative, ties counted half (Mann and Whitney, 1947)."""
    few, many = (positive, ~positive) if 2 * positive.sum() < len(positive) else (~positive, positive)
    members = np.flatnonzero(few)
    members = members[np.argsort(score[members], kind="stable")]
    below = np.zeros((len(members) + 1, len(weights)))
    np.cumsum(weights.T[members], axis=0, out=below[1:])  # samples first: whole rows are moved and summed
    less, most = (np.searchsorted(score[members], score[many], side) for side in ("left", "right"))
    lower = below[less] if (less == most).all() else (below[less] + below[most]) / 2
    chosen = weights.T[many]
    pairs = chosen.sum(axis=0) * below[-1]
    share = np.full(len(pairs), np.nan)  # of the pairs in which the one of the many scores higher
    np.divide(np.einsum("sd,sd->d", chosen, lower), pairs, out=share, where=pairs > 0)
    return 1 - share if few is positive else share
