"""Pictures of findings show what the tables say, for any depths and names, and nothing in them overlaps."""

import sys
from functools import cache

import numpy as np
import pytest
from made_findings import SIX, made, without_bounds
from matplotlib.colors import to_hex
from matplotlib.text import Text

from plait.drawing.vector import svg
from plait.skew import report
from plait.skew.findings import Findings

LONG = "accelerometer of the left wrist, 100 Hz & <raw>"
SHAPES = {
    "six": ({"depths": SIX}, (("image", 5, "text", 2),)),
    "twelve": ({"depths": {"image": 12, "text": 12}}, (("image", 9, "text", 4),)),
    "uneven": ({"depths": {"image": 10, "text": 4}}, (("image", 9, "text", 4),)),
    "wide": ({"depths": {"image": 4, "text": 10}}, (("image", 4, "text", 7),)),
    "three": ({"depths": {"image": 6, "sound": 6, "text": 6}}, (("image", 5, "text", 2),)),
    "long": ({"depths": {LONG: 6, "$x$ and $y": 6}}, ((LONG, 5, "$x$ and $y", 2),)),
    "one tap": ({"depths": {"image": 6, "text": 1}}, (("image", 5, "text", 1),)),
    "single taps": ({"depths": {"image": 1, "text": 1}}, (("image", 1, "text", 1),)),
    "deep": ({"depths": {"image": 30, "text": 24}}, (("image", 9, "text", 4),)),
    "none": ({"depths": SIX}, ()),
    "two pairs": (
        {"depths": SIX, "operators": ("outer", "concat")},
        (("image", 5, "text", 2), ("image", 2, "text", 6)),
    ),
}
QUICK = {"three", "long", "one tap"}
"""The hardest; the others are drawn in the slow tests."""
PLOTS = {name: getattr(report, name) for name in report.__all__ if name.startswith("plot_")}
EVERY_PLOT = pytest.mark.parametrize("plot", PLOTS.values(), ids=PLOTS)


@cache
def of_shape(name):
    """Findings of one of the shapes."""
    settings, chosen = SHAPES[name]
    return made(chosen=chosen, **settings)


def boxes(figure):
    """The letters of a picture with their places, in pixels."""
    figure.draw_without_rendering()
    unseen = {label for ax in figure.axes for axis in (ax.xaxis, ax.yaxis) for label in out_of_sight(axis)}
    unseen |= {text for ax in figure.axes if not ax.get_visible() for text in ax.findobj(Text)}
    letters = [text for text in figure.findobj(Text) if text.get_visible() and text.get_text().strip()]
    return [(text.get_text(), text.get_window_extent()) for text in letters if text not in unseen]


def out_of_sight(axis):
    """Labels of ticks beyond the ends of an axis, which are not drawn."""
    low, high = sorted(axis.get_view_interval())
    ticks = [*axis.get_major_ticks(), *axis.get_minor_ticks()]
    return [
        label
        for tick in ticks
        for label in (tick.label1, tick.label2)
        if not low - 1e-9 <= tick.get_loc() <= high + 1e-9
    ]


@EVERY_PLOT
@pytest.mark.parametrize(
    "shape", [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in SHAPES]
)
def test_letters_stay_inside_and_apart(plot, shape):
    """No label leaves the picture or covers another one."""
    figure = plot(of_shape(shape))
    texts, places = zip(*boxes(figure), strict=True)
    low, high = (np.array([getattr(box, end) for box in places]) for end in ("min", "max"))
    outside = (low < -1).any(axis=1) | (high > np.array(figure.bbox.size) + 1).any(axis=1)
    assert not outside.any(), np.array(texts)[outside]
    common = np.minimum(high[:, None], high) - np.maximum(low[:, None], low)
    covering = np.triu(common.min(axis=2) > 2, 1)
    assert not covering.any(), [(texts[a], texts[b]) for a, b in np.argwhere(covering)]
    assert min(text.get_fontsize() for text in figure.findobj(Text)) >= 4.5


def map_of(figure, place=0):
    """The Axes of a map, with those above and beside it: in the order in which they were made."""
    return figure.axes[3 * place : 3 * place + 3]


def filled(ax):
    """The values of the cells of a map."""
    return ax.collections[0].get_array()


def grid_of(findings, column, **where):
    """A column of the pairs as a grid."""
    pairs = findings.pairs
    for name, value in where.items():
        pairs = pairs[pairs[name] == value]
    return pairs.pivot_table(index="i", columns="j", values=column, aggfunc="first").to_numpy(dtype=float)


def cells_under(patch):
    """Which cells the pieces of a path lie in, by the middle of each piece."""
    ends = [piece.mean(axis=0) for piece in patch.get_path().to_polygons(closed_only=False)]
    return {(int(y) + 1, int(x) + 1) for x, y in ends}


def stars(ax):
    """The cells with a star: tap of the rows, tap of the columns."""
    drawn = [line for line in ax.lines if line.get_marker() == "*"]
    return {(int(line.get_ydata()[0]) + 1, int(line.get_xdata()[0]) + 1) for line in drawn}


@pytest.mark.parametrize("shape", ["six", "uneven", "wide"])
def test_the_gain_map_has_its_pairs_in_place(shape):
    """Row i from below, column j from the left: the gains, and a star on the choice alone."""
    findings = of_shape(shape)
    cells, *_ = map_of(report.plot_gain_map(findings))
    assert np.array_equal(filled(cells), grid_of(findings, "gain"))
    assert not cells.yaxis_inverted()
    assert stars(cells) == {SHAPES[shape][1][0][1::2]}


def test_cells_without_support_are_hatched_and_the_set_of_the_best_is_framed():
    """Exactly those of the table, however few or many."""
    findings = of_shape("six")
    cells, *_ = map_of(report.plot_gain_map(findings))
    hatching, _, frame, _ = cells.patches
    supported = grid_of(findings, "supported")
    assert cells_under(hatching) == {(i + 1, j + 1) for i, j in np.argwhere(supported == 0).tolist()}
    assert cells_under(frame) == {(5, 2)}
    everything = Findings.from_tables(findings.tables() | {"pairs": findings.pairs.assign(supported=True)})
    cells, *_ = map_of(report.plot_gain_map(everything))
    assert len(cells.patches) == 2  # the frame alone
    assert sum("+" in text.get_text() or "\N{MINUS SIGN}" in text.get_text() for text in cells.texts) == 36


def test_single_taps_stand_in_line_with_rows_and_columns():
    """The curve above has a dot over the middle of every column, that beside one by every row, on one scale."""
    findings = of_shape("uneven")
    cells, above, beside = map_of(report.plot_gain_map(findings))
    first, second = (findings.taps[findings.taps["modality"] == name] for name in ("image", "text"))
    dots = above.collections[-1].get_offsets(), beside.collections[-1].get_offsets()
    assert np.allclose(dots[0], np.column_stack([second["tap"] - 0.5, second["score"]]))
    assert np.allclose(dots[1], np.column_stack([first["score"], first["tap"] - 0.5]))
    assert above.get_xlim() == cells.get_xlim()
    assert beside.get_ylim() == cells.get_ylim()
    assert above.get_ylim() == beside.get_xlim()
    assert above.get_position().intervalx == pytest.approx(cells.get_position().intervalx)
    assert beside.get_position().intervaly == pytest.approx(cells.get_position().intervaly)


def test_three_modalities_have_a_map_for_every_two():
    """On one scale of colours; the choice stands in its own map; `between` asks for one of them."""
    findings = of_shape("three")
    figure = report.plot_gain_map(findings)
    maps = [map_of(figure, place)[0] for place in range(3)]
    edges = [("image", "sound"), ("image", "text"), ("sound", "text")]
    for ax, (first, second) in zip(maps, edges, strict=True):
        assert [text.get_text() for text in ax.texts][:2] == [f"tap of {first}", f"tap of {second}"]
        assert np.array_equal(filled(ax), grid_of(findings, "gain", first=first, second=second))
    assert len({ax.collections[0].get_clim() for ax in maps}) == 1
    assert [stars(ax) for ax in maps] == [set(), {(5, 2)}, set()]
    alone, *_ = map_of(report.plot_gain_map(findings, between=("sound", "text")))
    assert np.array_equal(filled(alone), filled(maps[2]))


def test_the_chosen_operator_is_drawn_unless_another_is_asked_for():
    """Stars belong to the chosen operator alone."""
    findings = of_shape("two pairs")
    chosen, other = (report.plot_gain_map(findings, operator) for operator in (None, "concat"))
    assert stars(map_of(chosen)[0]) == {(5, 2), (2, 6)}
    assert stars(map_of(other)[0]) == set()
    assert np.allclose(filled(map_of(chosen)[0]) - filled(map_of(other)[0]), 0.1)


def test_without_a_choice_the_operator_of_the_best_pair_is_drawn():
    """There is no star, and the signs do not promise one."""
    figure = report.plot_gain_map(made(chosen=(), operators=("concat", "outer")))
    assert stars(map_of(figure)[0]) == set()
    assert "chosen" not in [text.get_text() for text in figure.legends[0].get_texts()]


@pytest.mark.parametrize("name", ["plot_gain_map", "plot_skew_profile", "plot_density_ladder", "plot_frequency"])
def test_an_operator_that_was_not_searched_is_refused(name):
    """With those that were."""
    with pytest.raises(ValueError, match=r"one that was searched, concat; got 'film'"):
        PLOTS[name](of_shape("six"), operator="film")


@pytest.mark.parametrize("name", ["plot_gain_map", "plot_skew_profile", "plot_frequency", "plot_similarity"])
def test_modalities_that_were_not_searched_are_refused(name):
    """With those that were, in their order."""
    with pytest.raises(ValueError, match=r"one of \('image', 'text'\); got \('text', 'image'\)"):
        PLOTS[name](of_shape("six"), between=("text", "image"))


def curve(ax, label):
    """The line of a legend's entry."""
    (found,) = [box for box in ax.containers if box.get_label() == label]
    return found.lines[0].get_xydata()


def test_the_skew_profile_has_the_best_and_the_mean_of_every_skewness():
    """Sorted by d, with the direction in words; a panel for every two modalities."""
    findings = of_shape("six")
    (ax,) = report.plot_skew_profile(findings).axes
    table = findings.skew.sort_values("d")
    assert np.allclose(curve(ax, "best pair"), table[["d", "best_gain"]])
    assert np.allclose(curve(ax, "mean of all pairs"), table[["d", "mean_gain"]])
    assert ax.get_xlabel().endswith("text deeper  ←   → image deeper")
    assert len(report.plot_skew_profile(of_shape("three")).axes) == 3


def test_the_ladder_has_every_kind_of_set_and_a_star_at_the_choice():
    """Scores against numbers of pairs; the dashed line is the best single tap."""
    findings = of_shape("six")
    (ax,) = report.plot_density_ladder(findings).axes
    window = findings.sets[findings.sets["kind"] == "window"]
    assert np.allclose(curve(ax, "window of one skewness")[:, 1], window["score"])
    assert np.allclose(curve(ax, "window of one skewness")[:, 0], window["size"], atol=0.3)
    (star,) = [line for line in ax.lines if line.get_marker() == "*"]
    assert star.get_ydata()[0] == pytest.approx(0.78)
    dashed = [line.get_ydata()[0] for line in ax.lines if line.get_label() == "best single tap"]
    assert dashed == [0.5]


def test_the_frequencies_are_percent_with_the_shares_of_taps_beside():
    """Two chosen pairs share the draws; every bar stands at its tap."""
    cells, above, beside = map_of(report.plot_frequency(of_shape("two pairs")))
    assert [text.get_text() for text in cells.texts][2:] == ["50", "50"]
    assert [bar.get_height() for bar in above.patches] == [0, 0.5, 0, 0, 0, 0.5]
    assert [bar.get_width() for bar in beside.patches] == [0, 0.5, 0, 0, 0.5, 0]
    assert [round(bar.get_x() + bar.get_width() / 2 + 0.5, 6) for bar in above.patches] == [1, 2, 3, 4, 5, 6]


def test_bars_of_a_map_are_of_its_own_pairs():
    """A tap that is best with a third modality has no bar beside a map that does not show that one."""
    figure = report.plot_frequency(of_shape("three"))
    shares = [[sum(bar.get_height() for bar in map_of(figure, place)[1].patches) for place in range(3)]]
    shares += [[sum(bar.get_width() for bar in map_of(figure, place)[2].patches) for place in range(3)]]
    assert shares == [[0, 1, 0], [0, 1, 0]]  # of image and text, whose pair is the chosen one


@pytest.mark.parametrize("shape", SHAPES)
def test_shares_have_a_scale(shape):
    """Two round values in percent, above and beside."""
    figure = report.plot_frequency(of_shape(shape))
    figure.draw_without_rendering()
    _, above, beside = map_of(figure)
    for axis in (above.yaxis, beside.xaxis):
        low, high = axis.get_view_interval()
        ticks, labels = axis.get_ticklocs(), [label.get_text() for label in axis.get_ticklabels()]
        assert labels == [f"{100 * tick:g}" for tick in ticks]
        assert sum(low < tick <= high for tick in ticks) == len(ticks) == 2


def test_similarity_says_how_it_goes_with_the_gain():
    """A map that rises where the gain does has rank correlation 1; values have no disagreement."""
    findings = of_shape("six")
    alike = findings.similarity.assign(cka=findings.pairs["gain"], disagreement=-findings.pairs["gain"])
    figure = report.plot_similarity(Findings.from_tables(findings.tables() | {"similarity": alike}))
    titles = [map_of(figure, place)[0].get_title(loc="left") for place in range(2)]
    assert titles == [
        "linear CKA, debiased\nrank correlation with the gain: +1.000",
        "disagreement: one head alone is right\nrank correlation with the gain: \N{MINUS SIGN}1.000",
    ]
    values = findings.similarity.assign(disagreement=np.nan)
    figure = report.plot_similarity(Findings.from_tables(findings.tables() | {"similarity": values}))
    assert sum(bool(ax.get_title(loc="left")) for ax in figure.axes) == 1


def test_baselines_have_the_choice_on_top_and_then_the_best():
    """The same rows at both sides; of the choice there is no difference to itself."""
    scores, ahead = report.plot_baselines(of_shape("six")).axes
    names = [label.get_text() for label in scores.get_yticklabels()]
    assert names[:3] == ["chosen", "random pair", "all taps"]
    assert names[-1] == "best tap of image"
    assert scores.yaxis_inverted()
    assert sum(len(box.lines[0].get_xydata()) for box in scores.containers) == len(names)
    assert sum(len(box.lines[0].get_xydata()) for box in ahead.containers) == len(names) - 1


def test_baselines_without_test_rows_are_refused():
    """There is nothing to draw, and the error says so."""
    with pytest.raises(ValueError, match="no row"):
        report.plot_baselines(made(tested=False), tested=True)


@EVERY_PLOT
def test_what_is_not_known_is_left_out(plot):
    """Without bounds, CKA or disagreement, or with half of the pairs tried, the pictures are still drawn."""
    findings = without_bounds(of_shape("six"))
    tables = findings.tables() | {"pairs": findings.pairs.iloc[::2]}
    plot(Findings.from_tables(tables)).draw_without_rendering()


@EVERY_PLOT
def test_no_window_is_opened_and_letters_stay_letters(plot):
    """pyplot knows of no figure; as SVG, names can be searched, and a dollar is a dollar."""
    text = svg(plot(of_shape("long")))
    pyplot = sys.modules.get("matplotlib.pyplot")
    assert pyplot is None or pyplot.get_fignums() == []
    assert "<text" in text
    assert "<raw>" not in text
    if plot is not report.plot_density_ladder:
        assert "$x$ and $y" in text


def test_kinds_differ_in_more_than_colour():
    """Every kind of set and baseline has a marker of its own, every curve too."""
    for plot in (report.plot_density_ladder, report.plot_skew_profile, report.plot_baselines):
        drawn = [box.lines[0] for box in plot(of_shape("six")).axes[0].containers]
        assert len(drawn) > 1
        assert len({line.get_marker() for line in drawn}) == len(drawn)
        assert all(to_hex(line.get_color()) in {"#004488", "#ddaa33", "#bb5566", "#767676"} for line in drawn)
