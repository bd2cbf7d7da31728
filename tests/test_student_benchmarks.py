"""What the benchmark of many students measures, and what it draws."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from benchmarks.__main__ import main
from benchmarks.cohorts import TINY
from benchmarks.growth_picture import plot_growth
from benchmarks.literal import LiteralStudent
from benchmarks.one_by_one import Beside, trained
from benchmarks.one_fit import PARTS, Fit, measured
from benchmarks.steps import multiply_adds
from benchmarks.students import by_growth, power

from plait.nn.cohort import Cohort


@pytest.fixture(scope="module")
def found():
    """A fit of four students that validates by folds."""
    return measured(Fit(4, 40, "drawn", folds=2, epochs=1, threads=1))


def test_a_fit_counts_its_students_and_scores_on_other_samples(found):
    """As many networks as asked for, parameters of all copies, and a score of samples that nothing was fitted on."""
    assert (found.networks, found.heads, found.epochs) == (4, 8, 1)
    assert found.parameters % 2 == 0
    assert found.parameters > 2 * 4 * (6 * 128 + 128 * 64)
    assert 0.5 < found.score <= 1


def test_the_parts_of_a_fit_are_within_it(found):
    """Each takes some time, all together not more than the fit."""
    assert set(found.parts) == set(PARTS)
    assert min(found.parts.values()) > 0
    assert sum(found.parts.values()) < found.seconds


def test_multiply_adds_of_a_step_are_counted():
    """One linear student of 5 values and 3 classes without hidden layers: forward, and the slopes of 15 weights."""
    plan = TINY.plan()
    single = [one for one in plan.students if one.name == "m1:identity"]
    linear = type(plan)(plan.spec, tuple(single), hidden=())
    assert multiply_adds(linear, 10) == 2 * 10 * 5 * 3


def test_a_plain_network_learns_and_stops():
    """Classes that one value tells apart are learned; without progress for 15 epochs training ends."""
    plan = TINY.plan()
    single = tuple(one for one in plan.students if one.name == "m1:identity")
    student = LiteralStudent(Cohort(type(plan)(plan.spec, single, hidden=(8,))), 0)
    classes = torch.arange(90) % 3
    features = {"m1/identity": torch.nn.functional.one_hot(classes, 5).float()}
    assert 15 < trained(student, features, classes) <= 100
    assert (student(features).argmax(1) == classes).all()


@pytest.mark.parametrize("exponent", [0.0, 1.0, 2.5])
def test_the_power_of_growth_is_found(exponent):
    """Of values that are one exactly."""
    sizes = np.array([16, 100, 500])
    assert power(sizes, 3 * sizes**exponent) == pytest.approx(exponent)


def test_growth_in_proportion_is_a_line_through_nothing(capsys, found):
    """Fits whose time and memory are in proportion to their students: powers of 1, and a line without a start."""

    def measure(fit):
        return replace(found, seconds=0.5 * fit.students, peak=2.0 * fit.students)

    growth = by_growth("Made up", "students", {"all": [Fit(n) for n in (16, 32, 64)]}, measure)
    assert growth["megabytes"].tolist() == [32, 64, 128]
    last = capsys.readouterr().out.strip().splitlines()[-1]
    assert [cell.strip() for cell in last.split("|")[2:4]] == ["1.00", "1.00"]
    assert "| 1.000 |" in last


def test_growth_is_drawn_in_two_panels():
    """Every series in both, beside growth in proportion, on logarithmic axes."""
    rows = [("one", 10, 1, 5), ("one", 100, 10, 6), ("two", 10, 2, 50), ("two", 100, 3, 600)]
    growth = pd.DataFrame(rows, columns=["series", "rows", "seconds", "megabytes"])
    panels = plot_growth(growth, "rows", "training samples").axes
    assert len(panels) == 2
    for ax, last in zip(panels, (10, 6), strict=True):
        drawn = {line.get_label(): line.get_ydata() for line in ax.lines}
        assert set(drawn) == {"one", "two", "in proportion"}
        assert drawn["in proportion"].tolist() == pytest.approx([last / 10, last])
        assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")


def test_tables_are_printed_and_pictures_written(capsys, tmp_path, monkeypatch, found):
    """One of each kind; a fit with a comparison gets two tables more."""
    beside = Beside(
        alone=[1.0, 3.0], epochs=[20, 40], step=0.2, products=0.08, adam=0.02, multiply_adds=1, parameters=1
    )
    monkeypatch.setattr(
        "benchmarks.__main__.measured", lambda fit: replace(found, beside=beside if fit.alone else None)
    )
    main(["--quick", "--only", "students", "--pictures", str(tmp_path)])
    printed = capsys.readouterr().out
    assert printed.count("\n### ") == 8
    assert f"| 4 | 8 | {found.parts['networks']:.1f} |" in printed  # four networks of two seconds
    assert "| 200 | 80 | 0 | 20 | 0.0 | 2.00 |" in printed
    assert {path.name for path in tmp_path.iterdir()} == {"students.svg", "rows.svg"}
    assert (tmp_path / "rows.svg").read_text().startswith("<svg ")
