"""The pictures of a report, by section."""

from collections.abc import Iterator

from plait.drawing.page import Picture
from plait.skew.findings import Findings
from plait.skew.report import captions, reading
from plait.skew.report.baselines import plot_baselines
from plait.skew.report.density_ladder import plot_density_ladder
from plait.skew.report.frequency import plot_frequency
from plait.skew.report.gain_map import plot_gain_map
from plait.skew.report.similarity import plot_similarity
from plait.skew.report.skew_profile import plot_skew_profile


def pictures(findings: Findings) -> Iterator[Picture]:
    """All pictures in the order of the page; those of other operators than the main one are folded away."""
    if len(findings.tested):
        yield Picture("tested", plot_baselines(findings, tested=True), captions.of_tested(findings), flag=captions.ONCE)
    wide, flag = len(reading.edges_of(findings)) > 1, captions.DESCRIPTIVE
    main = reading.operator_of(findings)
    others = [name for name in dict.fromkeys(findings.pairs["operator"]) if name != main]
    for name in (main, *others):
        folded = name != main
        drawn = plot_gain_map(findings, name), captions.of_gain_map(findings, name)
        yield Picture("gain", *drawn, folded, wide, flag)
        yield Picture(
            "gain", plot_skew_profile(findings, name), captions.of_skew_profile(findings, name), folded, flag=flag
        )
        yield Picture(
            "certainty", plot_density_ladder(findings, name), captions.of_ladder(findings, name), folded, flag=flag
        )
        yield Picture(
            "certainty", plot_frequency(findings, name), captions.of_frequency(findings, name), folded, wide, flag
        )
    yield Picture("layers", plot_similarity(findings), captions.of_similarity(findings), wide=True, flag=flag)
    yield Picture("baselines", plot_baselines(findings), captions.of_baselines(findings), flag=flag)
