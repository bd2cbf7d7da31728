"""`plait report`: what the search of a saved model found, as a page and as tables."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from plait.data.text import from_text
from plait.methods.skew_pair import FINDINGS
from plait.persistence import read_description
from plait.skew.findings import Findings

_PAGES = (".html", ".htm")


@dataclass(frozen=True)
class ReportRequest:
    """What was asked for.

    Args:
        out: File of the report.
        tables: Folder of the tables; None for none.
        overwrite: Whether a report that is there is replaced.
    """

    out: Path
    tables: Path | None = None
    overwrite: bool = False

    def check(self) -> None:
        """Raise before anything is drawn what would fail after it.

        Raises:
            ValueError: If the report is not called an HTML file.
            OSError: If it cannot be written where it is to be.
        """
        if self.out.suffix.lower() not in _PAGES:
            raise ValueError(f"A report is one HTML file, by the suffix; got {self.out.name!r}.")
        if not self.out.absolute().parent.is_dir():
            raise FileNotFoundError(f"There is no folder {self.out.parent} to write {self.out.name} in. Make it first.")
        if self.out.exists() and not self.overwrite:
            raise FileExistsError(f"{self.out} exists. Choose another file, or replace it with --overwrite.")


def written(model: Path, request: ReportRequest) -> dict[str, Any]:
    """Write what the search of a saved model found; its weights and encoders are not needed.

    Args:
        model: Folder of the model.
        request: What was asked for.

    Raises:
        ValueError: If the model is damaged or has no search, or the report is not called an HTML file.
        OSError: If there is no model, or something cannot be written.
    """
    request.check()
    found = saved_search(model)
    if request.tables is not None:
        found.write(request.tables)
    found.report(request.out)
    return {**summary(found), "report": request.out, **({"tables": request.tables} if request.tables else {})}


def saved_search(model: Path) -> Findings:
    """What the search of a saved model found.

    Raises:
        FileNotFoundError: If there is no model.
        ValueError: If the model is damaged, or has no search.
    """
    saved = read_description(model)
    found = search_in(from_text(saved["fitted"], {})["tables_"])
    if found is None:
        raise ValueError(
            f"{model} has no search to report: it is a {saved['method']['class']} that searched for no pairs. Fit one "
            "that does: --method skew-pair without the parameter pairs, on two modalities or more."
        )
    return found


def search_in(tables: Mapping[str, pd.DataFrame]) -> Findings | None:
    """The search among the findings of an estimator; None if there is none."""
    found = {name.removeprefix(FINDINGS): table for name, table in tables.items() if name.startswith(FINDINGS)}
    return Findings.from_tables(found) if found else None


def summary(found: Findings) -> dict[str, Any]:
    """Verdict, the pairs that were chosen, and both in a sentence."""
    pairs = found.pairs.loc[found.pairs["chosen"], "pair"].tolist()
    return {"verdict": found.verdict, "pairs": pairs, "sentence": found.sentence}
