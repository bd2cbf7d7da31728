"""The gap, the probe and the retrieval: measures in one space, and what all measures refuse."""

import numpy as np
import pandas as pd
import pytest

from plait.alignment import cca, linear_cka, mmd, modality_probe, normalised_gap, retrieval, svcca


@pytest.fixture
def draw():
    return np.random.default_rng(0)


def test_the_gap_is_0_1_and_2(draw):
    """Identical, independent with equal means, opposite."""
    X = draw.normal(size=(4000, 5))
    assert normalised_gap(X, X) == 0
    assert normalised_gap(X, draw.normal(size=(4000, 5))) == pytest.approx(1, abs=0.05)
    X -= X.mean(axis=0)
    assert normalised_gap(X, -X) == pytest.approx(2)


def test_the_gap_is_its_parts(draw):
    """|m1 - m2|^2 + tr S1 + tr S2 - 2 tr S12 over tr S1 + tr S2, whatever the scale."""
    X, Y = draw.normal(size=(30, 3)), draw.normal(2, 3, size=(30, 3))
    covariance = np.cov(np.hstack([X, Y]).T, bias=True)
    total = np.trace(covariance)
    expected = (np.square(X.mean(0) - Y.mean(0)).sum() + total - 2 * np.trace(covariance[:3, 3:])) / total
    for scale in (1, 1e-200, 1e200):
        assert normalised_gap(scale * X, scale * Y) == pytest.approx(expected)


def test_constant_modalities_have_no_gap(draw):
    """NaN where neither varies; one that varies is enough."""
    constant = np.full((10, 2), 0.1)
    assert np.isnan(normalised_gap(constant, constant + 1))
    X = draw.normal(size=(10, 2))
    assert normalised_gap(X, np.tile(X.mean(axis=0), (10, 1))) == pytest.approx(1)


def test_the_probe_cannot_tell_equal_distributions(draw):
    """About chance, and exactly chance for the same values: both modalities of a sample lie in one fold."""
    X = draw.normal(size=(500, 3))
    assert modality_probe(X, draw.normal(size=(500, 3)), random_state=0) == pytest.approx(0.5, abs=0.06)
    assert modality_probe(X, X, random_state=0) == 0.5


def test_the_probe_does_not_learn_who_is_who(draw):
    """Modalities that differ by noise alone give chance, although each sample could be told by its neighbour."""
    X = draw.normal(size=(40, 100))
    scores = [modality_probe(X, X + 1e-3 * draw.normal(size=X.shape), random_state=seed) for seed in range(5)]
    assert np.mean(scores) == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize("n", [2, 3, 100])
def test_the_probe_tells_modalities_that_are_far_apart(draw, n):
    """Always right, however few samples there are; units are no matter."""
    X = draw.normal(size=(n, 2))
    assert modality_probe(1e6 * X, 1e6 * X + [3e7, 0]) == 1


def test_the_probe_of_constant_features_is_chance():
    """Where there is nothing to tell."""
    assert modality_probe(np.ones((10, 2)), np.ones((10, 2))) == 0.5


def test_the_probe_looks_at_a_draw_of_many_samples(draw):
    """The same for the same seed."""
    X, Y = draw.normal(size=(300, 2)), draw.normal(size=(300, 2))
    scores = [modality_probe(X, Y, samples=40, random_state=seed) for seed in (0, 0, 1)]
    assert scores[0] == scores[1] != scores[2]
    assert modality_probe(X, Y, folds=3, samples=3, random_state=0) * 6 % 1 == pytest.approx(0)


@pytest.mark.parametrize("settings", [{"folds": 1}, {"samples": 1}])
def test_impossible_settings_of_the_probe_are_refused(draw, settings):
    """By name."""
    with pytest.raises(ValueError, match=next(iter(settings))):
        modality_probe(draw.normal(size=(9, 2)), draw.normal(size=(9, 2)), **settings)


def test_samples_find_themselves(draw):
    """Recall 1 and rank 1 both ways for the same directions, whatever the lengths."""
    X = draw.normal(size=(30, 4))
    found = retrieval(X, X * draw.uniform(0.1, 1e6, size=(30, 1)), at=(1, 40))
    expected = pd.DataFrame(1.0, index=["X to Y", "Y to X"], columns=["recall@1", "recall@40", "median_rank"])
    pd.testing.assert_frame_equal(found, expected)


def test_unrelated_modalities_are_found_by_chance(draw):
    """Recall@k about k / n, median rank about n / 2."""
    found = retrieval(draw.normal(size=(2000, 8)), draw.normal(size=(2000, 8)), at=(20, 200))
    np.testing.assert_allclose(found["recall@20"], 0.01, atol=0.008)
    np.testing.assert_allclose(found["recall@200"], 0.1, atol=0.025)
    np.testing.assert_allclose(found["median_rank"], 1000, atol=80)


@pytest.mark.parametrize("value", [0.0, 0.3])
def test_a_collapsed_modality_finds_nothing(draw, value):
    """Ties are broken at random: exactly k / n, not 1, for constant and for zero features."""
    constant = np.full((40, 3), value)
    for other in (constant, draw.normal(size=(40, 3))):
        found = retrieval(other, constant, at=(1, 10)).loc["X to Y"]
        np.testing.assert_allclose(found, [1 / 40, 10 / 40, 20.5])


def test_ranks_by_hand():
    """The three candidates of each query, with a tie for the second."""
    X = np.array([[1.0, 0], [1, 0], [0, 1]])
    found = retrieval(X, np.array([[1.0, 0], [1, 1], [1, 1]]), at=(1, 2))
    np.testing.assert_allclose(found.loc["X to Y"], [(1 + 0 + 1 / 2) / 3, (1 + 1 / 2 + 1) / 3, 1.5])
    assert found.loc["X to Y", "median_rank"] == 1.5


def test_many_samples_are_looked_at_in_parts(draw, monkeypatch):
    """With the same outcome."""
    X, Y = draw.normal(size=(50, 3)), draw.normal(size=(50, 3))
    whole = retrieval(X, Y)
    monkeypatch.setattr("plait.alignment.retrieving._CELLS", 350)
    pd.testing.assert_frame_equal(retrieval(X, Y), whole)


@pytest.mark.parametrize("at", [(0,), (1, -1)])
def test_impossible_numbers_of_candidates_are_refused(draw, at):
    """By name."""
    with pytest.raises(ValueError, match="at"):
        retrieval(draw.normal(size=(9, 2)), draw.normal(size=(9, 2)), at)


EVERY = pytest.mark.parametrize("measure", [linear_cka, cca, svcca, mmd, normalised_gap, modality_probe, retrieval])


@EVERY
def test_what_no_measure_takes(draw, measure):
    """The error names the argument and the rows, and says what to do."""
    X = draw.normal(size=(9, 2))
    holed = X.copy()
    holed[[2, 5]] = np.nan
    with pytest.raises(ValueError, match="X has 9 rows, Y has 8"):
        measure(X, X[:8])
    with pytest.raises(ValueError, match="at least 2 samples in X and Y, got 1"):
        measure(X[:1], X[:1])
    with pytest.raises(ValueError, match=r"Y must be finite; these rows hold NaN or infinity: 2, 5\."):
        measure(X, holed)
    with pytest.raises(ValueError, match=r"X must have one row a sample .* got shape \(9,\)"):
        measure(X[:, 0], X)
    with pytest.raises(ValueError, match=r"got shape \(9, 2, 1\)"):
        measure(X, X[..., None])
    with pytest.raises(ValueError, match="'Y' must hold numbers"):
        measure(X, np.full((9, 2), "a"))


@pytest.mark.parametrize("measure", [mmd, normalised_gap, modality_probe, retrieval])
def test_measures_in_one_space_want_one_width(draw, measure):
    """And name those that do not."""
    with pytest.raises(ValueError, match=r"X has 2 features, Y has 3.*linear_cka"):
        measure(draw.normal(size=(9, 2)), draw.normal(size=(9, 3)))
