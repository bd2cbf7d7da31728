"""Who is moved when."""

import pytest
from small_blocks import block

from plait.nn.step_fusion.schedule import (
    SCHEDULES,
    Turn,
    alternate,
    default_order,
    default_steps,
    parallel,
    planned,
    sequential,
)
from plait.nn.step_fusion.settings import StepSettings


def targets(turns):
    return [turn.targets for turn in turns]


@pytest.mark.parametrize(
    ("modalities", "steps", "expected"),
    [
        (2, 4, [1, 0, 1, 0]),
        (2, 3, [0, 1, 0]),
        (2, 1, [0]),
        (3, 6, [1, 2, 0, 1, 2, 0]),
        (3, 4, [0, 1, 2, 0]),
        (3, 0, []),
    ],
)
def test_targets_take_turns_and_the_first_modality_is_last(modalities, steps, expected):
    """By the default order, a_k = order[(k - 1 + r) mod M] with r = -K mod M."""
    assert targets(alternate(steps, default_order(modalities))) == [(target,) for target in expected]


@pytest.mark.parametrize("steps", range(1, 8))
@pytest.mark.parametrize("order", [(0, 1), (2, 0, 1), (3, 1, 0, 2)])
def test_the_last_step_moves_the_last_of_the_order(order, steps):
    """In turns, whatever the number of steps."""
    assert alternate(steps, order)[-1].targets == (order[-1],)


def test_rounds_count_how_often_a_target_was_moved():
    """Of every schedule; steps are counted from 1."""
    assert alternate(3, (1, 0)) == (Turn(1, 0, (0,)), Turn(2, 0, (1,)), Turn(3, 1, (0,)))
    assert sequential(2, (1, 0)) == (Turn(1, 0, (1,)), Turn(1, 0, (0,)), Turn(2, 1, (1,)), Turn(2, 1, (0,)))
    assert parallel(2, (1, 2, 0)) == (Turn(1, 0, (0, 1, 2)), Turn(2, 1, (0, 1, 2)))


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_two_rounds_by_default(schedule):
    """Each modality is moved twice, in every schedule."""
    turns = planned(["a", "b", "c"], StepSettings(schedule=schedule))
    assert sorted(target for turn in turns for target in turn.targets) == [0, 0, 1, 1, 2, 2]
    assert max(turn.step for turn in turns) == default_steps(schedule, 3)


def test_an_order_is_given_by_names():
    """And weights exist for exactly the pairs of round and target that are used."""
    made = block(3, order=["c", "a", "b"], steps=4)
    assert targets(made.turns) == [(1,), (2,), (0,), (1,)]
    assert [turn.round for turn in made.turns] == [0, 0, 0, 1]
    assert len(made.course.steps) == 4


@pytest.mark.parametrize("order", [["a"], ["a", "a"], ["a", "b", "c"], "ab", ["a", "x"]])
def test_an_order_names_each_modality_once(order):
    """The error says which there are."""
    with pytest.raises(ValueError, match=r"order must name each of the modalities once, for example \['a', 'b'\]"):
        block(order=order)
