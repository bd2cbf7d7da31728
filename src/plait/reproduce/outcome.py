"""What a reproduction found: its tables, and the same for programs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

import plait
from plait.compare.export import to_csv
from plait.reproduce.store import Stored, settings_of
from plait.reproduce.study import Study
from plait.reproduce.tables import difference_table, long_table, results_table, summary_table

RESULTS = "results.csv"


@dataclass(frozen=True)
class Outcome:
    """Finished runs of a study, and what they say.

    Args:
        study: What was run.
        stored: Its finished runs with the present settings and version.
        others: How many runs of other settings or versions lie beside them.
    """

    study: Study
    stored: tuple[Stored, ...]
    others: int

    @classmethod
    def of(cls, study: Study, stored: Sequence[Stored]) -> "Outcome":
        """Of all runs of a folder, those of this study with its present settings."""
        settings = _like(study)
        fitting = tuple(one for one in stored if {name: one.content.get(name) for name in settings} == settings)
        return cls(study, fitting, len(stored) - len(fitting))

    @property
    def results(self) -> pd.DataFrame:
        """One row a run."""
        return results_table(self.study, self.stored)

    @property
    def published(self) -> pd.DataFrame:
        """Public numbers for the groups that have runs."""
        return self.study.published(self.results)

    @property
    def summary(self) -> pd.DataFrame:
        """Means over seeds, and the public numbers."""
        return summary_table(self.study, self.results, self.published)

    @property
    def differences(self) -> pd.DataFrame:
        """Arms compared seed by seed."""
        return difference_table(self.study, self.results)

    @property
    def checks(self) -> pd.DataFrame:
        """Thresholds of the study and whether they hold, one a row; no row where it has none."""
        return pd.DataFrame() if self.study.checks is None else self.study.checks(self.results)

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """The tables that runs gave, by name."""
        names = dict.fromkeys(name for one in self.stored for name in one.found.tables)
        return {name: long_table(self.stored, name) for name in names}

    @property
    def pictures(self) -> Mapping[str, Figure]:
        """What the study draws of its runs, by name of the file; nothing before there is a run."""
        drawn, results = self.study.pictures, self.results
        return {} if drawn is None or results.empty else drawn(results, self.tables)

    @property
    def overviews(self) -> Mapping[str, pd.DataFrame]:
        """What the study says of all runs together, by name of the file; nothing before there is a run."""
        told, results = self.study.overviews, self.results
        return {} if told is None or results.empty else told(results)

    @property
    def states(self) -> int:
        """How many states of the code the runs come from; more than one in development alone."""
        return len({one.code for one in self.stored})

    @property
    def errors(self) -> dict[str, float]:
        """Mean test error of every arm whose name is one word, by that name.

        It is the study's first metric, or one minus it where higher is better.
        """
        results = self.results
        metric, better = next(iter(self.study.metrics.items()))
        if metric not in results:
            return {}
        means = results[~results["arm"].str.contains("/")].groupby("arm", sort=False)[metric].mean()
        return {str(arm): float(mean if better == "lower" else 1 - mean) for arm, mean in means.items()}

    def write_results(self, folder: Path) -> Path:
        """Write the runs, one row each."""
        return to_csv(self.results, folder / RESULTS)

    def to_json(self) -> dict[str, Any]:
        """Everything, as records by column; the test errors of arms of one word by their names."""
        summary = self.summary
        return {
            **self.errors,
            "name": self.study.name,
            "note": self.study.note,
            "runs": _records(self.results),
            "summary": _records(summary[summary["kind"] == "here"]),
            "rows": _records(summary[summary["metric"].isin([*self.study.metrics])]),
            "differences": _records(self.differences),
            "published": _records(self.published),
            "checks": _records(self.checks),
            "overviews": {name: _records(table) for name, table in self.overviews.items()},
            "settings": dict(self.study.settings),
            "version": plait.__version__,
            "runs_of_other_settings": self.others,
        }


def _like(study: Study) -> Mapping[str, Any]:
    """What the content of a run must hold to be of this study as it is now."""
    return {"study": study.name, "settings": settings_of(study), "version": plait.__version__}


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]
