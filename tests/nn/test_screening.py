"""Screening: exact k-means on a line against brute force and scikit-learn, limits, teacher weights."""

from itertools import combinations

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.metrics import silhouette_score

from plait.nn.screening import RULES, Screening, inverse_loss_weights, mean_silhouette, screen, teacher_weights

SEEDS = range(5)


def _random_losses(seed, students=None):
    random = np.random.default_rng(seed)
    return random.gamma(2.0, size=students or int(random.integers(4, 12)))


def _spread(values, labels):
    return sum(np.square(values[labels == c] - values[labels == c].mean()).sum() for c in np.unique(labels))


def _best_spread_by_brute_force(values, clusters):
    ordered = np.sort(values)
    cuts = combinations(range(1, values.size), clusters - 1)
    return min(_spread(ordered, np.searchsorted(cut, np.arange(values.size), side="right")) for cut in cuts)


def _literal_rule(losses, random_state):
    """The rule of the specification, section 3, word for word."""
    points = losses.reshape(-1, 1)
    scores = {}
    for k in range(2, min(10, len(losses)) + 1):
        if k == len(losses):
            continue
        labels = KMeans(n_clusters=k, init="k-means++", n_init=1, random_state=random_state).fit(points).labels_
        scores[k] = silhouette_score(points, labels)
    k = max(scores, key=lambda k: (scores[k], -k))
    labels = KMeans(n_clusters=k, init="k-means++", n_init=1, random_state=random_state).fit(points).labels_
    means = [losses[labels == cluster].mean() for cluster in range(k)]
    return k, np.flatnonzero(labels == np.argmin(means))


@pytest.mark.parametrize("seed", SEEDS)
def test_exact_partitions_are_optimal_for_every_k(seed):
    """No partition into intervals has a smaller sum of squares."""
    losses = _random_losses(seed)
    most = losses.size - 1
    partitions = RULES["exact"](losses, most, 0)
    assert [np.unique(labels).size for labels in partitions] == list(range(2, most + 1))
    for labels in partitions:
        best = _best_spread_by_brute_force(losses, np.unique(labels).size)
        assert _spread(losses, labels) == pytest.approx(best)


@pytest.mark.parametrize("seed", SEEDS)
def test_exact_partitions_are_optimal_with_repeated_losses(seed):
    """Equal losses share a cluster, and that costs nothing."""
    losses = np.random.default_rng(seed).integers(0, 5, size=9).astype(float)
    for labels in RULES["exact"](losses, np.unique(losses).size, 0):
        assert all(np.unique(labels[losses == value]).size == 1 for value in losses)
        best = _best_spread_by_brute_force(losses, np.unique(labels).size)
        assert _spread(losses, labels) == pytest.approx(best)


@pytest.mark.parametrize("seed", SEEDS)
def test_silhouette_equals_that_of_scikit_learn(seed):
    """The closed form of sorted clusters is the mean silhouette of the definition."""
    losses = _random_losses(seed, 40)
    for rule in RULES.values():
        for labels in rule(losses, 10, seed):
            assert mean_silhouette(losses, labels) == pytest.approx(silhouette_score(losses[:, None], labels))


@pytest.mark.parametrize("seed", SEEDS)
def test_exact_finds_scikit_learns_clusters_where_they_are_well_separated(seed):
    """With several restarts of KMeans the same k and the same top students."""
    random = np.random.default_rng(seed)
    sizes = random.integers(3, 8, size=int(random.integers(2, 6)))
    losses = random.permutation(np.repeat(np.cumsum(random.uniform(1, 3, sizes.size)), sizes))
    losses = losses + random.uniform(-0.05, 0.05, losses.size)
    partitions = {
        k: KMeans(k, n_init=5, random_state=seed).fit_predict(losses[:, None])
        for k in range(2, min(10, losses.size - 1) + 1)
    }
    k = max(partitions, key=lambda k: silhouette_score(losses[:, None], partitions[k]))
    screening = screen(losses)
    assert screening.clusters == k == sizes.size
    assert screening.top.tolist() == np.flatnonzero(partitions[k] == partitions[k][losses.argmin()]).tolist()


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("students", [3, 8, 24])
def test_paper_rule_is_the_literal_scikit_learn_rule(seed, students):
    """The same k and top students as the rule written out, local optima included."""
    losses = _random_losses(seed, students)
    screening = screen(losses, rule="paper", random_state=seed)
    clusters, top = _literal_rule(losses, seed)
    assert screening.clusters == clusters
    assert screening.top.tolist() == top.tolist()


@pytest.mark.parametrize("seed", SEEDS)
def test_exact_depends_neither_on_the_order_nor_on_the_unit_of_the_losses(seed):
    """Permuted and rescaled losses have the same top students."""
    losses = _random_losses(seed)
    order = np.random.default_rng(seed).permutation(losses.size)
    top = screen(1000 * losses[order], random_state=seed).top
    assert sorted(order[top]) == screen(losses).top.tolist()


@pytest.mark.parametrize("rule", RULES)
class TestLimits:
    def test_one_student_is_top(self, rule):
        """There is nobody else."""
        screening = screen(np.array([0.7]), rule)
        assert (screening.top.tolist(), screening.clusters) == ([0], 1)

    def test_two_students_are_equal_teachers(self, rule):
        """No number of clusters is admissible, so both are top."""
        screening = screen(np.array([0.1, 9.0]), rule)
        assert (screening.top.tolist(), screening.clusters) == ([0, 1], 1)

    def test_three_students_always_make_two_clusters(self, rule):
        """The two that are close stay together."""
        screening = screen(np.array([3.0, 1.0, 1.1]), rule)
        assert (screening.top.tolist(), screening.clusters) == ([1, 2], 2)

    def test_identical_losses_make_all_students_top(self, rule):
        """Nothing can be told apart."""
        screening = screen(np.full(6, 0.3), rule)
        assert (screening.top.tolist(), screening.clusters) == (list(range(6)), 1)

    def test_losses_that_differ_by_rounding_are_identical(self, rule):
        """Noise below single precision makes no clusters and no warning."""
        losses = 0.3 * (1 + 1e-9 * np.random.default_rng(0).normal(size=12))
        assert screen(losses, rule).clusters == 1
        assert screen(np.append(losses, losses + 1), rule).clusters == 2

    def test_fewer_distinct_losses_than_clusters(self, rule):
        """Two distinct losses make two clusters, without a warning."""
        screening = screen(np.array([2.0, 1.0, 2.0, 1.0, 2.0, 1.0]), rule)
        assert (screening.top.tolist(), screening.clusters) == ([1, 3, 5], 2)

    def test_the_best_cluster_may_be_a_single_student(self, rule):
        """One student far below all others teaches alone."""
        screening = screen(np.array([5.0, 5.1, 0.1, 5.2]), rule)
        assert (screening.top.tolist(), screening.clusters) == ([2], 2)

    def test_students_without_a_finite_loss_are_left_out(self, rule):
        """The others are screened as if these were not there."""
        losses = np.array([np.nan, 1.0, 1.1, np.inf, 5.0, 5.1, 5.2])
        screening = screen(losses, rule)
        assert (screening.top.tolist(), screening.clusters) == ([1, 2], 2)
        assert (screen(losses[1:], rule).top + 1).tolist() == [1, 2]

    def test_no_finite_loss_is_an_error(self, rule):
        """A cohort that was never judged has no best students."""
        with pytest.raises(ValueError, match=r"at least one finite loss.*among 2 students"):
            screen(np.array([np.nan, np.inf]), rule)


def test_an_unknown_rule_is_named_with_the_known_ones():
    """The error lists what there is."""
    with pytest.raises(ValueError, match=r"exact, paper.*'elbow'"):
        screen(np.array([1.0, 2.0, 3.0]), rule="elbow")


def test_clustering_weights_are_equal_on_the_top_students():
    """1 / |top| there, 0 elsewhere; a screening that is given is used."""
    losses = np.array([1.0, 5.0, 1.1, 5.1, np.nan])
    assert teacher_weights(losses).tolist() == [0.5, 0, 0.5, 0, 0]
    given = screen(np.array([5.0, 1.0, 5.1, 1.1, 5.2]))
    assert teacher_weights(losses, screening=given).tolist() == [0, 0.5, 0, 0.5, 0]


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("seed", SEEDS)
def test_the_worst_cluster_is_the_one_with_the_largest_mean_loss(rule, seed):
    """It holds the worst student and no top one; losses turned round have the old top students."""
    losses = _random_losses(seed, 24)
    found, turned = screen(losses, rule, seed), screen(-losses)
    assert losses[found.worst].min() > np.delete(losses, found.worst).max()
    assert not np.isin(found.worst, found.top).any()
    if rule == "exact":
        assert found.worst.tolist() == turned.top.tolist()


def test_where_nothing_can_be_told_apart_the_worst_are_the_top():
    """One cluster; a student that was never judged is in neither."""
    found = screen(np.array([0.3, np.nan, 0.3, np.inf, 0.3]))
    assert found.worst.tolist() == found.top.tolist() == [0, 2, 4]


def test_worst_weights_are_equal_on_the_worst_cluster():
    """0 elsewhere; a screening that is given is used, one that does not know its worst is made up for."""
    losses = np.array([1.0, 5.0, 1.1, 5.1, np.nan])
    assert teacher_weights(losses, "worst").tolist() == [0, 0.5, 0, 0.5, 0]
    given = screen(np.array([5.0, 1.0, 5.1, 1.1, 5.2]))
    assert teacher_weights(losses, "worst", screening=given) == pytest.approx(np.array([1, 0, 1, 0, 1]) / 3)
    unknown = Screening(top=np.array([0]), clusters=2)
    assert teacher_weights(losses, "worst", screening=unknown).tolist() == [0, 0.5, 0, 0.5, 0]


def test_loss_weights_are_proportional_to_a_power_of_the_inverse_loss():
    """Losses 1, 2, 4 give 4 : 2 : 1, squared 16 : 4 : 1."""
    losses = np.array([1.0, 2.0, 4.0, np.nan])
    assert teacher_weights(losses, "loss") == pytest.approx(np.array([4, 2, 1, 0]) / 7)
    assert teacher_weights(losses, "loss", scale=2.0) == pytest.approx(np.array([16, 4, 1, 0]) / 21)
    assert teacher_weights(losses, "loss", scale=0.0) == pytest.approx(teacher_weights(losses, "uniform"))


def test_a_loss_of_zero_takes_all_the_weight():
    """The limit of small losses, and no overflow on the way."""
    assert inverse_loss_weights(np.array([0.0, 1.0, 0.0])).tolist() == [0.5, 0, 0.5]
    assert inverse_loss_weights(np.array([1e-320, 1.0]), scale=3.0).tolist() == [1, 0]


def test_uniform_weights_leave_out_students_that_were_never_judged():
    """The others share the weight equally."""
    assert teacher_weights(np.array([1.0, np.inf, 7.0]), "uniform").tolist() == [0.5, 0, 0.5]


def test_negative_losses_have_no_inverse_weights():
    """The error says which weights to take instead."""
    with pytest.raises(ValueError, match=r"at least 0 \(got -1\)"):
        teacher_weights(np.array([-1.0, 2.0]), "loss")


def test_an_unknown_kind_of_teacher_is_named():
    """The error lists what there is."""
    with pytest.raises(ValueError, match=r"clustering, loss, uniform, worst.*'fixed'"):
        teacher_weights(np.array([1.0, 2.0]), "fixed")
