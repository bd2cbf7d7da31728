"""What a study says of the findings of a fold, read from their tables; and the folder that they are kept in."""

from collections.abc import Mapping
from pathlib import Path

from plait.skew.findings import Findings

_FACTS = {
    "validation_gain": "gain",
    "validation_gain_low": "gain_low",
    **{name: name for name in ("p_skew", "skew_effect", "skew_effect_low", "skew_effect_high")},
}


def words(found: Findings) -> str:
    """The choice: verdict, operator and pairs, or the tap that is used instead."""
    row = found.summary.iloc[0]
    return f"{row['verdict']}: " + (f"{row['operator']} of {row['pairs']}" if row["operator"] else row["tap"])


def facts(found: Findings) -> dict[str, float]:
    """Numbers of the choice, on validation rows, as in `Findings`.

    "fused" is whether one is supported, "pairs" of how many; gains are of the choice, or of the best fusion where none
    is supported; "supported" and "near" are how many single pairs have a supported gain and are not told apart from the
    best.
    """
    row, pairs = found.summary.iloc[0], found.pairs
    counts = {
        "pairs": len(row["pairs"].split("; ")) if row["pairs"] else 0,
        "supported": pairs["supported"].sum(),
        "near": pairs["in_confidence_set"].sum(),
    }
    numbers = {"fused": row["operator"] != "", **counts} | {name: row[column] for name, column in _FACTS.items()}
    return {name: float(value) for name, value in numbers.items()}


def grid(found: Findings) -> dict[str, dict[str, float]]:
    """Validation scores of all single pairs that were scored: a row a tap of the first, by operator."""
    cells: dict[str, dict[str, float]] = {}
    for row in found.pairs.to_dict("records"):
        cells.setdefault(f"{row['operator']} {row['first']}@{row['i']}", {})[f"{row['second']}@{row['j']}"] = row[
            "score"
        ]
    return cells


def write_folds(findings: Mapping[str, Findings], folder: Path) -> None:
    """Write tables and report.html of every fold.

    Args:
        findings: By name of the fold; "" if it is the only one.
        folder: A name that nothing bears yet. Folds with a name have folders of their own in it.
    """
    for name, found in findings.items():
        place = folder / name
        place.parent.mkdir(exist_ok=True)
        found.write(place)
        found.report(place / "report.html")
