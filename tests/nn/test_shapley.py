"""Shapley values: known games, the axioms and the definition by orders of arrival."""

from itertools import combinations, permutations

import numpy as np
import pytest

from plait.nn.shapley import shapley_values


def _subsets(names):
    return [frozenset(chosen) for size in range(len(names) + 1) for chosen in combinations(names, size)]


def _random_game(names, seed):
    random = np.random.default_rng(seed)
    return {subset: random.normal() for subset in _subsets(names)}


def _by_orders_of_arrival(worth, names):
    gains = {name: [] for name in names}
    for order in permutations(names):
        for place, name in enumerate(order):
            gains[name].append(worth[frozenset(order[: place + 1])] - worth[frozenset(order[:place])])
    return {name: np.mean(values) for name, values in gains.items()}


def test_two_players_split_what_they_gain_together():
    """Each gets its own worth and half of the surplus: 0.6 + 0.05 and 0.2 + 0.05 above 0."""
    worth = {frozenset(): 0.0, frozenset("a"): 0.6, frozenset("b"): 0.2, frozenset("ab"): 0.9}
    assert shapley_values(worth, ["a", "b"]) == pytest.approx({"a": 0.65, "b": 0.25})


def test_gloves_of_three_players():
    """One left and two right gloves: the owner of the left one gets 2/3, the others 1/6 each."""
    worth = {subset: float("left" in subset and len(subset) > 1) for subset in _subsets(["left", "r1", "r2"])}
    assert shapley_values(worth, ["left", "r1", "r2"]) == pytest.approx({"left": 2 / 3, "r1": 1 / 6, "r2": 1 / 6})


def test_a_single_player_gets_its_gain_over_the_empty_set():
    """With one modality the value is worth(all) - worth(empty)."""
    assert shapley_values({frozenset(): 0.5, frozenset("a"): 0.8}, ["a"]) == pytest.approx({"a": 0.3})


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 6])
def test_equals_the_mean_gain_over_all_orders_of_arrival(count):
    """The bitmask formula is the definition by permutations on random games."""
    names = [f"m{number}" for number in range(count)]
    worth = _random_game(names, seed=count)
    assert shapley_values(worth, names) == pytest.approx(_by_orders_of_arrival(worth, names))


def test_values_sum_to_the_worth_of_all_over_the_empty_set():
    """Efficiency, also at the largest number of players."""
    names = [f"m{number}" for number in range(12)]
    worth = _random_game(names, seed=0)
    expected = worth[frozenset(names)] - worth[frozenset()]
    assert sum(shapley_values(worth, names).values()) == pytest.approx(expected)


def test_a_player_that_never_adds_gets_zero_and_twins_get_the_same():
    """Dummy and symmetry."""
    base = _random_game(["a", "b"], seed=1)
    worth = {
        subset: base[subset & {"a"}] + 0.3 * len(subset & {"twin1", "twin2"}) ** 2
        for subset in _subsets(["a", "twin1", "twin2", "idle"])
    }
    values = shapley_values(worth, ["a", "twin1", "twin2", "idle"])
    assert values["idle"] == pytest.approx(0)
    assert values["twin1"] == pytest.approx(values["twin2"]) == pytest.approx(0.6)


def test_values_come_in_the_order_of_the_names():
    """The order of the names is the order of the answer and changes no value."""
    worth = _random_game(["a", "b", "c"], seed=2)
    turned = shapley_values(worth, ["c", "a", "b"])
    assert list(turned) == ["c", "a", "b"]
    assert turned == pytest.approx(shapley_values(worth, ["a", "b", "c"]))


@pytest.mark.parametrize("names", [[], [f"m{number}" for number in range(13)]])
def test_no_or_too_many_names_are_refused_with_advice(names):
    """2^13 evaluations are refused before any is looked up."""
    with pytest.raises(ValueError, match=r"1 to 12 names.*Join modalities"):
        shapley_values({}, names)


def test_an_absent_subset_is_named():
    """A game without the empty set is no game."""
    worth = {frozenset("a"): 1.0, frozenset("b"): 1.0, frozenset("ab"): 1.0}
    with pytest.raises(ValueError, match=r"all 4 subsets.*first is \[\]"):
        shapley_values(worth, ["a", "b"])


def test_a_name_that_is_there_twice_is_refused():
    """Two players of one name could not be told apart."""
    with pytest.raises(ValueError, match="distinct names"):
        shapley_values({}, ["a", "a"])
