"""The benchmarks run; what they measure is no matter of a test."""

import pytest
import torch
from benchmarks.__main__ import main
from benchmarks.cohorts import CASES, SETTING_2_2, random_batch, resized
from benchmarks.heartbeats import TimedStep, some_beats
from benchmarks.step_block import BareLayer, FullLayer, Steps, TwoLayers, parameters
from benchmarks.timing import ratios, spread

from plait.nn.cohort import Cohort


def test_every_table_is_printed(capsys):
    """A quick run of all sections, each with a table that has a row under its header."""
    main(["--quick"])
    tables = capsys.readouterr().out.split("\n### ")[1:]
    words = (
        "literal",
        "limit",
        "students",
        "rhos",
        "Threads",
        "whole fit",
        "default fit",
        "Guided",
        "More steps",
        "longer",
        "beats",
    )
    assert all(any(word in one.splitlines()[0] for one in tables) for word in words)
    assert all(one.count("\n|") >= 3 for one in tables)


def test_one_section_runs_alone(capsys):
    """`--only` leaves the others out."""
    main(["--quick", "--only", "time"])
    assert capsys.readouterr().out.count("\n### ") == 1


@pytest.mark.parametrize(("place", "students", "parameters"), [(0, 24, 7129956), (1, 24, 3016824), (2, 100, 1403280)])
def test_the_cohorts_are_those_of_the_specification(place, students, parameters):
    """As many students and parameters as it counts (sections 7.2 and 8.1)."""
    cohort = Cohort(CASES[place].plan())
    assert cohort.count == students
    assert sum(parameter.numel() for parameter in cohort.parameters()) == parameters


@pytest.mark.parametrize("count", [6, 24, 60])
def test_a_cohort_of_another_size_reads_the_same(count):
    """So many students, all of them able to read a batch for the whole cohort."""
    plan = resized(SETTING_2_2.plan(), count)
    batch = random_batch(SETTING_2_2.plan(), 3)
    assert Cohort(plan)(batch.features, batch.present).shape == (count, 3, 1)


def test_spreads_are_medians_within_their_range():
    """Three digits of the median, the least and the greatest."""
    assert spread(ratios([2.0, 9.0, 4.0], [1.0, 3.0, 1.0])) == "3 (2 to 4)"


@pytest.mark.parametrize(("steps", "layer"), [(1, BareLayer), (2, FullLayer)])
def test_steps_and_layers_of_about_as_many_parameters_are_compared(steps, layer):
    """One step beside two bare layers, two steps beside two full ones, within 15 %; by the specification (3.11)."""
    ours, theirs = parameters(Steps(steps, 128, 0.0)), parameters(TwoLayers(layer, 128, 0.0))
    assert 0.85 < ours / theirs < 1
    assert abs(ours / steps - 116_288) < 300


def test_a_step_in_parts_is_the_same_step():
    """Cut where parts meet, it moves the weights to the same place; every part is timed."""
    beats = some_beats(8, drawn=True)
    whole, apart = TimedStep(beats, {}), TimedStep(beats, {})
    apart.net.load_state_dict(whole.net.state_dict())
    for step in (whole.whole, apart.parts):
        torch.manual_seed(0)
        step()
    for one, other in zip(whole.net.parameters(), apart.net.parameters(), strict=True):
        assert torch.allclose(one, other, atol=1e-5)
    assert len(apart.times) == len(beats.data.names) + 3
