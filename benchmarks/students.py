"""Cohorts of hundreds of students: how long, how much memory, and how both grow with students and with samples."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from statistics import fmean

import numpy as np
import pandas as pd
from sklearn.metrics import r2_score

from benchmarks.growth_picture import plot_growth
from benchmarks.one_fit import PARTS, Fit, Found
from benchmarks.timing import table
from plait.data.whole_files import write_text
from plait.drawing.vector import svg

Measure = Callable[[Fit], Found]
_LASTING = 28  # bytes of a parameter that a step of Adam reads and writes: value, slope and two running means
AXES = {"students": "students asked for", "rows": "training samples"}
SERIES = {"the whole default": {}, "networks alone": {"learners": ()}}


def by_cores(fits: Sequence[Fit], measure: Measure) -> None:
    """Whole fits of as many students, with hold-out or folds, on more or fewer cores; and what is in them.

    Args:
        fits: The fits; where some networks are asked to be trained one by one (`alone`), a comparison follows.
        measure: What measures one.
    """
    found, first = {fit: measure(fit) for fit in fits}, fits[0]
    header = ("validation", "cores", "seconds", "processor, s", "networks, copies", "parameters", "heads", "peak, MB")
    title = f"{first.students} students on {first.data}, {first.rows} training samples"
    rows = [(*_setting(fit), *_facts(fit, told)) for fit, told in found.items()]
    table(title, (*header, "accuracy on others"), rows)
    rows = [(*_setting(fit), *_shares(told)) for fit, told in found.items()]
    table("Seconds of its parts", ("validation", "cores", *PARTS, "the rest"), rows)
    for fit, told in found.items():
        if told.beside is not None:
            _against_loop(fit, told)
            _against_limit(fit, told)


def _setting(fit: Fit) -> tuple[str, int]:
    return f"{fit.folds} folds" if fit.folds else "hold-out", fit.threads


def _facts(fit: Fit, found: Found) -> tuple[str, ...]:
    copies = f"{found.networks} x {max(fit.folds, 1)}"
    took = f"{found.seconds:.0f}", f"{found.processor:.0f}"
    sizes = f"{found.parameters / 1e6:.1f} M", str(found.heads), f"{found.peak:.0f}"
    return *took, copies, *sizes, f"{found.score:.4f}"


def _shares(found: Found) -> list[str]:
    rest = found.seconds - sum(found.parts.values())
    return [f"{took:.1f} ({took / found.seconds:.0%})" for took in (*found.parts.values(), rest)]


def _against_loop(fit: Fit, found: Found) -> None:
    """All networks, in a race and batched, beside one after the other, each to its own early stop."""
    each, nets = found.beside, found.networks * max(fit.folds, 1)
    loop, together = nets * fmean(each.alone), found.parts["networks"]
    apart = 1e3 * sum(each.alone) / sum(each.epochs)
    epoch = 1e3 * each.step / found.networks * -(-fit.rows * 4 // 5 // 64)
    header = ("networks", f"one by one, s (from {len(each.alone)})", "all together, s", "times faster")
    more = ("epoch of one by itself, ms", "its share of a batched epoch, ms", "times faster")
    row = (nets, f"{loop:.0f}", f"{together:.1f}", f"{loop / together:.1f}")
    title = f"The networks beside a loop over plain ones ({', '.join(map(str, _setting(fit)))} core)"
    table(title, (*header, *more), [(*row, f"{apart:.1f}", f"{epoch:.1f}", f"{apart / epoch:.1f}")])


def _against_limit(fit: Fit, found: Found) -> None:
    """A step of all networks beside its multiply-adds and its traffic."""
    told = found.beside
    speed = f"{2 * told.multiply_adds / told.products / 1e9:.0f}"
    traffic = f"{_LASTING * told.parameters / told.adam / 1e9:.1f}"
    times = [f"{1e3 * took:.0f}" for took in (told.step, told.products, told.adam)]
    header = ("networks", "a step, ms", "its products, ms", "Gflop/s", "Adam, ms", "GB/s", "times the limit")
    row = (found.networks, *times[:2], speed, times[2], traffic, f"{told.step / (told.products + told.adam):.2f}")
    table(f"A step of 64 samples beside the machine's limit ({fit.threads} core)", header, [row])


def by_growth(title: str, axis: str, fits: Mapping[str, Sequence[Fit]], measure: Measure) -> pd.DataFrame:
    """Seconds and peak memory of fits that differ in one number, `axis`; one curve a series."""
    found = [
        {"series": name, axis: getattr(fit, axis), **_told(measure(fit))} for name, of in fits.items() for fit in of
    ]
    growth = pd.DataFrame(found)
    header = ("fit", axis, "students", "heads", "epochs", "seconds", *PARTS, "peak, MB")
    table(title, header, [_row(one, axis) for one in found])
    slopes = [(name, *_slopes(of[axis], of)) for name, of in growth.groupby("series", sort=False)]
    header = ("fit", f"seconds: power of {axis}", "memory: power", "memory: MB + MB a one", "R² of that line")
    table(f"{title}: how they grow", header, slopes)
    return growth


def _told(found: Found) -> dict[str, float]:
    sizes = {"count": found.networks, "heads": found.heads, "epochs": found.epochs}
    return {**sizes, "seconds": found.seconds, "megabytes": found.peak, **found.parts}


def _row(one: Mapping[str, float], axis: str) -> list[str]:
    took = [f"{one[part]:.1f}" for part in ("seconds", *PARTS)]
    return [
        *(str(one[name]) for name in ("series", axis, "count", "heads", "epochs")),
        *took,
        f"{one['megabytes']:.0f}",
    ]


def _slopes(sizes: pd.Series, found: pd.DataFrame) -> list[str]:
    """Powers by a line through logarithms; and of memory the line itself."""
    powers = [power(sizes, found[name]) for name in ("seconds", "megabytes")]
    slope, start = np.polyfit(sizes, found["megabytes"], 1)
    known = r2_score(found["megabytes"], start + slope * sizes)
    return [*(f"{one:.2f}" for one in powers), f"{start:.0f} + {slope:.3g}", f"{known:.3f}"]


def power(sizes: Iterable[float], values: Iterable[float]) -> float:
    """The p of values that grow as sizes ** p: the slope of a line through logarithms (of less than 1e-3: of that)."""
    found = np.maximum(np.asarray(values, float), 1e-3)
    return float(np.polyfit(np.log(np.asarray(sizes, float)), np.log(found), 1)[0])


def save_picture(growth: pd.DataFrame, axis: str, path: Path) -> None:
    """Draw a table of `by_growth` into a file."""
    figure = plot_growth(growth, axis, AXES[axis])
    write_text(path, svg(figure, path.stem, f"Seconds and peak memory against {AXES[axis]}") + "\n")
