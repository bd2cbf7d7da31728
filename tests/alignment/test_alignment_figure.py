"""The picture of step fusion: its panels, its labels, and what fits into it."""

import sys
from itertools import combinations, pairwise

import numpy as np
import pytest
import torch
import traces

from plait.alignment import alignment_steps, movements, plot_alignment
from plait.nn.step_fusion.trace import Trace

LONG = tuple(f"a modality with a long name, {place}" for place in range(4))


def renamed(trace, names):
    """The same trace with other names."""
    return Trace(names, trace.pooled, trace.present, trace.records)


@pytest.mark.parametrize(
    ("modalities", "steps", "parallel"), [(2, 4, False), (3, 0, False), (3, 6, True), (4, 12, False)]
)
@pytest.mark.parametrize("long", [False, True])
def test_everything_fits_into_the_picture(modalities, steps, parallel, long):
    """No letter leaves it, no labels of steps touch, no window opens."""
    trace = traces.toward(modalities, steps, parallel=parallel)
    figure = plot_alignment(renamed(trace, LONG[:modalities]) if long else trace)
    figure.draw_without_rendering()
    box = figure.get_tightbbox()
    assert box.x0 >= -0.02
    assert box.y0 >= -0.02
    assert box.x1 <= figure.get_figwidth() + 0.02
    assert box.y1 <= figure.get_figheight() + 0.02
    boxes = [label.get_window_extent() for label in figure.axes[-1].get_xticklabels()]
    assert all(one.x1 < other.x0 for one, other in pairwise(boxes))
    pyplot = sys.modules.get("matplotlib.pyplot")
    assert pyplot is None or pyplot.get_fignums() == []


def test_legends_do_not_cover_data():
    """They stand above their panels."""
    figure = plot_alignment(traces.toward(4, 3))
    figure.draw_without_rendering()
    legends = [ax for ax in figure.axes if ax.get_legend()]
    assert len(legends) == 3
    for legend in legends:
        assert not any(ax.get_window_extent().overlaps(legend.get_legend().get_window_extent()) for ax in figure.axes)


def test_what_was_moved_stands_below_the_step():
    """By name; "all" where a step moves every modality."""
    labels = [label.get_text() for label in plot_alignment(traces.toward(3, 2)).axes[-1].get_xticklabels()]
    assert labels == ["0\nstart", "1\naudio", "2\ntext"]
    together = plot_alignment(traces.toward(3, 1, parallel=True)).axes[-1].get_xticklabels()
    assert [label.get_text() for label in together] == ["0\nstart", "1\nall"]


def test_the_curves_are_the_table():
    """One a pair, named, of debiased CKA above and of gaps below."""
    trace = traces.toward(3, 4)
    table = alignment_steps(trace, ("debiased_cka", "gap"))
    figure = plot_alignment(trace)
    named = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert named == [f"{a} \N{EN DASH} {b}" for a, b in combinations(trace.names, 2)]
    for panel, measure in zip(figure.axes, ("debiased_cka", "gap"), strict=False):
        for line, (_, rows) in zip(panel.get_lines(), table.groupby(["a", "b"], sort=False), strict=False):
            np.testing.assert_allclose(line.get_ydata(), rows[measure])


def test_tables_give_the_same_picture(tmp_path):
    """With movements, and without them the upper panels alone; further measures do no harm."""
    trace = traces.toward(2, 2)
    plot_alignment(trace, path=tmp_path / "trace.png")
    plot_alignment(alignment_steps(trace, ("gap", "cka", "debiased_cka")), movements(trace), tmp_path / "table.png")
    assert (tmp_path / "trace.png").read_bytes() == (tmp_path / "table.png").read_bytes()
    assert len(plot_alignment(alignment_steps(trace, ("gap", "debiased_cka"))).axes) == 2


def test_the_ending_of_the_path_says_what_is_saved(tmp_path):
    """An SVG."""
    plot_alignment(traces.toward(), path=str(tmp_path / "steps.svg"))
    assert "<svg" in (tmp_path / "steps.svg").read_text()


def test_unknown_numbers_are_left_out():
    """Modalities that never meet, that collapsed, or are not moved at all are drawn as far as they are known."""
    apart = traces.toward(2, 2, samples=10, absent=[(row, row % 2) for row in range(10)])
    plot_alignment(apart).draw_without_rendering()
    flat = Trace(("a", "b"), torch.zeros_like(apart.pooled), apart.present, apart.records)
    plot_alignment(flat).draw_without_rendering()


def test_large_gaps_are_logarithmic():
    """Beyond a factor of 30."""
    near, far = (plot_alignment(traces.toward(2, steps)).axes[1].get_yscale() for steps in (2, 12))
    assert (near, far) == ("linear", "log")


def test_small_zooms_have_a_plain_axis():
    """Within a factor of 2."""
    near = traces.toward(2, 1)
    moves = movements(near)
    factors = [name for name in moves if name.startswith("zoom_")]
    steps = alignment_steps(near, ("debiased_cka", "gap"))
    scales = [plot_alignment(steps, moves.assign(**dict.fromkeys(factors, zoom))).axes[2] for zoom in (1.1, 3.0)]
    assert [ax.get_yscale() for ax in scales] == ["linear", "log"]
    assert all(ax.get_ylim()[0] < zoom < ax.get_ylim()[1] for ax, zoom in zip(scales, (1.1, 3.0), strict=True))


def test_what_cannot_be_drawn_is_refused():
    """One modality, a table without the measures, movements without their columns."""
    table = alignment_steps(traces.toward(), ("gap", "debiased_cka"))
    with pytest.raises(ValueError, match=r"table of alignment.*got no row"):
        plot_alignment(traces.toward(1, 1))
    with pytest.raises(ValueError, match=r"table of alignment.*debiased_cka"):
        plot_alignment(table.drop(columns="debiased_cka"))
    with pytest.raises(ValueError, match="table of movements"):
        plot_alignment(table, table)
