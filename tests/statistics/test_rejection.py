"""Rejection curves: known answers, references, ties in every order, intervals, and what is refused."""

from itertools import permutations

import numpy as np
import pytest

from plait.statistics.rejection import rejection_curves, rejection_table, risk_of_kept

LOSSES = [0.0, 1.0, 0.0, 1.0]


def test_the_risk_by_hand():
    """Samples in the order of their uncertainty have losses 1, 0, 0, 1."""
    assert risk_of_kept(LOSSES, [0.2, 0.1, 0.3, 7.0]).tolist() == [1, 1 / 2, 1 / 3, 1 / 2]


def test_only_the_order_matters():
    """Any increasing function of the uncertainty gives the same, infinity is the last."""
    draw = np.random.default_rng(0)
    losses, values = draw.random(30), draw.random(30)
    expected = risk_of_kept(losses, values)
    assert (risk_of_kept(losses, np.exp(9 * values)) == expected).all()
    values[values.argmax()] = np.inf
    assert (risk_of_kept(losses, values) == expected).all()


def test_equals_are_taken_in_every_order():
    """Two runs of equals: the mean over all 12 orders that they allow."""
    losses, values = np.random.default_rng(0).random(6), np.array([1, 1, 2, 3, 3, 3])
    orders = [list(order) for order in permutations(range(6)) if (np.diff(values[list(order)]) >= 0).all()]
    assert len(orders) == 12
    each = [losses[order].cumsum() / np.arange(1, 7) for order in orders]
    assert risk_of_kept(losses, values) == pytest.approx(np.mean(each, axis=0), abs=1e-15)


def test_curves_go_from_all_samples_to_one_and_have_their_references():
    """By hand; the oracle rejects the greatest losses first, chance keeps the mean."""
    found = rejection_curves(LOSSES, {"doubt": [0.2, 0.1, 0.3, 7.0]}).groupby("uncertainty", sort=False)
    assert list(found.groups) == ["doubt", "oracle", "random"]
    curves = {name: table["risk"].tolist() for name, table in found}
    assert curves == {"doubt": [1 / 2, 1 / 3, 1 / 2, 1], "oracle": [1 / 2, 1 / 3, 0, 0], "random": [1 / 2] * 4}
    assert found.get_group("oracle")["rejected"].tolist() == [0, 0.25, 0.5, 0.75]


def test_areas_and_gains_by_hand():
    """Means of the curves; all of the gain for the oracle's order, none for equals, less than none for the reverse."""
    losses = np.array([0.0, 0.0, 0.0, 1.0])
    doubts = {"right": losses, "none": np.zeros(4), "reverse": -losses}
    table = rejection_table(losses, doubts).set_index("uncertainty")
    assert table["aurc"].to_dict() == pytest.approx({"right": 1 / 16, "none": 1 / 4, "reverse": 25 / 48})
    assert (table["random"] == 1 / 4).all()
    assert (table["oracle"] == 1 / 16).all()
    assert table["gain"].to_dict() == pytest.approx({"right": 1, "none": 0, "reverse": -13 / 9}, abs=1e-15)


def test_the_area_is_the_mean_of_the_curve():
    """With ties, for real losses."""
    draw = np.random.default_rng(0)
    losses, values = draw.random(200), draw.integers(0, 40, 200)
    table, curves = rejection_table(losses, {"doubt": values}), rejection_curves(losses, {"doubt": values})
    means = curves.groupby("uncertainty")["risk"].mean()
    assert table.loc[0, ["aurc", "oracle", "random"]].tolist() == pytest.approx(
        means[["doubt", "oracle", "random"]].tolist(), rel=1e-12
    )


def test_intervals_are_those_of_samples_drawn_again():
    """A sample that is drawn twice stands there twice, as equals: the percentiles of the areas, draw by draw."""
    draw = np.random.default_rng(0)
    losses, values, groups = draw.random(40), draw.integers(0, 9, 40), np.repeat(np.arange(20), 2)
    table = rejection_table(losses, {"doubt": values}, groups, draws=50, random_state=3)
    counts = np.random.default_rng(3).multinomial(20, np.full(20, 1 / 20), size=50)[:, groups]
    drawn = [np.repeat(np.arange(40), row) for row in counts]
    areas = [risk_of_kept(losses[rows], values[rows]).mean() for rows in drawn]
    best, chance = ([f(losses[rows]) for rows in drawn] for f in (lambda x: risk_of_kept(x, x).mean(), np.mean))
    gains = (np.array(chance) - areas) / (np.array(chance) - best)
    assert table.loc[0, ["low", "high"]].tolist() == pytest.approx(np.percentile(areas, [2.5, 97.5]), rel=1e-9)
    assert table.loc[0, ["gain_low", "gain_high"]].tolist() == pytest.approx(np.percentile(gains, [2.5, 97.5]))


def test_an_uncertainty_that_tells_nothing_gains_nothing():
    """Its interval holds 0; that of one that knows the chance of an error lies above."""
    draw = np.random.default_rng(0)
    chance = draw.random(400)
    wrong = draw.random(400) < chance / 2
    table = rejection_table(wrong, {"noise": draw.random(400), "chance": chance}, draws=200).set_index("uncertainty")
    assert table.loc["noise", "gain_low"] < 0 < table.loc["noise", "gain_high"]
    assert table.loc["chance", "gain_low"] > 0.2


def test_where_all_losses_are_equal_there_is_nothing_to_gain():
    """No error at all: the areas are 0, the gain is undefined."""
    row = rejection_table(np.zeros(9), {"doubt": np.arange(9)}, draws=20).loc[0]
    assert row[["aurc", "random", "oracle"]].tolist() == [0, 0, 0]
    assert np.isnan(row["gain"])
    assert np.isnan(row["gain_low"])


@pytest.mark.parametrize(
    ("losses", "doubt", "groups", "message"),
    [
        ([], [], None, "losses must be one finite number a sample"),
        ([[1.0]], [[1.0]], None, r"losses must be .* \(got shape \(1, 1\)\)"),
        ([1.0, np.nan], [1, 2], None, "finite; those of 1 samples are not, first that in row 1"),
        (["a", "b"], [1, 2], None, "losses must be numbers"),
        ([1.0, 0.0], [1], None, r"2 losses, but the uncertainties have shape \(1,\)"),
        ([1.0, 0.0], [1, np.nan], None, r"1 uncertainties are NaN.*Leave them out.*nan=np.inf"),
        ([1.0, 0.0], [1, 2], ["a"], r"2 losses, but the groups have shape \(1,\)"),
    ],
)
def test_what_cannot_be_ranked_is_refused(losses, doubt, groups, message):
    """The error says what came, and of unknown uncertainties what to do."""
    with pytest.raises(ValueError, match=message):
        rejection_table(losses, {"doubt": doubt}, groups)


@pytest.mark.parametrize("name", ["oracle", "random"])
def test_names_of_the_references_are_taken(name):
    """They would be two curves of one name."""
    with pytest.raises(ValueError, match="added as references"):
        rejection_curves(LOSSES, {name: LOSSES})
