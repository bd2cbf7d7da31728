"""What can be typed: commands, their options and help, and the one place where errors become messages."""

# ruff: noqa: PLC0415 - what needs torch is imported by the command that needs it, so that help is quick

import sys
import warnings
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

EXPECTED = (ValueError, TypeError, KeyError, OSError, ImportError)
"""Errors that input or its surroundings cause; anything else is a fault of plait and keeps its traceback."""

app = typer.Typer(
    name="plait",
    help="Learn from several modalities at once. Results go to standard output, everything else to standard error.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


class Subject(StrEnum):
    """What `plait list` can list."""

    METHODS = "methods"
    DATASETS = "datasets"


class Task(StrEnum):
    """What a target is taken for."""

    CLASSIFICATION = "classification"
    REGRESSION = "regression"


def _validation(text: str) -> float:
    """A share stays a share, a whole number is a number of folds."""
    try:
        return int(text) if text.strip().isdigit() else float(text)
    except ValueError as error:
        raise typer.BadParameter(f"a share (0.2) or a whole number of folds (5) is expected, got {text!r}") from error


Source = Annotated[str, typer.Argument(help="A data set by name (see `plait list`), or a folder: one file a modality.")]
Target = Annotated[str | None, typer.Option(metavar="NAME", help="Column of the target, in one of the files.")]
Id = Annotated[str | None, typer.Option("--id", metavar="NAME", help="Column of the sample ids, in every file.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object on standard output and nothing else.")]


@app.callback(invoke_without_command=True)
def plait(version: Annotated[bool, typer.Option("--version", help="Show the version and exit.")] = False) -> None:
    """Options of the program itself."""
    if version:
        from plait import __version__

        typer.echo(f"plait {__version__}")
        raise typer.Exit


@app.command("list")
def list_(
    subject: Annotated[Subject | None, typer.Argument(help="Only these; both if left out.")] = None,
    as_json: Json = False,
) -> None:
    """List the methods and the data sets, one a line."""
    from plait.cli.listing import listing
    from plait.cli.printing import echo_json, echo_listing

    found = listing([str(subject)] if subject else [str(one) for one in Subject])
    (echo_json if as_json else echo_listing)(found)


@app.command()
def fit(
    source: Source,
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Folder to save the model in.")],
    method: Annotated[str, typer.Option(help="A method (see `plait list methods`).")] = "meta-fusion",
    param: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="A parameter of the method; repeat for more.")
    ] = None,
    modality: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Use this modality only; repeat for more.")
    ] = None,
    target: Target = None,
    id_column: Id = None,
    groups: Annotated[
        str | None, typer.Option(metavar="NAME", help="Column of groups that the validation must not divide.")
    ] = None,
    task: Annotated[Task | None, typer.Option(help="By the target if left out.")] = None,
    validation: Annotated[
        float, typer.Option(parser=_validation, metavar="SHARE|FOLDS", help="Samples held out: 0.2, or 5 folds.")
    ] = 0.2,
    epochs: Annotated[int | None, typer.Option(min=1, help="Most epochs of training.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same numbers.")] = 0,
    all_rows: Annotated[bool, typer.Option("--all-rows", help="Use the test rows of a data set too.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a model that is there.")] = False,
    as_json: Json = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress bars.")] = False,
) -> None:
    """Fit a method and save the model in a folder."""
    from plait.cli.fitting import FitRequest, fitted
    from plait.cli.printing import echo_json, echo_table
    from plait.cli.sources import Columns, open_source

    columns = Columns(target, id_column, groups, tuple(modality or ()))
    request = FitRequest(out, method, tuple(param or ()), task and task.value, validation, epochs, seed, overwrite)
    request.check()
    report = fitted(open_source(source, columns).training(all_rows=all_rows), request, verbose=not quiet)
    (echo_json if as_json else echo_table)(report)


@app.command()
def predict(
    model: Annotated[Path, typer.Argument(help="Folder of a saved model.")],
    source: Source,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Write csv, tsv or parquet, by the suffix.")] = None,
    probabilities: Annotated[bool, typer.Option("--probabilities", help="Add the probability of each class.")] = False,
    target: Target = None,
    id_column: Id = None,
    absent: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="This modality is absent in all samples; repeat for more.")
    ] = None,
    all_rows: Annotated[bool, typer.Option("--all-rows", help="Predict the training rows of a data set too.")] = False,
    as_json: Json = False,
) -> None:
    """Predict new samples with a saved model; score the predictions where the target is known."""
    from plait.cli.predicting import Predictions
    from plait.cli.printing import echo_json, echo_predictions
    from plait.cli.sources import Columns, open_source
    from plait.persistence import load

    estimator = load(model)
    names = [name for name in estimator.spec_.names if name not in (absent or ())]
    samples = open_source(source, Columns(target, id_column, None, tuple(names))).new(all_rows=all_rows)
    predictions = Predictions.of(estimator, samples, tuple(absent or ()), probabilities=probabilities)
    (echo_json if as_json else echo_predictions)(predictions.written(out))


@app.command()
def show(model: Annotated[Path, typer.Argument(help="Folder of a saved model.")], as_json: Json = False) -> None:
    """Show what a saved model is: method, modalities, classes, versions."""
    from plait.cli.listing import description
    from plait.cli.printing import echo_json, echo_table

    (echo_json if as_json else echo_table)(description(model))


def main() -> None:
    """Run the command line; exits with 0 (done), 1 (an error, said in one line), 2 (usage) or 130 (interrupted)."""
    with warnings.catch_warnings():
        warnings.simplefilter("always", UserWarning)
        warnings.showwarning = _note
        try:
            app()
        except EXPECTED as error:
            said = error.args[0] if isinstance(error, KeyError) and error.args else error
            typer.echo(f"plait: {' '.join(str(said).split())}", err=True)
            sys.exit(1)


def _note(message: Warning | str, *_: object) -> None:
    typer.echo(f"plait: {' '.join(str(message).split())}", err=True)
