"""The cohort map shows every student once, whatever their number, and nothing overlaps."""

import sys

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from plait import FusionRegressor, MetaFusion, Trainer
from plait.compare import plot_cohort

KINDS = ("identity", "pca-20", "encoder-128", "sliced-50", "module", "null")


SEVERAL = ("network", "ridge", "RandomForestClassifier", "quadratic")


def cohort(students, modalities=("audio", "motion"), kinds=("network",)):
    """A table as `cohort_` gives it; the first student is the best and the only teacher, kinds take turns."""
    draw = np.random.default_rng(0)
    reads = {name: draw.choice(KINDS, students) for name in modalities}
    losses = np.linspace(0.2, 1.0, students)
    found = {"kind": np.resize(kinds, students), "validation_loss": losses, "independent_loss": losses + 0.1}
    found["epoch"] = 3.0
    found |= {"teaches": np.arange(students) == 0, "weight": np.eye(students)[0]}
    index = pd.Index([f"student {place}" for place in range(students)], name="student")
    return pd.DataFrame({**reads, **found}, index=index)


def panels(ax):
    """The parts of the map, by name."""
    return {panel.get_label(): panel for panel in ax.child_axes}


def cells(panel):
    """The letters in the cells, from the top row down."""
    return [text.get_text() for text in sorted(panel.texts, key=lambda text: text.get_position()[::-1])]


def boxes(figure, artists):
    """Where artists with something to show stand, in pixels."""
    figure.draw_without_rendering()
    found = [artist.get_window_extent() for artist in artists if artist.get_text() and artist.get_visible()]
    return [box for box in found if box.width > 0]


def all_letters(ax):
    """Every piece of text of the map."""
    texts = [*ax.get_legend().get_texts(), ax._left_title]
    for panel in ax.child_axes:
        texts += [*panel.texts, *panel.get_xticklabels(), panel.title, panel.xaxis.label]
    return texts


@pytest.mark.parametrize("students", [1, 2, 3, 15, 24, 64])
@pytest.mark.parametrize("count", [1, 2, 6])
@pytest.mark.parametrize("kinds", [("network",), SEVERAL], ids=len)
def test_any_number_of_students_and_modalities_without_overlap(students, count, kinds):
    """No two pieces of text share a pixel, and none leaves the figure."""
    names = ["mrna", "methylation", "x", "accelerometer", "clinical_measurements_at_admission", "protein"][:count]
    ax = plot_cohort(cohort(students, names, kinds))
    found = boxes(ax.figure, all_letters(ax))
    assert len(found) >= students * count
    corners = np.array([box.extents for box in found])
    left, bottom, right, top = corners.T
    apart = (left[:, None] >= right) | (right[:, None] <= left) | (bottom[:, None] >= top) | (top[:, None] <= bottom)
    assert (apart | np.eye(len(found), dtype=bool)).all()
    assert left.min() >= 0
    assert bottom.min() >= 0
    assert right.max() <= ax.figure.bbox.width
    assert top.max() <= ax.figure.bbox.height


def test_the_figure_grows_with_the_students():
    """A row keeps its height, so that 64 students stay legible."""
    heights = [plot_cohort(cohort(students)).figure.get_figheight() for students in (3, 15, 24, 64)]
    assert heights == sorted(set(heights))


def test_each_row_says_what_the_student_reads_in_order_of_loss():
    """The best student on top, a dash where a modality is not read."""
    table = cohort(4).iloc[::-1]
    table["audio"], table["motion"] = ["null", "pca-4", "identity", "module"], "null"
    reads = panels(plot_cohort(table))["reads"]
    assert cells(reads) == ["module", "–", "identity", "–", "pca-4", "–", "–", "–"]  # noqa: RUF001
    assert reads.yaxis_inverted()
    assert [label.get_text() for label in reads.get_xticklabels()] == ["audio", "motion", "teaches"]


def test_each_row_says_of_which_kind_the_student_is():
    """Beside its marker; its losses have the same marker and colour, and so has its weight."""
    table = cohort(6, ("audio",), ("network", "ridge")).assign(weight=1 / 6)
    ax = plot_cohort(table)
    reads, loss, weight = panels(ax).values()
    assert cells(reads)[::2] == ["network", "ridge"] * 3
    assert [label.get_text() for label in reads.get_xticklabels()] == ["kind", "audio", "teaches"]
    beside, found = (
        reads.collections[:2],
        [dots for dots in loss.collections if dots.get_label() == "at the chosen rho"],
    )
    for place, (mark, dots) in enumerate(zip(beside, found, strict=True)):
        rows = [place, place + 2, place + 4]
        assert mark.get_offsets()[:, 1].tolist() == dots.get_offsets()[:, 1].tolist() == rows
        np.testing.assert_allclose(dots.get_offsets()[:, 0], table["validation_loss"].iloc[rows])
        assert (mark.get_facecolor() == dots.get_facecolor()).all()
        assert (mark.get_paths()[0].vertices == dots.get_paths()[0].vertices).all()
        bars = [bar for bar in weight.patches if bar.get_y() + bar.get_height() / 2 in rows and bar.get_width() < 1]
        assert {bar.get_facecolor() for bar in bars} == {tuple(dots.get_facecolor()[0])}
    assert len({mark.get_paths()[0].vertices.shape for mark in beside}) == 2


def test_students_of_one_kind_need_no_column_for_it():
    """Nor does a table from before there were kinds: its students are networks."""
    for table in (cohort(3), cohort(3).drop(columns="kind"), cohort(3, kinds=("forest",))):
        reads = panels(plot_cohort(table))["reads"]
        assert [label.get_text() for label in reads.get_xticklabels()] == ["audio", "motion", "teaches"]


def test_more_kinds_than_markers_are_drawn():
    """Markers come again; the names tell them apart."""
    kinds = [f"learner {place}" for place in range(9)]
    assert cells(panels(plot_cohort(cohort(9, ("audio",), kinds)))["reads"])[::2] == kinds


def test_kinds_too_small_for_names_have_a_legend():
    """Beside the losses; the names of the extractors stand below, clear of the losses' axis."""
    figure = Figure(figsize=(7, 4))
    ax = plot_cohort(cohort(64, kinds=SEVERAL), figure.add_subplot())
    loss = panels(ax)["loss"]
    assert [text.get_text() for text in loss.get_legend().get_texts()] == list(SEVERAL)
    assert cells(panels(ax)["reads"]) == []
    figure.draw_without_rendering()
    assert ax.get_legend().get_window_extent().x1 < loss.xaxis.label.get_window_extent().x0


def test_teachers_have_a_star():
    """One star in the row of the only teacher, the best student."""
    stars = panels(plot_cohort(cohort(5)))["reads"].collections[-1]
    assert stars.get_offsets()[:, 1].tolist() == [0]


def test_both_losses_are_shown():
    """A dot at the chosen rho and a ring at rho = 0, one of each a student."""
    table = cohort(5)
    loss = panels(plot_cohort(table))["loss"]
    found = {dots.get_label(): dots.get_offsets()[:, 0] for dots in loss.collections}
    np.testing.assert_allclose(found["at the chosen rho"], table["validation_loss"])
    np.testing.assert_allclose(found["trained alone (rho = 0)"], table["independent_loss"])
    assert loss.get_title() == "validation loss"
    assert "nats" in loss.get_xlabel()


def test_weights_are_bars_with_their_number():
    """Students outside of the ensemble have no bar."""
    table = cohort(4)
    table["weight"] = [0.75, 0.0, 0.25, 0.0]
    weight = panels(plot_cohort(table))["weight"]
    assert [bar.get_width() for bar in weight.patches if bar.get_width() < 1] == [0.75, 0.25]
    assert cells(weight) == [" 0.75", " 0.25"]


def test_a_student_that_was_never_judged_stands_last_without_a_dot():
    """Its loss is infinite; the others keep their scale."""
    table = cohort(3)
    table.iloc[0, table.columns.get_indexer(["validation_loss", "independent_loss"])] = np.inf
    loss = panels(plot_cohort(table))["loss"]
    assert [(text.get_text(), text.get_position()[1]) for text in loss.texts] == [("not judged", 2)]
    assert loss.get_xlim()[1] < 2


@pytest.mark.parametrize(("worst", "scale"), [(2.0, "linear"), (50.0, "log")])
def test_losses_that_are_far_apart_are_drawn_on_a_logarithmic_axis(worst, scale):
    """More than a factor of 20 between the extremes."""
    table = cohort(5)
    table.iloc[4, table.columns.get_loc("validation_loss")] = worst
    assert panels(plot_cohort(table))["loss"].get_xscale() == scale


def test_given_axes_are_used_and_small_ones_leave_letters_out():
    """Colours then have a legend instead."""
    figure = Figure(figsize=(6, 3))
    ax = figure.add_subplot()
    assert plot_cohort(cohort(64), ax) is ax
    assert cells(panels(ax)["reads"]) == []
    kinds = {text.get_text() for text in ax.get_legend().get_texts()}
    assert kinds >= {"identity", "pca", "encoder", "sliced", "module"}
    figure.draw_without_rendering()


def test_without_axes_no_window_is_touched():
    """The figure is not registered with pyplot, which may not even be imported."""
    plot_cohort(cohort(3))
    pyplot = sys.modules.get("matplotlib.pyplot")
    assert pyplot is None or pyplot.get_fignums() == []


def test_a_fitted_cohort_is_drawn(tmp_path):
    """From `cohort_` to a picture file, with three modalities."""
    draw = np.random.default_rng(0)
    X = {name: draw.normal(size=(30, 4)) for name in "abc"}
    method = MetaFusion(("identity", "null"), hidden=(4,), rhos=(0.0,), learners=())
    fitted = FusionRegressor(method, trainer=Trainer(epochs=2), random_state=0).fit(X, draw.normal(size=30))
    ax = plot_cohort(fitted.cohort_)
    assert ax.get_title(loc="left").startswith("Cohort map: 7 students")
    for suffix in ("png", "svg"):
        ax.figure.savefig(tmp_path / f"map.{suffix}")
        assert (tmp_path / f"map.{suffix}").stat().st_size > 1000


def test_a_fitted_cohort_of_several_kinds_is_drawn():
    """Networks and heads in closed form, as the table names them."""
    draw = np.random.default_rng(0)
    X = {name: draw.normal(size=(40, 4)) for name in "ab"}
    method = MetaFusion(("pca-2", "null"), hidden=(4,), rhos=(0.0,), learners=("ridge", "quadratic"))
    fitted = FusionRegressor(method, trainer=Trainer(epochs=2), random_state=0).fit(X, draw.normal(size=40))
    reads = panels(plot_cohort(fitted.cohort_))["reads"]
    by_loss = fitted.cohort_.sort_values("validation_loss", kind="stable")
    assert cells(reads)[::3] == by_loss["kind"].tolist()
    assert set(by_loss["kind"]) == {"network", "ridge", "quadratic"}


def test_a_table_from_a_file_is_drawn_alike(tmp_path):
    """Where the word null comes back as NaN."""
    table = cohort(6)
    table.to_csv(tmp_path / "cohort.csv")
    read = pd.read_csv(tmp_path / "cohort.csv", index_col=0)
    assert read.isna().any(axis=None)
    assert cells(panels(plot_cohort(read))["reads"]) == cells(panels(plot_cohort(table))["reads"])


@pytest.mark.parametrize("table", [cohort(3).drop(columns="teaches"), cohort(3).iloc[:0]])
def test_a_table_that_is_no_cohort_is_refused(table):
    """The error says which table to pass."""
    with pytest.raises(ValueError, match=r"table `cohort_`.*Pass estimator.cohort_"):
        plot_cohort(table)
