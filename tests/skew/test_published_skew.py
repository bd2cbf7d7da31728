"""What is said of the published numbers follows from them, by the code that says it of ours."""

import matplotlib as mpl
import numpy as np
import pytest
from made_findings import made

from plait.skew.findings import Findings
from plait.skew.findings.grid import pairs_table, taps_table
from plait.skew.findings.profile import skew_table
from plait.skew.published import PUBLISHED, load_published
from plait.skew.published.grids import INDICES, grid_evidence, grid_of
from plait.skew.published.statements import (
    additive_residual,
    are_counts,
    counts,
    headline,
    series,
    sides,
    thinning,
    truncated,
)
from plait.skew.report import plot_gain_map, plot_skew_profile
from plait.skew.report.captions import of_ladder
from plait.skew.report.facts import side_means, trend

AVE = 402
DIGITS = {"silhouette": 4, "calinski_harabasz": 1, "davies_bouldin": 3}
"""Decimals with which an index is printed."""
EVERY_INDEX = pytest.mark.parametrize("metric", INDICES)


def rows(name, **where):
    """Rows of a published table."""
    table = load_published(name)
    for column, value in where.items():
        table = table[table[column] == value]
    return table


def cell(metric, row, column, name="grid"):
    """A number of a grid."""
    return grid_of(name, metric)[row - 1, column - 1]


def depth_differences():
    """d of every cell of a grid."""
    return np.subtract.outer(np.arange(12), np.arange(12))


# What is there


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("layers", 144),
        ("sweeps", 68),
        ("skewness", 98),
        ("headlines", 35),
        ("windows", 81),
        ("grid", 432),
        ("second_grid", 432),
    ],
)
def test_every_number_is_there(name, count):
    """As many as were published, none missing, each of a task, a table and a metric."""
    table = load_published(name)
    assert len(table) == count
    assert table.columns[:3].tolist() == ["task", "table", "metric"]
    assert table.columns[-1] == "value"
    assert table["value"].notna().all()
    assert (table["task"].str.split("-").str.len() == 2).all()


def test_names_are_those_of_the_files():
    """One file a name; another name is refused with all of them."""
    assert len(PUBLISHED) == 7
    with pytest.raises(ValueError, match=r"'figures' is no published table. Choose one of: layers, .*second_grid"):
        load_published("figures")


def test_grids_are_whole():
    """Every pair of twelve taps once for each of three indices, with its d."""
    for name in ("grid", "second_grid"):
        table = load_published(name)
        assert not table.duplicated(["metric", "row", "column"]).any()
        assert (table.groupby("metric").size() == 144).all()
        assert (table["d"] == table["row"] - table["column"]).all()


def test_the_series_reach_as_far_as_their_windows():
    """Windows of m pairs of twelve taps have |d| up to 12 - m; single pairs were drawn over the same range."""
    for task, wide in (("text-audio", 5), ("image-text", 5), ("audio-video", 3)):
        for pairs in (wide, 1):
            assert series(task, pairs)["d"].tolist() == list(range(wide - 12, 13 - wide))


# Skewness


@pytest.mark.parametrize(
    ("task", "means"),
    [("text-audio", (70.9, 75.4, 75.3)), ("audio-video", (77.5, 78.8, 80.2)), ("image-text", (62.3, 65.0, 65.0))],
)
def test_one_pair_is_worse_where_the_other_encoder_is_deeper(task, means):
    """Means for d < 0, d = 0, d > 0."""
    assert sides(task, 1)["mean"].round(1).tolist() == list(means)


@pytest.mark.parametrize(
    ("task", "wide", "least", "most"),
    [("text-audio", 5, 4.2, 4.4), ("audio-video", 3, 2.8, 3.3), ("image-text", 5, 2.7, 3.7)],
)
def test_the_sides_differ_by_several_points(task, wide, least, most):
    """The mean for d > 0 minus that for d < 0, of one pair and of windows, spans what is said of it."""
    means = [sides(task, pairs).set_index("side")["mean"] for pairs in (1, wide)]
    found = sorted(round(side["d > 0"] - side["d < 0"], 1) for side in means)
    assert found == [least, most]


@pytest.mark.parametrize(
    ("task", "pairs", "best"),
    [
        ("text-audio", 5, {2}),
        ("text-audio", 1, {2, 3}),
        ("image-text", 1, {2}),
        ("image-text", 5, {4}),
        ("audio-video", 3, {2}),
        ("audio-video", 1, {8}),
    ],
)
def test_the_best_skewness_is_positive(task, pairs, best):
    """The stronger encoder stays deep: the best d of every series, both of them where two tie."""
    own = series(task, pairs)
    assert set(own.loc[own["value"] == own["value"].max(), "d"]) == best


# The comparison


def test_the_comparison_repeats_tables_and_figures():
    """Best taps, late fusion, best windows and best pairs are the maxima of what they are taken from."""
    for task, wide in (("text-audio", 5), ("image-text", 5), ("audio-video", 3)):
        assert headline(task, "best tap") == rows("layers", task=task)["value"].max()
        single, window = series(task, 1).set_index("d")["value"], series(task, wide).set_index("d")["value"]
        assert headline(task, "late") == single[0]
        assert headline(task, "best skew pair") == single.drop(0).max()
        assert headline(task, "best window") == window.drop(0).max()
    s2 = rows("sweeps", task="text-audio")
    assert headline("text-audio", "best skew pair", table="S2") == pytest.approx(100 * s2["value"].max())
    assert s2.loc[s2["value"].idxmax(), ["row", "column"]].tolist() == [12, 8]


@pytest.mark.parametrize(
    ("task", "over", "gain"),
    [
        ("audio-video", "best tap", 8.9),
        ("image-text", "best tap", 1.1),
        ("text-audio", "best tap", 6.2),
        ("text-audio", "late", 0.6),
        ("audio-video", "late", 3.0),
        ("image-text", "late", 1.8),
        ("text-audio", "pairwise", 2.9),
        ("audio-video", "pairwise", 1.3),
        ("image-text", "pairwise", 2.9),
    ],
)
def test_published_gains_follow_from_the_comparison(task, over, gain):
    """The best skew pair over the best tap, late fusion and pairwise fusion."""
    assert headline(task, "best skew pair") - headline(task, over) == pytest.approx(gain)


def test_the_other_run_of_text_audio_gains_as_little_over_late_fusion():
    """Half a point in table S2; and up to 7.2 over the best tap, which is another metric, by the best window."""
    s2 = headline("text-audio", "best skew pair", table="S2") - headline("text-audio", "late", table="S2")
    assert round(s2, 1) == 0.5
    assert headline("text-audio", "best window") - headline("text-audio", "best tap") == pytest.approx(7.2)
    assert set(rows("headlines", task="text-audio")["metric"]) == {"accuracy", "ua"}


@pytest.mark.parametrize(
    ("task", "values", "does"),
    [
        ("text-audio", [73.1, 75.1, 75.4], "rises"),
        ("image-text", [63.9, 63.9, 65.0], "neither"),
        ("audio-video", [80.5, 80.0, 78.8], "falls"),
    ],
)
def test_fewer_pairs_are_better_in_one_task_and_worse_in_another(task, values, does):
    """The ladder at equal depth contradicts the claim of sparsity for audio-video."""
    found = thinning(task)["value"].to_numpy(float)
    assert found.tolist() == values
    assert trend(found) == does


# Pitfalls of tables and figures


def test_audio_video_was_measured_on_402_samples():
    """Every share of the sweeps is a whole number of 402, to its last digit; up to 1000, only of 402 and its double."""
    shares = rows("sweeps", task="audio-video")["value"].to_numpy(float)
    assert [samples for samples in range(100, 1001) if are_counts(shares, samples, 1e-4).all()] == [AVE, 2 * AVE]
    off = np.abs(counts(shares, AVE) / AVE - shares) > 0.5e-4
    assert shares[off].tolist() == [0.811]  # 326 of 402 is .81094..., printed as .8110


def test_single_taps_of_audio_video_are_of_402_samples_too():
    """To the last digit of a percent with one decimal: some are rounded, some cut off."""
    shares = rows("layers", task="audio-video")["value"].to_numpy(float) / 100
    assert are_counts(shares, AVE, 1e-3).all()
    exact = 100 * counts(shares, AVE) / AVE
    assert not np.allclose(exact.round(1), 100 * shares)
    assert not np.allclose(truncated(exact / 100), 100 * shares)


def test_text_audio_has_no_number_of_samples():
    """No denominator from 100 to 6000 gives all its values: a mean of recalls, or of runs."""
    shares = rows("sweeps", task="text-audio")["value"].to_numpy(float)
    assert not [samples for samples in range(100, 6001) if are_counts(shares, samples, 0.5e-4 + 1e-9).all()]


def both(task, pairs=1):
    """Values of a sweep, in percent, beside the bars of a figure, by d."""
    sweep = rows("sweeps", task=task).drop_duplicates(["row", "column"])
    bars = series(task, pairs).set_index("d")["value"]
    sweep = sweep[sweep["d"].isin(bars.index)].set_index("d")["value"]
    return 100 * sweep.sort_index().astype(float), bars


def test_bars_of_audio_video_are_the_table_cut_off():
    """All 19, from whole numbers of 402; the printed shares, already rounded, would give two bars wrongly."""
    table, bars = both("audio-video")
    assert len(table) == len(bars) == 19
    exact = counts(table.to_numpy() / 100, AVE) / AVE
    assert truncated(exact).tolist() == bars.tolist()
    wrong = truncated(table.to_numpy() / 100) != bars.to_numpy()
    assert bars.index[wrong].tolist() == [-1, 4]


def test_figure_and_table_of_text_audio_are_of_different_runs():
    """They agree to .05 for d = -4 to -1 alone, and differ by up to 1.84 points."""
    table, bars = both("text-audio")
    apart = (table - bars).abs().round(2)
    assert apart.index[apart <= 0.05].tolist() == [-4, -3, -2, -1]
    assert apart.max() == 1.84
    assert (headline("text-audio", "late", table="S2"), headline("text-audio", "late")) == (76.06, 75.4)


def test_the_series_of_image_text_are_told_apart_by_the_table():
    """One pair agrees with it for d = -1 to 2 and 4, and nearly for -4 to -2 and 3; windows of five agree nowhere."""
    table, bars = both("image-text")
    apart = (table - bars).abs().round(1)
    assert apart.index[apart == 0].tolist() == [-1, 0, 1, 2, 4]
    assert apart[[-4, -3, -2, 3]].max() <= 0.3
    table, windows = both("image-text", 5)
    assert (table - windows).abs().round(1).min() == 0.3


def test_late_fusion_of_text_text_is_the_last_cell():
    """And pairwise fusion the end of the ladder."""
    for metric in INDICES:
        assert headline("text-text", "late", metric) == cell(metric, 12, 12)
        ladder = rows("windows", table="ladder", metric=metric).set_index("pairs")["value"]
        assert headline("text-text", "pairwise", metric) == pytest.approx(ladder[12], abs=5e-5)


# Text-text


@EVERY_INDEX
def test_the_best_pair_of_text_text_is_the_first_of_both(metric):
    """(1, 1) by all three indices; the best skew pair is (1, 2)."""
    pairs = pairs_table(grid_evidence(metric))
    best = pairs.loc[pairs["score"].idxmax()]
    assert (best["i"], best["j"], best["skewness"]) == (1, 1, 0)
    skew = pairs[pairs["skewness"] != 0]
    assert skew.loc[skew["score"].idxmax(), ["i", "j"]].tolist() == [1, 2]
    sign = 1 if INDICES[metric] else -1
    assert headline("text-text", "best pair", metric) == sign * best["score"]
    assert headline("text-text", "best skew pair", metric) == sign * skew["score"].max()


@EVERY_INDEX
def test_the_verdict_on_text_text_is_no_skew_pair(metric):
    """The diagonal pair (1, 1); by Calinski-Harabasz it is worse than a single layer, and no fusion is supported."""
    choice = grid_evidence(metric).search.selection
    assert str(choice.tap[0]) + str(choice.tap[1]) == "english1"
    if metric == "calinski_harabasz":
        assert choice.verdict == "no supported fusion"
        assert choice.gain == pytest.approx(1091.1 - 1102.6)
    else:
        assert choice.verdict == "diagonal pair"
        assert [str(pair) for pair in choice.pairs] == ["latin@1 + english@1"]


@pytest.mark.parametrize(
    ("metric", "worst"), [("silhouette", (9, 8)), ("calinski_harabasz", (3, 12)), ("davies_bouldin", (12, 3))]
)
def test_the_worst_pair_of_text_text(metric, worst):
    """It depends on the index."""
    pairs = pairs_table(grid_evidence(metric))
    assert tuple(pairs.loc[pairs["score"].idxmin(), ["i", "j"]]) == worst


@pytest.mark.parametrize(
    ("metric", "digits", "means"),
    [
        ("silhouette", 4, (0.0434, 0.0505, 0.0434)),
        ("calinski_harabasz", 1, (562.7, 662.6, 562.5)),
        ("davies_bouldin", 3, (3.554, 3.321, 3.523)),
    ],
)
def test_the_diagonal_of_text_text_is_best_on_average(metric, digits, means):
    """Means for d < 0, d = 0, d > 0, by the report's sides and by its skew profile."""
    found = side_means(depth_differences().ravel(), grid_of("grid", metric).ravel())["mean"]
    assert found.round(digits).tolist() == list(means)
    seen = grid_evidence(metric)
    profile = skew_table(seen)
    below = profile[profile["d"] < 0]
    tap, sign = seen.search.alone.values.max(), 1 if INDICES[metric] else -1
    mean = np.average(below["mean_gain"], weights=below["pairs"])
    assert round(sign * (mean + tap), digits) == means[0]
    assert np.argmax(sign * found.to_numpy()) == 1


@pytest.mark.parametrize(
    ("metric", "apart"), [("silhouette", 0.0225), ("calinski_harabasz", 43.8), ("davies_bouldin", 0.737)]
)
def test_text_text_is_nearly_symmetric(metric, apart):
    """One encoder reads both: the largest difference of a cell and the transposed one."""
    grid = grid_of("grid", metric)
    assert np.abs(grid - grid.T).max() == pytest.approx(apart)


def test_the_ladder_of_text_text_falls_with_every_pair():
    """By Calinski-Harabasz and, negated, Davies-Bouldin; the silhouette rises once. As the report says it."""
    for metric, does in (("calinski_harabasz", "falls"), ("davies_bouldin", "rises"), ("silhouette", "neither")):
        ladder = rows("windows", table="ladder", metric=metric).sort_values("pairs")
        assert ladder["pairs"].tolist() == list(range(1, 13))
        assert trend(ladder["value"].to_numpy(float)) == does
    said = of_ladder(with_ladder("calinski_harabasz"), "concat")
    assert "Over windows, from 1 to 12 pairs, it falls with every step." in said


def with_ladder(metric):
    """Made-up findings with the published ladder."""
    findings = made({"latin": 12, "english": 12}, (("latin", 1, "english", 1),), tested=False)
    ladder = rows("windows", table="ladder", metric=metric)
    sets = findings.sets[findings.sets["kind"] == "window"]
    sets = sets.assign(score=ladder["value"].to_numpy(float), size=ladder["pairs"].to_numpy(int))
    return Findings.from_tables(findings.tables() | {"sets": sets})


def test_windows_and_ladder_and_grid_agree():
    """Three pairs at d = 0 stand in both series, and one pair in ladder and grid."""
    for metric in INDICES:
        ladder = rows("windows", table="ladder", metric=metric).set_index("pairs")["value"]
        windows = rows("windows", table="windows", metric=metric).set_index("d")["value"]
        assert windows[0] == pytest.approx(ladder[3], abs=0.05 if metric == "calinski_harabasz" else 0)
        assert ladder[1] == pytest.approx(cell(metric, 1, 1), abs=5e-5)
        skew = windows.drop(0)
        best = skew.max() if INDICES[metric] else skew.min()
        assert headline("text-text", "best window", metric) == round(best, DIGITS[metric])
    assert rows("windows", table="windows", metric="silhouette", d=1)["value"].item() == pytest.approx(0.0593, abs=5e-5)


def test_joining_the_first_layers_loses_to_either_alone():
    """By Calinski-Harabasz: 1091 against 1102.0 and 1102.6."""
    alone = rows("layers", task="text-text", metric="calinski_harabasz", layer=1)["value"]
    assert sorted(alone) == [1102.0, 1102.6]
    assert cell("calinski_harabasz", 1, 1) < alone.min()


def test_a_bar_of_the_silhouettes_was_copied_wrongly():
    """Figure 9 has .04939 at d = -4: that is the pair (1, 6) of d = -5; the pair (1, 5) has .0480."""
    assert cell("silhouette", 1, 6) == pytest.approx(0.04939, abs=5e-5)
    assert cell("silhouette", 1, 5) == pytest.approx(0.04798, abs=5e-5)


# The second grid


@pytest.mark.parametrize(
    ("metric", "best", "value"),
    [("silhouette", (8, 3), 0.1405), ("davies_bouldin", (8, 4), 0.702), ("calinski_harabasz", (4, 4), 11.37)],
)
def test_the_second_grid_has_other_best_pairs(metric, best, value):
    """d = 5 and 4 by two indices, 0 by the third."""
    pairs = pairs_table(grid_evidence(metric, "second_grid"))
    found = pairs.loc[pairs["score"].idxmax()]
    assert (found["i"], found["j"]) == best
    assert abs(found["score"]) == value


@pytest.mark.parametrize(
    ("metric", "digits", "means"),
    [
        ("silhouette", 3, (-0.031, 0.017, 0.062)),
        ("calinski_harabasz", 2, (7.04, 7.56, 8.08)),
        ("davies_bouldin", 3, (0.950, 0.884, 0.821)),
    ],
)
def test_the_second_grid_favours_positive_skew(metric, digits, means):
    """Means for d < 0, d = 0, d > 0."""
    found = side_means(depth_differences().ravel(), grid_of("second_grid", metric).ravel())["mean"]
    assert found.round(digits).tolist() == list(means)


def test_one_index_of_the_second_grid_is_a_sum_of_rows_and_columns():
    """To .002 and its two printed decimals; that cannot be if clusters are found anew for every pair."""
    assert additive_residual(grid_of("second_grid", "calinski_harabasz")) < 0.002 + 0.005
    assert additive_residual(grid_of("grid", "calinski_harabasz")) > 100
    assert additive_residual(grid_of("second_grid", "silhouette")) > 0.02


# As pictures


def test_the_report_draws_the_published_grid():
    """Gain map and skew profile of theirs, cell by cell and d by d; a star at (1, 1)."""
    seen = grid_evidence("silhouette")
    findings = made({"latin": 12, "english": 12}, (("latin", 1, "english", 1),), metric="silhouette", tested=False)
    own = {"pairs": pairs_table(seen), "skew": skew_table(seen), "taps": taps_table(seen)}
    findings = Findings.from_tables(findings.tables() | own)
    cells = plot_gain_map(findings).axes[0]
    expected = grid_of("grid", "silhouette") - 0.0777
    assert np.allclose(cells.collections[0].get_array(), expected)
    (star,) = [line for line in cells.lines if line.get_marker() == "*"]
    assert (float(star.get_ydata()[0]), float(star.get_xdata()[0])) == (0.5, 0.5)
    (ax,) = plot_skew_profile(findings).axes
    best = next(box for box in ax.containers if box.get_label() == "best pair").lines[0]
    assert best.get_xdata()[np.argmax(best.get_ydata())] == 0
    assert isinstance(ax.figure, mpl.figure.Figure)


def test_what_is_not_published_cannot_be_scored():
    """Neither other indices nor other sets."""
    with pytest.raises(ValueError, match="have the indices silhouette"):
        grid_evidence("accuracy")
    metric = grid_evidence("silhouette").search.metric
    with pytest.raises(ValueError, match="nothing further can be scored"):
        metric.score(np.zeros(2), np.zeros((2, 1)))
