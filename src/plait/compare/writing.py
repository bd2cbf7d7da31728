"""The files of a comparison: the report and what it is made of, the tables, the pictures."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from plait.compare.export import to_csv
from plait.compare.reading import first_cohorts, mean_paths
from plait.compare.report import ReportInput
from plait.data.text import to_text
from plait.data.whole_files import write_text

if TYPE_CHECKING:
    from plait.compare.comparison import Comparison

_VERSIONS = ("plait", "python", "numpy", "scikit-learn", "torch")


def report_input(found: "Comparison") -> ReportInput:
    """Everything that a report shows."""
    plan, classes = found.plan, found.plan.task == "classification"
    return ReportInput(
        scores=found.scores,
        title=f"Is fusion worth it? {found.how.title}".strip(),
        protocol=f"{found.protocol}; {_intervals(found)}",
        verdict=found.verdict,
        metric=found.metric,
        data=_data(found),
        pairs=found.pairs,
        ledger=found.ledger(),
        ledger_note=f"From refits of {found.how.probe!r} on sets of modalities.",
        redundancy=found.redundancy if len(plan.modalities.names) > 1 else None,
        calibration=found.calibration if classes else None,
        reliability=found.reliability if classes else None,
        confusion=found.confusion() if classes and found.best else None,
        confusion_of=found.best,
        cohorts=first_cohorts(_table(found, "cohort")),
        rhos=mean_paths(_table(found, "rho_path")),
        presence=_presence(found),
        learning_curve=found.how.curve,
        published=found.how.published,
        settings=_settings(found),
        versions=_versions(found),
        fingerprint=plan.data_fingerprint,
        seeds=plan.seeds,
        command=found.how.command,
        failures={one.label: one.failure for one in found.outcomes.checked().contenders.values() if one.failure},
        warnings=_warnings(found),
    )


def write_all(found: "Comparison", folder: Path) -> Path:
    """Write report, verdict, tables into a folder; each file whole or not at all.

    Returns:
        The folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    found.report(folder / "report.html")
    write_text(folder / "verdict.txt", "\n".join(found.verdict.sentences) + "\n")
    write_text(folder / "table.md", f"{found.to_markdown()}\n")
    write_text(folder / "table.tex", f"{found.to_latex()}\n")
    for name, table in tidy_tables(found).items():
        file = folder / f"{name}.csv"
        file.parent.mkdir(exist_ok=True)  # findings of a search stand in a folder of their own: "search/summary"
        to_csv(table, file)
    return folder


def tidy_tables(found: "Comparison") -> dict[str, pd.DataFrame]:
    """The tables that are written as csv, by name; empty ones are left out."""
    classes = found.plan.task == "classification"
    tables = {"scores": found.scores, "pairs": found.pairs, "runs": found.executed.facts.drop(columns="resolved")}
    tables["ledger"] = found.ledger()
    if len(found.plan.modalities.names) > 1:
        tables["redundancy"] = found.redundancy
    if classes:
        tables |= {"calibration": found.calibration, "reliability": found.reliability}
    tables = {**found.executed.tables, **tables}  # a method's finding does not take the place of ours
    if found.how.curve is not None:
        tables["learning_curve"] = found.how.curve
    if classes and found.best:
        tables["confusion"] = found.confusion().rename_axis(index="true", columns="predicted")
    return {name: table for name, table in tables.items() if len(table)}


def _presence(found: "Comparison") -> pd.DataFrame | None:
    """Who has which modality; None where everybody has all."""
    modalities = found.plan.modalities
    return None if modalities.present.all() else pd.DataFrame(modalities.present, columns=list(modalities.names))


def _intervals(found: "Comparison") -> str:
    over = "samples" if found.plan.groups is None else "groups"
    return f"intervals: 95 %, bootstrap over {over}"


def _table(found: "Comparison", name: str) -> pd.DataFrame:
    return found.executed.tables.get(name, pd.DataFrame({"method": []}))


def _data(found: "Comparison") -> dict[str, Any]:
    plan = found.plan
    modalities, samples = plan.modalities, plan.samples
    shapes = (f"{name} {'x'.join(map(str, shape))}" for name, shape in modalities.sample_shapes.items())
    facts: dict[str, Any] = {"source": found.how.title} if found.how.title else {}
    facts |= {"samples": len(modalities), "modalities": ", ".join(shapes), "task": plan.task}
    if samples.classes:
        facts["classes"] = ", ".join(samples.classes)
    if plan.groups is not None:
        facts["groups"] = len(set(plan.groups.tolist()))
    return facts


def _settings(found: "Comparison") -> dict[str, Any]:
    """The estimator's settings, then every method's parameters."""
    plan = found.plan
    common = {"validation": plan.validation, "scaling": plan.scaling, "trainer": to_text(plan.trainer)}
    common |= dict(plan.contenders[0].settings)  # the same of all
    return {"every fit": common} | {one.label: to_text(one.method) for one in plan.contenders if one.kind != "subset"}


def _versions(found: "Comparison") -> dict[str, str]:
    """Versions that the runs were computed with; several, where a store was gone on with."""
    facts = found.executed.facts
    return {name: ", ".join(sorted(set(facts[name]))) for name in _VERSIONS if name in facts}


def _warnings(found: "Comparison") -> tuple[str, ...]:
    """What the runs said, each once with the number of runs."""
    said = pd.Series([text for texts in found.executed.facts["warnings"] for text in texts], dtype=object)
    return tuple(f"{text} ({count} of {len(found.executed.facts)} fits)" for text, count in said.value_counts().items())
