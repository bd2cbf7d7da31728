"""Which students predict together, and with what weights: rules that choose an ensemble on validation samples.

An ensemble is a vector of weights over students. A row is predicted by the weighted mean of those students of
the ensemble that can read it, their weights renormalised.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from plait.nn.screening import PerStudent, equal_weights, inverse_loss_weights, judged_students
from plait.nn.stacking import stacking
from plait.nn.validation import Students, Validation


def best(validation: Validation) -> PerStudent:
    """The student with the smallest loss alone; ties to the first."""
    return _normalised(np.arange(validation.losses.size) == _best_first(validation.losses)[0])


def simple(validation: Validation) -> PerStudent:
    """All students with a finite loss, equally."""
    return equal_weights(validation.losses)


def weighted(validation: Validation) -> PerStudent:
    """All students, by 1 / loss; where some losses are 0 these students alone."""
    return inverse_loss_weights(validation.losses)


def greedy(validation: Validation, *, keep: float = 0.8, start: int = 3, size: int = 30) -> PerStudent:
    """Grow a 1 / loss weighted ensemble while its loss strictly falls, each student at most once.

    The ensemble of the Meta Fusion paper (after Caruana et al., 2004). Only the set is selected: the weights
    are those of `weighted`, renormalised over the set. Ties between candidates go to the smaller own loss.

    Args:
        validation: What the ensemble is chosen on.
        keep: Share of the students, best first, that may enter (rounded down, at least one); 1 is all.
        start: Number of best students to start with.
        size: Most students in the ensemble.
    """
    weights = inverse_loss_weights(validation.losses)
    order = _best_first(validation.losses)
    pool = order[: max(int(keep * order.size), 1)]
    return _grow(validation, weights, pool, start=start, copies=1, size=size)


def greedy_with_replacement(validation: Validation, *, start: int = 1, size: int = 100) -> PerStudent:
    """Grow an ensemble while its loss strictly falls; a student may enter again (Caruana et al., 2004).

    Every entry counts the same, so that a student's weight is its share of the entries. Ties between
    candidates go to the smaller own loss.

    Args:
        validation: What the ensemble is chosen on.
        start: Number of best students to start with.
        size: Most entries.
    """
    pool = _best_first(validation.losses)
    return _grow(validation, np.ones(validation.losses.size), pool, start=start, copies=size, size=size)


def _best_first(losses: PerStudent) -> Students:
    students = judged_students(losses)
    return students[np.argsort(losses[students], kind="stable")]


def _normalised(weights: np.ndarray) -> PerStudent:
    return np.asarray(weights / weights.sum())


def _grow(
    validation: Validation, units: PerStudent, pool: Students, *, start: int, copies: int, size: int
) -> PerStudent:
    """Enter the best candidate of the pool while the loss strictly falls; running sums, one batch a round."""
    validation = validation.of_true_classes()
    entries = np.bincount(pool[: min(start, size)], minlength=units.size)
    added, weights_added = units[:, None, None] * validation.readable, units[:, None] * validation.usable
    total, weight = np.tensordot(entries, added, axes=1), entries @ weights_added
    lowest = validation.loss_of_sums(total, weight)
    while entries.sum() < size:
        candidates = pool[entries[pool] < copies]
        if not candidates.size:
            break
        losses = validation.loss_of_sums(total + added[candidates], weight + weights_added[candidates])
        if not losses.min() < lowest:
            break
        entered = candidates[losses.argmin()]
        entries[entered] += 1
        total, weight, lowest = total + added[entered], weight + weights_added[entered], losses.min()
    return _normalised(units * entries)


def bagged_greedy(validation: Validation, *, bags: int = 20, size: int = 100) -> PerStudent:
    """Mean of greedy ensembles with replacement, each chosen on other rows drawn with replacement.

    What enters by chance enters few of them. After Caruana, Munson and Niculescu-Mizil, "Getting the Most Out of
    Ensemble Selection" (2006), who draw students; here rows are drawn, from a seed that is always the same. A draw in
    which no student can read a row does not count. Classes are judged with doubt (`Validation.doubted`).

    Args:
        validation: What the ensemble is chosen on.
        bags: Number of draws.
        size: Most entries in each.
    """
    draw, count = np.random.default_rng(0), len(validation.target)
    validation = validation.doubted().of_true_classes()
    drawn = (validation.rows(draw.integers(0, count, count)) for _ in range(bags))
    found = [greedy_with_replacement(one, size=size) for one in drawn if np.isfinite(one.losses).any()]
    return _normalised(np.sum(found or [greedy_with_replacement(validation, size=size)], axis=0))


RULES: Mapping[str, Callable[[Validation], PerStudent]] = {
    "best": best,
    "simple": simple,
    "weighted": weighted,
    "greedy": greedy,
    "greedy-replacement": greedy_with_replacement,
    "bagged-greedy": bagged_greedy,
    "stacking": stacking,
    "majority": simple,
    "weighted-vote": weighted,
}
"""By their words; of the votes of students they are what is done with them."""


def ensemble_weights(rule: str, validation: Validation) -> PerStudent:
    """Weights of the students by one of the rules, summing to 1; 0 for students whose loss is not finite.

    Raises:
        ValueError: If the rule is unknown, no loss is finite, or weights by 1 / loss meet a negative one.
    """
    if rule not in RULES:
        raise ValueError(f"The ensemble must be one of {', '.join(RULES)} (got {rule!r}).")
    students = judged_students(validation.losses)
    weights = np.zeros(validation.losses.size)
    weights[students] = RULES[rule](_of_students(validation, students))
    return weights


def _of_students(validation: Validation, students: Students) -> Validation:
    """What is known of these students alone: rules copy predictions often, and most of them may be of others."""
    if students.size == validation.losses.size:
        return validation
    chosen = validation.predictions[students], validation.usable[students], validation.losses[students]
    return replace(validation, **dict(zip(("predictions", "usable", "losses"), chosen, strict=True)))
