"""How results look: tables for people, csv and JSON for programs."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import typer

if TYPE_CHECKING:
    from plait.cli.predicting import Predictions


def echo_table(report: Mapping[str, Any]) -> None:
    """A report on standard output: names to the left, values to the right."""
    rows = [(name.replace("_", " "), line) for name, value in report.items() for line in _lines(value)]
    width = max(len(name) for name, _ in rows)
    last = ""
    for name, line in rows:
        typer.echo(f"{'' if name == last else name:<{width}}  {line}".rstrip())
        last = name


def echo_listing(found: Mapping[str, list[dict[str, str]]]) -> None:
    """Names and descriptions, one a line."""
    width = max(len(one["name"]) for listed in found.values() for one in listed)
    for subject, listed in found.items():
        typer.echo(f"{subject}:")
        for one in listed:
            typer.echo(f"  {one['name']:<{width}}  {one['description']}")


def echo_predictions(predictions: "Predictions") -> None:
    """Predictions as csv on standard output unless they went to a file; scores on standard error."""
    if predictions.out is None:
        typer.echo(predictions.frame.to_csv(index=False), nl=False)
    else:
        typer.echo(f"plait: wrote {len(predictions.frame)} predictions to {predictions.out}", err=True)
    if predictions.scores:
        scores = ", ".join(f"{name.replace('_', '-')} {value:.4f}" for name, value in predictions.scores.items())
        typer.echo(f"plait: {scores} on {predictions.scored} samples with known target ({predictions.rows})", err=True)
    if predictions.scores and predictions.published:
        typer.echo(f"plait: {predictions.published}", err=True)


def echo_json(report: "Mapping[str, Any] | Predictions") -> None:
    """One JSON object on standard output; what is not finite is null."""
    content = report if isinstance(report, Mapping) else _as_mapping(report)
    typer.echo(json.dumps(_plain(content), ensure_ascii=False, allow_nan=False))


def _as_mapping(predictions: "Predictions") -> dict[str, Any]:
    told = {"rows": predictions.rows, "n": len(predictions.frame)}
    told |= {"scores": predictions.scores, "scored": predictions.scored}
    if predictions.out is not None:
        return {**told, "out": str(predictions.out)}
    return {**told, "predictions": predictions.frame.to_dict("records")}


def _lines(value: Any) -> list[str]:
    """A value as lines of text: one for each entry of a mapping."""
    if isinstance(value, Mapping):
        return [f"{name} = {_short(entry)}" for name, entry in value.items()] or ["-"]
    return ["-"] if isinstance(value, list) and not value else [_short(value)]


def _short(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {_short(entry)}" for name, entry in value.items())
    if isinstance(value, list | tuple):
        return f"({', '.join(map(_short, value))})"
    return str(value)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(name): _plain(entry) for name, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    if isinstance(value, np.generic):
        return _plain(value.item())
    if isinstance(value, Path):
        return str(value)
    return None if isinstance(value, float) and not math.isfinite(value) else value
