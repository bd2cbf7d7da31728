"""Ensembles: greedy selection against brute force, stacking against direct solutions, absent rows."""

from itertools import product

import numpy as np
import pytest

from plait.nn.ensembles import RULES, bagged_greedy, ensemble_weights, greedy, greedy_with_replacement
from plait.nn.stacking import ridge_strength, stacking
from plait.nn.validation import LOGITS, PROBABILITIES, VALUES, Validation

SPACES = {"probabilities": PROBABILITIES, "logits": LOGITS, "values": VALUES}


def _own_losses(predictions, target, usable, space):
    return np.array([space.losses(p[u], target[u]).mean() for p, u in zip(predictions, usable, strict=True)])


def _validation(kind, seed, students=12, rows=30, absent=0.0, prior=None):
    """Students that err independently, more or less, around a truth."""
    random = np.random.default_rng(seed)
    noise = random.uniform(0.5, 2.5, students)[:, None, None] * random.normal(size=(students, rows, 3))
    truth = random.normal(size=(rows, 3))
    predictions, target = truth + noise, truth
    if kind != "values":
        target = truth.argmax(axis=1)
    if kind == "probabilities":
        predictions = np.exp(predictions) / np.exp(predictions).sum(axis=2, keepdims=True)
    usable = random.random((students, rows)) >= absent
    usable[:, 0] = True
    losses = _own_losses(predictions, target, usable, SPACES[kind])
    predictions[~usable] = np.nan
    return Validation(predictions, target, usable, losses, SPACES[kind], prior)


def _everywhere(predictions, target, space, losses=None):
    """A validation whose rows everybody can read."""
    usable = np.ones(predictions.shape[:2], dtype=bool)
    if losses is None:
        losses = _own_losses(predictions, target, usable, space)
    return Validation(predictions, target, usable, losses, space)


def _row_loss(kind, prediction, target, share=1.0):
    """The loss of one row that counts as so much of its class, and as the rest of the others, written out."""
    if kind == "values":
        return sum((p - t) ** 2 for p, t in zip(prediction, target, strict=True)) / len(prediction)
    shares = np.exp(prediction) / np.exp(prediction).sum() if kind == "logits" else prediction
    others = shares.sum() - shares[target]
    return -share * np.log(shares[target]) - (0 if share == 1 else (1 - share) * np.log(others))


def _literal_loss(kind, validation, weights):
    """Mean over rows of the loss of the renormalised mean of {student: weight}, row by row."""
    losses = []
    for row, target in enumerate(validation.target):
        readers = [student for student in weights if validation.usable[student, row]]
        if readers:
            total = sum(weights[student] for student in readers)
            mean = sum(weights[s] / total * validation.predictions[s, row] for s in readers)
        elif validation.prior is None:
            continue
        else:
            mean = validation.prior
        losses.append(_row_loss(kind, mean, target, validation.share))
    return np.mean(losses)


def _literal_greedy(kind, validation):
    """The rule of the specification, section 4.6, step by step."""
    losses = validation.losses
    v = (1 / losses) / (1 / losses).sum()
    kept = list(np.argsort(losses))[: int(0.8 * len(losses))]
    most = min(len(kept), 30)
    ensemble = kept[:3]

    def loss_of(students):
        total = sum(v[student] for student in students)
        return _literal_loss(kind, validation, {student: v[student] / total for student in students})

    current = loss_of(ensemble)
    while len(ensemble) < most:
        trials = {student: loss_of([*ensemble, student]) for student in kept if student not in ensemble}
        candidate = min(trials, key=trials.get)
        if not trials[candidate] < current:
            break
        ensemble.append(candidate)
        current = trials[candidate]
    weights = np.zeros(len(losses))
    weights[ensemble] = v[ensemble] / v[ensemble].sum()
    return weights


def _literal_replacement(kind, validation, start, rounds):
    """Caruana's selection from a bag of entries."""
    students = range(len(validation.losses))
    bag = list(np.argsort(validation.losses)[:start])

    def loss_of(entries):
        return _literal_loss(kind, validation, {s: entries.count(s) for s in set(entries)})

    while len(bag) < rounds:
        trials = {student: loss_of([*bag, student]) for student in students}
        candidate = min(trials, key=trials.get)
        if not trials[candidate] < loss_of(bag):
            break
        bag.append(candidate)
    return np.array([bag.count(student) for student in students]) / len(bag)


CASES = list(product(SPACES, range(3), [0.0, 0.3]))


@pytest.mark.parametrize(("kind", "seed", "absent"), CASES)
def test_greedy_is_the_rule_of_the_specification(kind, seed, absent):
    """Pruning, start with three, strict improvement, renormalised 1 / loss weights: against brute force."""
    validation = _validation(kind, seed, absent=absent)
    assert greedy(validation) == pytest.approx(_literal_greedy(kind, validation))


@pytest.mark.parametrize(("kind", "seed", "absent"), CASES)
def test_greedy_with_replacement_is_caruanas_selection(kind, seed, absent):
    """Shares of a bag of entries, against brute force."""
    validation = _validation(kind, seed, students=6, absent=absent)
    for start in (1, 3):
        expected = _literal_replacement(kind, validation, start, rounds=12)
        assert greedy_with_replacement(validation, start=start, size=12) == pytest.approx(expected)


def test_greedy_with_a_prior_is_judged_on_all_rows():
    """Rows that no student of the ensemble reads count with the loss of the prior."""
    prior = np.array([0.2, 0.3, 0.5])
    validation = _validation("probabilities", 0, absent=0.8, prior=prior)
    assert greedy(validation) == pytest.approx(_literal_greedy("probabilities", validation))
    alone = np.eye(12)[3]
    assert validation.loss(alone) == pytest.approx(_literal_loss("probabilities", validation, {3: 1.0}))


@pytest.mark.parametrize(("students", "kept"), [(1, 1), (2, 1), (3, 2), (4, 3), (5, 4), (50, 30)])
def test_greedy_keeps_four_fifths_and_at_most_thirty(students, kept):
    """Students whose errors are independent and of one size: every kept one improves the mean."""
    signs = np.ones((students, 64)) if students < 3 else np.random.default_rng(0).normal(size=(students, 4000))
    predictions = signs[..., None]
    validation = _everywhere(predictions, np.zeros((predictions.shape[1], 1)), VALUES)
    assert np.count_nonzero(greedy(validation)) == kept


def test_replacement_counts_are_the_weights():
    """Predictions 1 and -3 of a target 0 cancel as three entries to one, if the first step is not a tie."""
    validation = _everywhere(np.array([[[1.0]], [[-3.0]]]), np.zeros((1, 1)), VALUES)
    assert greedy_with_replacement(validation, start=2).tolist() == [0.75, 0.25]
    assert greedy_with_replacement(validation, start=2, size=3) == pytest.approx(np.array([2, 1]) / 3)
    assert greedy_with_replacement(validation, start=1).tolist() == [1, 0]


def test_best_is_the_student_of_the_smallest_loss_and_ties_go_to_the_first():
    """Losses that are not finite do not compete."""
    validation = _everywhere(np.zeros((4, 1, 1)), np.zeros((1, 1)), VALUES, np.array([np.nan, 0.3, 0.2, 0.2]))
    assert ensemble_weights("best", validation).tolist() == [0, 0, 1, 0]


def test_simple_and_weighted_averages():
    """Equal weights, and 1 / loss normalised."""
    validation = _everywhere(np.zeros((3, 1, 1)), np.zeros((1, 1)), VALUES, np.array([1.0, 2.0, 4.0]))
    assert ensemble_weights("simple", validation) == pytest.approx(np.full(3, 1 / 3))
    assert ensemble_weights("weighted", validation) == pytest.approx(np.array([4, 2, 1]) / 7)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("kind", SPACES)
def test_weights_are_shares_and_never_of_students_without_a_loss(rule, kind):
    """At least 0, sum 1; a student that diverged (NaN everywhere) takes no part and does no harm."""
    complete = _validation(kind, 1, absent=0.2)
    predictions, losses = complete.predictions.copy(), complete.losses.copy()
    predictions[4], losses[4] = np.nan, np.nan
    validation = Validation(predictions, complete.target, complete.usable, losses, complete.space)
    weights = ensemble_weights(rule, validation)
    assert weights.min() >= 0
    assert weights.sum() == pytest.approx(1)
    assert weights[4] == 0
    others = np.arange(12) != 4
    without = Validation(predictions[others], complete.target, complete.usable[others], losses[others], complete.space)
    assert weights[others] == pytest.approx(ensemble_weights(rule, without))
    assert np.isfinite(validation.loss(weights))


def test_a_rule_is_given_the_students_that_have_a_loss(monkeypatch):
    """The others' predictions, which may be most of all, are not even copied."""
    monkeypatch.setitem(RULES, "in equal shares", lambda judged: np.full(len(judged.predictions), 0.5))
    losses = np.array([np.nan, 0.3, np.inf, 0.2])
    validation = _everywhere(np.zeros((4, 1, 1)), np.zeros((1, 1)), VALUES, losses)
    assert ensemble_weights("in equal shares", validation).tolist() == [0, 0.5, 0, 0.5]


@pytest.mark.parametrize("rule", RULES)
def test_a_single_student_is_every_ensemble(rule):
    """There is nothing to choose."""
    assert ensemble_weights(rule, _validation("values", 0, students=1)).tolist() == [1]


@pytest.mark.parametrize("rule", ["weighted", "greedy"])
def test_a_loss_of_zero_takes_the_weight(rule):
    """The limit of 1 / loss."""
    predictions = np.array([[[0.0], [0.0]], [[1.0], [1.0]], [[2.0], [2.0]]])
    validation = _everywhere(predictions, np.zeros((2, 1)), VALUES)
    assert ensemble_weights(rule, validation).tolist() == [1, 0, 0]


def test_an_unknown_rule_is_named_with_the_known_ones():
    """The error lists what there is."""
    with pytest.raises(ValueError, match=r"best, simple.*'bagging'"):
        ensemble_weights("bagging", _validation("values", 0))


def test_stacking_is_the_ridge_solution_where_no_weight_is_bound():
    """The closed form of the ridge toward the simple average, scaled to sum to 1."""
    random = np.random.default_rng(0)
    predictions = random.normal(size=(3, 200, 2))
    target = np.tensordot([0.5, 0.3, 0.2], predictions, axes=1) + 0.3 * random.normal(size=(200, 2))
    design, response = predictions.reshape(3, -1).T, target.ravel()
    strength = ridge_strength(design, response - design.mean(axis=1), 400)
    gram = design.T @ design + strength * np.eye(3)
    expected = np.linalg.solve(gram, design.T @ response + strength / 3)
    assert expected.min() > 0
    assert stacking(_everywhere(predictions, target, VALUES)) == pytest.approx(expected / expected.sum())


def test_stacking_minimises_its_objective_among_weights_that_are_not_negative():
    """The conditions of Karush, Kuhn and Tucker hold up to the scaling, with some weights bound at 0."""
    random = np.random.default_rng(1)
    predictions = random.normal(size=(4, 100, 1))
    target = np.tensordot([1.0, 0.8, -0.7, 0.0], predictions, axes=1)
    design, response = predictions.reshape(4, -1).T, target.ravel()
    strength = ridge_strength(design, response - design.mean(axis=1), 100)
    weights = stacking(_everywhere(predictions, target, VALUES))
    free = weights > 0
    gram = design.T @ design + strength * np.eye(4)
    pull = design.T @ response + strength / 4
    solution = np.zeros(4)
    solution[free] = np.linalg.solve(gram[np.ix_(free, free)], pull[free])
    assert not free.all()
    assert weights == pytest.approx(solution / solution.sum())
    assert (gram @ solution - pull)[~free].min() > 0


def test_ridge_strength_has_the_smallest_generalised_cross_validation_score():
    """Against the hat matrix written out for every strength of the grid."""
    random = np.random.default_rng(2)
    design, residual = random.normal(size=(40, 5)), random.normal(size=40) + 0.1
    residual = residual + design @ np.array([0.3, 0, -0.2, 0, 0])
    strengths = np.logspace(-6, 6, 25) * np.trace(design.T @ design) / 5

    def score(strength):
        hat = design @ np.linalg.solve(design.T @ design + strength * np.eye(5), design.T)
        return np.square(residual - hat @ residual).sum() / (40 - np.trace(hat)) ** 2

    expected = min(strengths, key=score)
    triangle = np.linalg.qr(np.column_stack([design, residual])).R
    assert ridge_strength(design, residual, 40) == pytest.approx(expected)
    assert ridge_strength(triangle[:, :-1], triangle[:, -1], 40) == pytest.approx(expected)


@pytest.mark.parametrize("kind", SPACES)
def test_stacking_of_identical_students_is_the_simple_average(kind):
    """The ridge resolves what the data cannot."""
    one = _validation(kind, 3, students=1)
    validation = _everywhere(np.repeat(one.predictions, 4, axis=0), one.target, one.space)
    assert stacking(validation) == pytest.approx(np.full(4, 0.25))


def test_stacking_finds_the_only_student_that_knows():
    """One student is right, the others are noise."""
    random = np.random.default_rng(4)
    target = random.normal(size=(300, 1))
    predictions = np.concatenate([target[None], random.normal(size=(4, 300, 1))])
    assert stacking(_everywhere(predictions, target, VALUES))[0] > 0.99


def test_stacking_with_more_students_than_rows():
    """The ridge keeps the problem solvable."""
    weights = stacking(_validation("probabilities", 5, students=20, rows=4))
    assert weights.sum() == pytest.approx(1)
    assert weights.min() >= 0


def test_stacking_reads_logits_by_their_probabilities():
    """Logits and the probabilities they stand for are stacked alike."""
    logits = _validation("logits", 6)
    shares = np.exp(logits.predictions) / np.exp(logits.predictions).sum(axis=2, keepdims=True)
    assert stacking(logits) == pytest.approx(stacking(_everywhere(shares, logits.target, PROBABILITIES)))


# Bags


def _draws(rows, bags):
    draw = np.random.default_rng(0)
    return [draw.integers(0, rows, rows) for _ in range(bags)]


@pytest.mark.parametrize(("kind", "seed", "absent"), CASES)
def test_bagged_greedy_is_the_mean_over_rows_drawn_with_replacement(kind, seed, absent):
    """Each bag by brute force, on repeated rows and the losses on them; classes with doubt."""
    validation = _validation(kind, seed, students=5, absent=absent)
    expected = []
    for rows in _draws(len(validation.target), 3):
        drawn = validation.doubted().rows(rows)
        expected.append(_literal_replacement(kind, drawn, 1, rounds=8))
    assert bagged_greedy(validation, bags=3, size=8) == pytest.approx(np.mean(expected, axis=0))


def test_doubt_is_that_of_four_rows_more():
    """Of 6 rows each counts as 8/10 of its class; real outputs are not doubted."""
    predictions = np.full((1, 6, 3), 1 / 3)
    validation = _everywhere(predictions, np.array([0, 0, 0, 1, 1, 2]), PROBABILITIES)
    assert (validation.share, validation.doubted().share) == (1, 0.8)
    values = _everywhere(predictions, np.zeros((6, 3)), VALUES)
    assert values.doubted() is values


def test_certainty_has_a_finite_loss_where_there_is_doubt():
    """A probability of exactly 1 for the true class leaves 2.2e-16 to the others."""
    target = np.array([0, 1])
    validation = _everywhere(np.eye(2)[target][None], target, PROBABILITIES).doubted()
    expected = -(1 - 4 / 6) * np.log(np.finfo(np.float64).eps)
    assert validation.loss(np.ones(1)) == pytest.approx(expected)


@pytest.mark.parametrize("space", [PROBABILITIES, LOGITS])
@pytest.mark.parametrize(("rows", "kept"), [(3, [1, 0]), (3000, [0, 1])])
def test_few_rows_do_not_make_certainty_the_best(space, rows, kept):
    """6 rows, all foretold rightly: 4/5 is right, almost 1 is not; of 6000 it is."""
    target = np.repeat([0, 1], rows)
    certain = np.stack([np.where(np.eye(2)[target] > 0, p, 1 - p) for p in (0.8, 0.999)])
    validation = _everywhere(certain if space is PROBABILITIES else np.log(certain), target, space)
    assert validation.losses[1] < validation.losses[0]
    assert bagged_greedy(validation, bags=4).tolist() == kept


def test_losses_of_drawn_rows_are_means_over_those_that_can_be_read():
    """A student that reads none of them is kept out; one that was kept out stays so."""
    predictions = np.array([[1.0, 2.0, 3.0], [1.0, 5.0, 5.0], [0.0, 0.0, 0.0]])[..., None]
    usable = np.array([[True, True, False], [False, False, True], [True, True, True]])
    validation = Validation(predictions, np.zeros((3, 1)), usable, np.array([1.0, 1.0, np.inf]), VALUES)
    drawn = validation.rows(np.array([0, 0, 1]))
    assert drawn.losses.tolist() == [2.0, np.inf, np.inf]
    assert drawn.target.shape == (3, 1)


def test_bags_without_a_readable_row_do_not_count():
    """One row of many can be read: bags that miss it are left out, and the student has all the weight."""
    usable = np.zeros((1, 40), dtype=bool)
    usable[0, 3] = True
    validation = Validation(np.zeros((1, 40, 1)), np.ones((40, 1)), usable, np.array([1.0]), VALUES)
    assert bagged_greedy(validation, bags=4).tolist() == [1.0]
