"""`plait compare`: what is compared on which rows, and where the results go."""

import re
import shlex
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import typer

from plait.cli.encoders import check_texts, made
from plait.cli.parameters import method_from_text
from plait.cli.printing import echo_json
from plait.cli.sources import Source
from plait.cli.targets import TargetValues
from plait.compare import Comparison, compare
from plait.methods.base import Method
from plait.methods.registry import method_by_name
from plait.training.trainer import Trainer

FOLDS, SEEDS_OF_A_SPLIT = 5, 5
_OUTSIDE = re.compile(r",(?![^\[]*\])")
_ENTRY = re.compile(r"([\w-]+)(?:\[(.*)\])?")


@dataclass(frozen=True)
class Protocol:
    """Which rows are reported, and how often.

    Args:
        folds: Folds of cross-validation; None is the published split where there is one, else 5.
        repeats: How often the folds are drawn anew.
        seeds: Number of seeds of every model; None is 5 on a published split, else 1.
        seed: Seed of the folds, and the first of the models.
    """

    folds: int | None
    repeats: int
    seeds: int | None
    seed: int

    def fixed(self, source: Source) -> bool:
        """Whether the source's published split is used."""
        return self.folds is None and source.has_split

    def model_seeds(self, *, fixed: bool) -> tuple[int, ...]:
        """Seeds of the models."""
        count = self.seeds or (SEEDS_OF_A_SPLIT if fixed else 1)
        return tuple(range(self.seed, self.seed + count))


@dataclass(frozen=True)
class Fits:
    """How every fit is made.

    Args:
        task: "classification", "regression", or None: by the target.
        epochs: Most epochs; None is the trainer's default.
        validation: Share of the samples, or number of folds, inside every fit; None is by their number.
        verbose: Whether a progress bar is shown.
    """

    task: str | None
    epochs: int | None
    validation: int | float | None
    verbose: bool


@dataclass(frozen=True)
class CompareRequest:
    """What was asked for.

    Args:
        methods: Names of methods, separated by commas, each with parameters in brackets: "late[rule=stacking]".
        protocol: Which rows are reported, and how often.
        fits: How every fit is made.
        out: Folder of runs and results.
        options: Options of `compare` that are passed on as they are.
        curve: Whether a learning curve is wanted.
        kinds: Names of encoders, by modality of texts.
    """

    methods: str
    protocol: Protocol
    fits: Fits
    out: Path
    options: Mapping[str, Any]
    curve: bool = False
    kinds: Mapping[str, str] = field(default_factory=dict)


def methods_from_text(text: str) -> list[str | Method]:
    """Methods from "meta-fusion,late[rule=stacking;hidden=64,32],all".

    Raises:
        ValueError: If an entry is not of this form, or a name or parameter is unknown.
    """
    return [_method(entry.strip()) for entry in _OUTSIDE.split(text)]


def _method(entry: str) -> str | Method:
    found = _ENTRY.fullmatch(entry)
    if found is None:
        raise ValueError(f"--methods takes names with commas between them, late,early[hidden=64,32]; got {entry!r}.")
    name, params = found.groups()
    if name == "all" and not params:
        return name
    return method_from_text(method_by_name(name), [part.strip() for part in (params or "").split(";") if part.strip()])


def compared(source: Source, request: CompareRequest) -> Comparison:
    """Run the comparison and write its results.

    Args:
        source: Where the samples come from.
        request: What was asked for.

    Raises:
        ValueError: If the samples cannot be compared on.
    """
    methods = methods_from_text(request.methods)
    protocol, fits, fixed = request.protocol, request.fits, request.protocol.fixed(source)
    if fixed and protocol.repeats > 1:
        raise ValueError("--repeats draws folds anew, and a published split has none. Give --folds, or use --seeds.")
    if request.out.exists() and not request.out.is_dir():
        raise FileExistsError(f"{request.out} is a file. Choose a folder to keep runs and results in.")
    samples, cv = source.split() if fixed else (source.training(all_rows=True), protocol.folds or FOLDS)
    check_texts(samples.modalities, request.kinds)
    target = TargetValues.of(samples, fits.task)
    comparison = compare(
        methods,
        samples.modalities,
        target.values,
        task=target.task,
        cv=cv,
        repeats=1 if fixed else protocol.repeats,
        groups=None if samples.groups is None else samples.groups.to_numpy(),
        seeds=protocol.model_seeds(fixed=fixed),
        encoders=made(request.kinds) or None,
        random_state=protocol.seed,
        trainer=Trainer() if fits.epochs is None else Trainer(epochs=fits.epochs),
        validation=fits.validation,
        store=request.out / "runs",
        verbose=int(fits.verbose),
        **request.options,
    )
    jobs, verbose = request.options.get("jobs"), int(fits.verbose)
    store = request.out / "runs"
    curve = comparison.learning_curve(store=store, jobs=jobs, verbose=verbose) if request.curve else None
    command = shlex.join(["plait", *sys.argv[1:]])
    comparison = comparison.annotated(samples.rows, command, samples.numbers, curve)
    comparison.write(request.out)
    return comparison


def tell(comparison: Comparison, out: Path, *, as_json: bool) -> None:
    """Say on standard output what was found."""
    if as_json:
        echo_json(summary(comparison, out))
    else:
        typer.echo("\n".join(lines(comparison, out)))


def settle(comparison: Comparison) -> None:
    """Let a comparison end as an error if nothing was compared.

    Raises:
        ValueError: If every single modality and every method failed; the message says why.
    """
    failures = comparison.failures
    if all(one.label in failures for one in comparison.plan.contenders if one.kind in {"single", "fusion"}):
        told = "; ".join(f"{label}: {reason}" for label, reason in failures.items())
        raise ValueError(f"Nothing was compared, every method failed: {told}")


def summary(comparison: Comparison, out: Path) -> dict[str, Any]:
    """What is told at the end, for programs."""
    table = comparison.table().reset_index()
    rows = [{key: _plain(value) for key, value in row.items()} for row in table.to_dict("records")]
    verdict = comparison.verdict
    return {
        "fusion_supported": verdict.supported,
        "verdict": list(verdict.sentences),
        "protocol": comparison.protocol,
        "table": rows,
        "runs": {"computed": comparison.executed.computed, "reused": comparison.executed.reused},
        "failures": dict(comparison.failures),
        "saved_in": str(out),
    }


def _plain(value: Any) -> Any:
    """A value that JSON has; NaN is null."""
    plain = value.item() if isinstance(value, np.generic) else value
    return None if isinstance(plain, float) and not np.isfinite(plain) else plain


def lines(comparison: Comparison, out: Path) -> Iterable[str]:
    """What is told at the end, for people: the verdict, the table, and where the report is."""
    yield from comparison.verdict.sentences
    yield ""
    yield comparison.to_markdown()
    yield ""
    yield f"report: {out / 'report.html'}"
