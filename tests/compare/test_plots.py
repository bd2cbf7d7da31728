"""Every picture draws any number of methods and modalities, says its units, and refuses what it cannot draw."""

import re
import sys
import xml.etree.ElementTree as ET

import frames
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from plait import Modalities
from plait.compare import plots

MANY = {f"a method with a name of great length, number {place}": "fusion" for place in range(30)}
ONE = {"majority": "baseline"}

PICTURES = {
    "scores": lambda kinds, **to: plots.plot_scores(frames.scores(kinds), "accuracy", **to),
    "ranks": lambda kinds, **to: plots.plot_critical_difference(frames.ranks(tuple(kinds)), **to),
    "ledger": lambda kinds, **to: plots.plot_ledger(frames.ledger(tuple(kinds)), **to),
    "rho": lambda kinds, **to: plots.plot_rho(frames.rho(len(kinds), 0), **to),
    "confusion": lambda kinds, **to: plots.plot_confusion(frames.confusion(tuple(kinds)), **to),
    "reliability": lambda kinds, **to: plots.plot_reliability(frames.reliability(tuple(kinds)), **to),
    "rejection": lambda kinds, **to: plots.plot_rejection(frames.rejection(tuple(kinds)), **to),
    "learning": lambda kinds, **to: plots.plot_learning_curve(frames.learning_curve(tuple(kinds)), **to),
    "missingness": lambda kinds, **to: plots.plot_missingness(frames.presence(len(kinds)), **to),
    "pairs": lambda kinds, **to: plots.plot_pairs(frames.pairs(("always there", *kinds), 0.2), **to),
    "redundancy": lambda kinds, **to: plots.plot_redundancy(frames.redundancy(("always there", *kinds)), **to),
}
EVERY = pytest.mark.parametrize("draw", PICTURES.values(), ids=PICTURES)


@EVERY
@pytest.mark.parametrize("kinds", [ONE, MANY], ids=["one", "many"])
def test_any_number_fits_into_the_figure(draw, kinds):
    """One method or thirty with long names: no letter leaves the picture, which is made for 400 pixels of width."""
    ax = draw(kinds)
    ax.figure.draw_without_rendering()
    left, bottom, right, top = ax.get_tightbbox().extents
    assert left >= -1
    assert bottom >= -1
    assert right <= ax.figure.bbox.width + 1
    assert top <= ax.figure.bbox.height + 1


@EVERY
def test_given_axes_are_used_and_no_window_is_opened(draw):
    """The same Axes come back, small as they are; pyplot knows of none."""
    ax = Figure(figsize=(3, 2)).add_subplot()
    assert draw(frames.KINDS, ax=ax) is ax
    ax.figure.draw_without_rendering()
    pyplot = sys.modules.get("matplotlib.pyplot")
    assert pyplot is None or pyplot.get_fignums() == []


@pytest.mark.parametrize(
    ("draw", "table"),
    [
        (lambda table: plots.plot_scores(table, "accuracy"), frames.scores()),
        (plots.plot_ledger, frames.ledger()),
        (plots.plot_rho, frames.rho()),
        (plots.plot_confusion, frames.confusion()),
        (plots.plot_reliability, frames.reliability()),
        (plots.plot_rejection, frames.rejection()),
        (plots.plot_learning_curve, frames.learning_curve()),
        (plots.plot_missingness, frames.presence()),
        (plots.plot_pairs, frames.pairs()),
        (plots.plot_redundancy, frames.redundancy()),
    ],
)
def test_an_empty_table_is_refused_and_unknown_numbers_are_not(draw, table):
    """The error says what is expected; a table that is all NaN is drawn, without its dots."""
    with pytest.raises(ValueError, match=r"Expected .*(no row|got none)"):
        draw(table.iloc[:0])
    numbers = table.select_dtypes(float).columns
    draw(table.assign(**dict.fromkeys(numbers, np.nan))).figure.draw_without_rendering()


def test_no_rank_is_refused():
    """There has to be a method."""
    with pytest.raises(ValueError, match="at least one method"):
        plots.plot_critical_difference(frames.ranks(()))


def test_lacking_columns_are_named():
    """What is needed, and what came."""
    with pytest.raises(ValueError, match=r"with the columns method, train, .*got the columns method, mean"):
        plots.plot_learning_curve(frames.learning_curve()[["method", "mean"]])


def names(ax):
    """Names of the rows from the top."""
    assert ax.yaxis_inverted()
    return [label.get_text() for label in ax.get_yticklabels()]


@pytest.mark.parametrize(("metric", "better"), [("accuracy", "greater"), ("log_loss", "smaller")])
def test_scores_have_the_best_on_top(metric, better):
    """The last method is the best by either metric, and the axis says which end is good."""
    ax = plots.plot_scores(frames.scores(), metric)
    assert names(ax) == list(frames.KINDS)[::-1]
    assert f"{better} is better" in ax.get_xlabel()


def test_scores_tell_kinds_apart_and_mark_the_best_single_modality():
    """A legend entry a kind, and a dashed line at the best single modality."""
    ax = plots.plot_scores(frames.scores(), "accuracy")
    assert {text.get_text() for text in ax.get_legend().get_texts()} == {"baseline", "single modality", "fusion"}
    dashed = [line for line in ax.lines if line.get_linestyle() == "--"]
    assert [line.get_xdata()[0] for line in dashed] == [0.52]


def test_what_is_far_off_becomes_an_arrow_and_what_failed_a_word():
    """A poor baseline does not squeeze the fusions into a corner."""
    table = frames.failed(frames.scores(), "early", "out of memory")
    table.loc[(table["method"] == "majority"), ["mean", "low", "high"]] = 0.1
    ax = plots.plot_scores(table, "accuracy")
    assert [text.get_text() for text in ax.texts] == ["← 0.100", "failed"]
    assert ax.get_xlim()[0] > 0.4
    assert names(ax)[-1] == "early"


def test_an_unknown_metric_is_refused():
    """With those there are."""
    with pytest.raises(ValueError, match=r"one of accuracy, log_loss; got 'auc'"):
        plots.plot_scores(frames.scores(), "auc")


def test_ranks_have_bars_for_what_cannot_be_told_apart():
    """Two groups of neighbours share a column of bars; the length of the critical difference is written."""
    ax = plots.plot_critical_difference(frames.ranks())
    assert [line.get_ydata().tolist() for line in ax.lines] == [[-0.25, 1.25], [2.75, 4.25]]
    assert len({line.get_xdata()[0] for line in ax.lines}) == 1
    assert "critical difference 1.50" in [text.get_text() for text in ax.texts]


def test_the_ledger_has_three_panels_of_bars():
    """Alone, gain and Shapley value of each modality."""
    ax = plots.plot_ledger(frames.ledger())
    bars = [[bar.get_width() for bar in panel.patches if bar.get_height() == 0.6] for panel in ax.child_axes]
    assert [panel.get_label() for panel in ax.child_axes] == ["alone", "gain", "shapley"]
    assert bars == [[0.8, 0.8], [0.05, 0.05], [0.3, 0.3]]


def test_a_ledger_of_several_metrics_wants_to_know_which():
    """None is no answer then."""
    with pytest.raises(ValueError, match="accuracy, log_loss"):
        plots.plot_ledger(frames.ledger(metrics=frames.METRICS))


def test_the_chosen_rho_is_marked():
    """A star at its loss, and its value in the legend."""
    ax = plots.plot_rho(frames.rho(5, 2))
    star = next(line for line in ax.lines if line.get_marker() == "*")
    assert star.get_ydata().tolist() == [0.3]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["chosen: rho = 0.2"]


def test_confusion_is_coloured_by_the_share_of_the_true_class():
    """Eight of ten on the diagonal; counts stand in the cells."""
    ax = plots.plot_confusion(frames.confusion())
    np.testing.assert_allclose(np.diag(ax.collections[0].get_array()), 0.8)
    assert [text.get_text() for text in ax.texts][:2] == ["8", "1"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("predicted class", "true class")


def test_reliability_leaves_out_empty_bins():
    """Four of five bins, a dot each, with an area that grows with the share."""
    ax = plots.plot_reliability(frames.reliability())
    assert [len(line.get_xdata()) for line in ax.lines] == [2, 4, 4]
    assert {len(dots.get_offsets()) for dots in ax.collections} == {4}


def test_reliability_leaves_out_bins_that_say_little():
    """A bin with less than a hundredth of the samples has neither a dot nor a corner of the curve."""
    table = frames.reliability(("late",))
    table.loc[1:2, "share"] = [0.009, 0.01]
    ax = plots.plot_reliability(table)
    assert ax.lines[1].get_xdata().tolist() == [0.5, 0.7, 0.9]
    assert len(ax.collections[0].get_offsets()) == 3


INSIDE = {name: PICTURES[name] for name in ("reliability", "rejection", "learning")}


@pytest.mark.parametrize("draw", INSIDE.values(), ids=INSIDE)
def test_the_legend_of_given_axes_covers_no_neighbour(draw):
    """Eleven methods in one of two small Axes: the legend stays inside."""
    figure = Figure(figsize=(6, 3), layout="constrained")
    ax = draw(dict(list(MANY.items())[:11]), ax=figure.subplots(1, 2)[0])
    figure.draw_without_rendering()
    legend, inside = ax.get_legend().get_window_extent(), ax.get_window_extent()
    assert inside.x0 <= legend.x0 < legend.x1 <= inside.x1
    assert inside.y0 <= legend.y0 < legend.y1 <= inside.y1


def test_rejection_shows_each_uncertainty_between_its_references():
    """By hand: a perfect measure falls with the oracle, chance stays; both references are grey and named."""
    ax = plots.plot_rejection(frames.rejection(("perfect",)), "error rate")
    lines = {line.get_label(): line for line in ax.lines}
    assert list(lines) == ["perfect", "by lot", "by the loss (oracle)"]
    perfect, lot, oracle = (line.get_ydata() for line in lines.values())
    assert perfect[:6] == pytest.approx([5 / 20, 4 / 19, 3 / 18, 2 / 17, 1 / 16, 0])
    assert (perfect == oracle).all()
    assert (lot == 1 / 4).all()
    assert lines["perfect"].get_xdata()[:2].tolist() == [0, 1 / 20]
    assert lines["by lot"].get_color() == lines["by the loss (oracle)"].get_color() != lines["perfect"].get_color()
    assert ax.get_ylabel() == "error rate of the samples kept"


def test_learning_curves_over_a_wide_range_are_logarithmic():
    """10 to 100 samples are, 10 to 40 are not."""
    assert plots.plot_learning_curve(frames.learning_curve()).get_xscale() == "log"
    assert plots.plot_learning_curve(frames.learning_curve(sizes=(10, 40))).get_xscale() == "linear"


def test_missingness_counts_the_patterns():
    """Two samples have both, one has the first alone; the container and its table give the same."""
    X = Modalities({"age": [1.0, 2.0, 3.0], "sex": [1.0, 0.0, None]})
    for given in (X, pd.DataFrame(X.present, columns=["age", "sex"])):
        counts, dots = plots.plot_missingness(given).child_axes
        assert [bar.get_height() for bar in counts.patches] == [2, 1]
        assert [line.get_ydata().tolist() for line in dots.lines] == [[0, 1], [0]]
        assert names(dots) == ["age (100%)", "sex (67%)"]


def test_pairs_stand_from_the_best_with_signs_where_significant():
    """Five methods: numbers; bold but for neighbours, which cannot be told apart; the matrix is antisymmetric."""
    ax = plots.plot_pairs(frames.pairs(), "accuracy")
    assert names(ax) == [f"{name}  {place}" for place, name in enumerate(reversed(frames.KINDS), 1)]
    values = np.ma.filled(ax.collections[0].get_array(), 0.0)
    np.testing.assert_allclose(values, -values.T)
    assert [text.get_text() for text in ax.texts[:2]] == ["+.010", "+.020"]
    assert [text.get_fontweight() for text in ax.texts[:2]] == ["normal", "bold"]


def inside_figure(ax):
    """Whether no letter of any Axes, the key among them, is cut at the edge of the picture."""
    figure = ax.figure
    boxes = [one.get_tightbbox().extents for one in figure.axes]
    return min(np.min(boxes, axis=0)[:2]) >= -1 and (np.max(boxes, axis=0)[2:] <= figure.bbox.max + 1).all()


def test_numbers_of_pairs_do_not_touch_and_the_key_is_not_cut():
    """Six and eight methods with long names: letters keep off the edges of their cells."""
    for count in (6, 8):
        ax = plots.plot_pairs(frames.pairs(tuple(MANY)[:count]), "balanced_accuracy")
        ax.figure.draw_without_rendering()
        cell = ax.get_window_extent().width / count
        assert max(text.get_window_extent().width for text in ax.texts) < 0.97 * cell
        assert inside_figure(ax)


def test_many_pairs_have_signs_only():
    """Twenty methods: nothing is written where chance may be the reason."""
    ax = plots.plot_pairs(frames.pairs(tuple(f"method {place}" for place in range(20))))
    assert {text.get_text() for text in ax.texts} == {"+", "\N{MINUS SIGN}"}


def test_redundancy_is_symmetric():
    """The interval stands below the value."""
    ax = plots.plot_redundancy(frames.redundancy())
    assert {text.get_text() for text in ax.texts} == {"0.40\n[0.30, 0.50]"}
    assert len(ax.texts) == 6


def test_redundancy_numbers_the_columns_of_long_names():
    """Names of 150 letters lose their middle at the left and stand nowhere upright; the figure stays flat."""
    long = [f"{name}{'-' * 140}{name}" for name in ("audio", "motion", "text")]
    ax = plots.plot_redundancy(frames.redundancy(long))
    ax.figure.draw_without_rendering()
    assert [label.get_text() for label in ax.get_xticklabels()] == ["1", "2", "3"]
    assert all(re.fullmatch(r"(\w+)-+…-*\1  \d", name) for name in names(ax))
    assert ax.figure.get_figheight() < 3
    assert inside_figure(ax)


def test_svg_is_text_that_can_be_searched_and_is_always_the_same():
    """No date, no script, no other file; letters are text."""
    first, second = (plots.svg(plots.plot_ledger(frames.ledger()), label="a < b") for _ in range(2))
    assert first == second
    root = ET.fromstring(first)
    assert root.get("aria-label") == "a < b"
    assert "audio" in "".join(root.itertext())
    assert "metadata" not in first


def test_ids_of_two_pictures_differ_and_references_resolve():
    """Whatever is referred to is there, and nothing twice, in one page."""
    found = [plots.svg(plots.plot_rho(frames.rho())), plots.svg(plots.plot_confusion(frames.confusion()), "other")]
    ids = [re.findall(r'\bid="([^"]+)"', text) for text in found]
    assert len(set(ids[0] + ids[1])) == len(ids[0]) + len(ids[1])
    for known, text in zip(ids, found, strict=True):
        assert set(re.findall(r'url\(#([^)]+)\)|href="#([^"]+)"', text)[0]) - {""} <= set(known)
