"""Which students of a cohort teach, and with what weight: one-dimensional clustering of their losses.

Losses are the students' best validation losses, one number a student; NaN or infinite means that the student
never had a row to be judged on (or diverged): it is left out, neither top nor teacher.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float, Int
from sklearn.cluster import KMeans

PerStudent = Float[np.ndarray, " student"]
Labels = Int[np.ndarray, " student"]

MOST_CLUSTERS = 10
ROUNDING = 1e-12  # silhouettes closer than this are a tie
RESOLUTION = 1e-7  # losses closer than this share of the largest are the same, as in single precision


@dataclass(frozen=True, eq=False)
class Screening:
    """The outcome of a screening.

    Args:
        top: Indices of the students in the cluster with the smallest mean loss, ascending; never empty. A
            single top student has no peer to learn from.
        clusters: Number of clusters of the chosen partition; 1 means that nothing could be told apart.
        worst: Indices of the students in the cluster with the largest mean loss, ascending; with one cluster they are
            those of `top`. Empty where they are not known.
    """

    top: Int[np.ndarray, " top"]
    clusters: int
    worst: Int[np.ndarray, " worst"] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))


def screen(losses: PerStudent, rule: str = "exact", random_state: int = 0) -> Screening:
    """Cluster the losses and keep the best cluster (after Liang, Qu and Shahbaba, 2025).

    Of the partitions into k = 2 ... min(10, students - 1, distinct losses) clusters, the one with the
    strictly highest mean silhouette wins, ties to the smaller k. Where no k is admissible (one student, two
    students, losses identical to 1e-7 of the largest) all students are top: equal teachers.

    Args:
        losses: Loss of each student; those that are not finite are left out and never top.
        rule: "exact" is optimal k-means, the same whatever the order of the students and the seed; "paper" is
            one k-means++ start of scikit-learn's KMeans, which may end in a local optimum.
        random_state: Seed of "paper"; "exact" draws nothing.

    Raises:
        ValueError: If no loss is finite or the rule is unknown.
    """
    if rule not in RULES:
        raise ValueError(f"The screening rule must be one of {', '.join(RULES)} (got {rule!r}).")
    students = judged_students(losses)
    values = losses[students].astype(np.float64)
    distinct = 1 + int(np.count_nonzero(np.diff(np.sort(values)) > RESOLUTION * np.abs(values).max()))
    most = min(MOST_CLUSTERS, values.size - 1, distinct)
    labels, highest = np.zeros(values.size, dtype=np.int64), -np.inf
    for candidate in RULES[rule](values, most, random_state):
        score = mean_silhouette(values, candidate)
        if score > highest + ROUNDING:
            labels, highest = candidate, score
    # In one dimension the cluster of the smallest loss is the one with the smallest mean, and so of the largest.
    top, worst = (students[labels == labels[place]] for place in (values.argmin(), values.argmax()))
    return Screening(top=top, clusters=np.unique(labels).size, worst=worst)


def judged_students(losses: PerStudent) -> Int[np.ndarray, " judged"]:
    """Indices of the students whose loss is finite, ascending.

    Raises:
        ValueError: If there is none.
    """
    students = np.flatnonzero(np.isfinite(losses))
    if not students.size:
        raise ValueError(
            f"Expected at least one finite loss, got none among {losses.size} students. "
            "Check that validation rows have modalities that some student reads, or lower the learning rate."
        )
    return students


def mean_silhouette(values: PerStudent, labels: Labels) -> float:
    """Mean silhouette (Rousseeuw, 1987) of a partition of numbers into at least two intervals.

    Equals scikit-learn's `silhouette_score`, from prefix sums instead of a matrix of distances: the nearest
    other cluster of a number is a neighbour on the line, and its mean distance is the distance to its mean.
    Range -1 to 1; a number alone in its cluster counts 0.

    Args:
        values: The numbers, in any order.
        labels: Cluster of each number, not negative; every cluster an interval.
    """
    order = np.argsort(values, kind="stable")
    x = values[order] - values.mean()
    starts = np.flatnonzero(np.diff(labels[order], prepend=-1))
    ends = np.append(starts[1:], x.size)
    cluster = np.repeat(np.arange(starts.size), ends - starts)
    sums = np.concatenate([[0.0], np.cumsum(x)])
    means = np.concatenate([[-np.inf], (sums[ends] - sums[starts]) / (ends - starts), [np.inf]])
    first, last, place = starts[cluster], ends[cluster], np.arange(x.size)
    # sum |x - y| over the own cluster: smaller ones lie before, larger ones behind
    own = x * (2 * place - first - last) + sums[first] + sums[last] - 2 * sums[place]
    within = own / np.maximum(last - first - 1, 1)
    between = np.minimum(x - means[cluster], means[cluster + 2] - x)
    larger = np.maximum(within, between)
    scored = (last - first > 1) & (larger > 0)
    return float(np.divide(between - within, larger, out=np.zeros_like(x), where=scored).mean())


def _exact(values: PerStudent, most: int, _random_state: int) -> list[Labels]:
    """Optimal partitions into 2 ... most clusters by dynamic programming over the distinct values."""
    distinct, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    spread = _spreads(distinct, counts)
    best, firsts, partitions = spread[0], [], []
    for _ in range(2, most + 1):
        options = best[:-1, None] + spread[1:]  # where the last cluster starts x where it ends
        firsts.append(options.argmin(axis=0) + 1)
        best = options.min(axis=0)
        partitions.append(_backtrack(firsts)[inverse])
    return partitions


def _spreads(
    values: Float[np.ndarray, " value"], counts: Int[np.ndarray, " value"]
) -> Float[np.ndarray, "value value"]:
    """Sum of squares about the mean of the values i ... j (infinite for i > j), as in Welford (1962)."""
    spread = np.full((values.size, values.size), np.inf)
    total, mean, mass = np.zeros((3, values.size))
    for j, (value, count) in enumerate(zip(values, counts, strict=True)):
        upto = slice(j + 1)
        shift = value - mean[upto]
        total[upto] += shift**2 * mass[upto] * count / (mass[upto] + count)
        mass[upto] += count
        mean[upto] += shift * count / mass[upto]
        spread[upto, j] = total[upto]
    return spread


def _backtrack(firsts: list[Int[np.ndarray, " value"]]) -> Int[np.ndarray, " value"]:
    """Labels of the sorted values, from the best start of the last cluster by clusters and end."""
    starts, end = [], firsts[-1].size - 1
    for first in reversed(firsts):
        starts.append(first[end])
        end = first[end] - 1
    return np.searchsorted(starts[::-1], np.arange(firsts[-1].size), side="right")


def _paper(values: PerStudent, most: int, random_state: int) -> list[Labels]:
    """Partitions of scikit-learn's KMeans with a single start, as the authors' code ran it."""
    return [KMeans(k, n_init=1, random_state=random_state).fit_predict(values[:, None]) for k in range(2, most + 1)]


RULES: Mapping[str, Callable[[PerStudent, int, int], list[Labels]]] = {"exact": _exact, "paper": _paper}


def equal_weights(losses: PerStudent) -> PerStudent:
    """The same weight for every student with a finite loss, 0 for the others; sums to 1."""
    students = judged_students(losses)
    weights = np.zeros(losses.size)
    weights[students] = 1 / students.size
    return weights


def inverse_loss_weights(losses: PerStudent, scale: float = 1.0) -> PerStudent:
    """Weights proportional to loss^-scale, summing to 1; 0 for students whose loss is not finite.

    Args:
        losses: Loss of each student, at least 0. Where some are exactly 0 these share all the weight, the
            limit of the formula.
        scale: Exponent, at least 0; 0 is equal weights, infinity the best students alone.

    Raises:
        ValueError: If a loss is negative or none is finite.
    """
    students = judged_students(losses)
    values = losses[students].astype(np.float64)
    if values.min() < 0:
        raise ValueError(
            f"Weights by inverse loss need losses of at least 0 (got {values.min():.6g}). "
            'Use equal or "clustering" weights for a loss that can be negative.'
        )
    # smallest / loss instead of 1 / loss: no overflow, and the limit where the smallest is 0
    zero = values == 0
    ratio = zero.astype(np.float64) if zero.any() else (values.min() / values) ** scale
    weights = np.zeros(losses.size)
    weights[students] = ratio / ratio.sum()
    return weights


def teacher_weights(
    losses: PerStudent,
    kind: str = "clustering",
    *,
    screening: Screening | None = None,
    scale: float = 1.0,
) -> PerStudent:
    """Weights of the students as teachers in mutual learning, summing to 1.

    Args:
        losses: Loss of each student; those that are not finite get 0.
        kind: "clustering" is 1 / |top| on the top students; "loss" is proportional to loss^-scale;
            "uniform" is plain deep mutual learning; "worst" is 1 / |worst| on the worst cluster, the adversarial
            study of the paper, which shows what screening is for, and is not for use.
        screening: The clusters of "clustering" and "worst"; None screens the losses by the exact rule, and so does
            "worst" where it is not told of the worst cluster.
        scale: Exponent of "loss", at least 0; 0 is "uniform".

    Raises:
        ValueError: If the kind is unknown, no loss is finite, or "loss" meets a negative one.
    """
    if kind not in TEACHERS:
        raise ValueError(f"The kind of teacher weights must be one of {', '.join(TEACHERS)} (got {kind!r}).")
    return TEACHERS[kind](losses, screening, scale)


def _top_alone(losses: PerStudent, screening: Screening | None, _scale: float) -> PerStudent:
    return _equal_on((screening or screen(losses)).top, losses)


def _worst_alone(losses: PerStudent, screening: Screening | None, _scale: float) -> PerStudent:
    known = screening if screening and screening.worst.size else screen(losses)
    return _equal_on(known.worst, losses)


def _equal_on(students: Int[np.ndarray, " chosen"], losses: PerStudent) -> PerStudent:
    weights = np.zeros(losses.size)
    weights[students] = 1 / students.size
    return weights


TEACHERS: Mapping[str, Callable[[PerStudent, Screening | None, float], PerStudent]] = {
    "clustering": _top_alone,
    "loss": lambda losses, _screening, scale: inverse_loss_weights(losses, scale),
    "uniform": lambda losses, _screening, _scale: equal_weights(losses),
    "worst": _worst_alone,
}
