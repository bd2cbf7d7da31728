"""What can be typed: the commands, and the one place where errors become messages."""

# ruff: noqa: PLC0415 - what needs torch is imported by the command that needs it, so that help is quick

import sys
import warnings

import typer

from plait.cli import options

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


@app.callback(invoke_without_command=True)
def plait(version: options.Version = False) -> None:
    """Options of the program itself."""
    if version:
        from plait import __version__

        typer.echo(f"plait {__version__}")
        raise typer.Exit


@app.command("list")
def list_(subject: options.Subjects = None, as_json: options.Json = False) -> None:
    """List the methods and the data sets, one a line."""
    from plait.cli.listing import listing
    from plait.cli.printing import echo_json, echo_listing

    found = listing([str(subject)] if subject else [str(one) for one in options.Subject])
    (echo_json if as_json else echo_listing)(found)


@app.command()
def fit(
    source: options.Source,
    out: options.OutFolder,
    method: options.MethodName = "meta-fusion",
    param: options.Params = None,
    modality: options.OnlyModalities = None,
    encoder: options.Encoders = None,
    cache: options.Cache = None,
    target: options.Target = None,
    ids: options.Ids = None,
    groups: options.Groups = None,
    task: options.Task = None,
    validation: options.Validation = None,
    epochs: options.Epochs = None,
    seed: options.Seed = 0,
    all_rows: options.AllRows = False,
    overwrite: options.Overwrite = False,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Fit a method and save the model in a folder."""
    from plait.cli import encoders, fitting, printing, sources

    kinds = encoders.kinds_from_text(encoder or ())
    columns = sources.Columns(target, ids, groups, tuple(modality or ()), tuple(kinds))
    settings = fitting.Settings(task and task.value, options.held_out(validation), epochs, seed, not quiet)
    request = fitting.FitRequest(method, tuple(param or ()), settings, out, overwrite, kinds, cache)
    request.check()
    report = fitting.fitted(sources.open_source(source, columns).training(all_rows=all_rows), request)
    (printing.echo_json if as_json else printing.echo_table)(report)


@app.command()
def predict(
    model: options.Model,
    source: options.Source,
    out: options.OutFile = None,
    probabilities: options.Probabilities = False,
    disagreement: options.Disagreement = False,
    target: options.Target = None,
    ids: options.Ids = None,
    absent: options.Absent = None,
    all_rows: options.AllRows = False,
    overwrite: options.Overwrite = False,
    as_json: options.Json = False,
) -> None:
    """Predict new samples with a saved model.

    Where the target is known, the predictions are scored.
    """
    from plait.cli import predicting, printing, sources
    from plait.persistence import load

    predicting.check_free(out, overwrite=overwrite)
    estimator = load(model)
    names = predicting.expected(estimator, absent or ())
    columns = sources.Columns(target, ids, modalities=names, texts=predicting.texts_of(estimator, names))
    samples = sources.open_source(source, columns).new(all_rows=all_rows)
    wanted = {"probabilities": probabilities, "disagreement": disagreement}
    predictions = predicting.Predictions.of(estimator, samples, absent or (), **wanted)
    (printing.echo_json if as_json else printing.echo_predictions)(predictions.written(out))


@app.command()
def compare(
    source: options.Source,
    out: options.CompareFolder,
    methods: options.MethodNames = "all",
    folds: options.Folds = None,
    repeats: options.Repeats = 1,
    seeds: options.Seeds = None,
    seed: options.Seed = 0,
    metric: options.Metric = None,
    margin: options.Margin = 0.01,
    probe: options.Probe = None,
    ledger: options.LedgerName = "auto",
    controls: options.Controls = True,
    curve: options.Curve = False,
    calibration: options.Calibration = None,
    jobs: options.Jobs = -1,
    modality: options.OnlyModalities = None,
    encoder: options.Encoders = None,
    target: options.Target = None,
    ids: options.Ids = None,
    groups: options.Groups = None,
    task: options.Task = None,
    validation: options.Validation = None,
    epochs: options.Epochs = None,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Compare methods on the same folds, and say whether fusion is worth it, which kind, and what carries it.

    A killed comparison goes on where it stopped when the same command is run again.
    """
    from plait.cli import comparing, encoders, sources

    kinds = encoders.kinds_from_text(encoder or ())
    columns = sources.Columns(target, ids, groups, tuple(modality or ()), tuple(kinds))
    chosen = {"metric": metric, "margin": margin, "probe": probe, "ledger": ledger, "controls": controls, "jobs": jobs}
    chosen["calibration"] = calibration
    fits = comparing.Fits(task and task.value, epochs, options.held_out(validation), not quiet)
    protocol = comparing.Protocol(folds, repeats, seeds, seed)
    request = comparing.CompareRequest(methods, protocol, fits, out, chosen, curve, kinds)
    found = comparing.compared(sources.open_source(source, columns), request)
    comparing.tell(found, out, as_json=as_json)
    comparing.settle(found)


@app.command()
def rank(
    folders: options.RankFolders,
    metric: options.Metric = None,
    out: options.RankPicture = None,
    as_json: options.Json = False,
) -> None:
    """Rank methods over the comparisons of several data sets: Friedman's test and critical difference."""
    from plait.cli import printing, ranking

    found, left_out = ranking.ranked(folders, metric)
    if out is not None:
        ranking.draw(found, out)
    (printing.echo_json if as_json else printing.echo_table)(ranking.summary(found, left_out))


@app.command()
def reproduce(
    name: options.Reproduction = None,
    only: options.Only = None,
    seeds: options.SeedList = "1,2,3",
    out: options.ReproduceFolder = None,
    epochs: options.Epochs = None,
    threads: options.Threads = None,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Run a paper's experiment on public data; without a NAME, list what there is and how long it takes.

    A killed reproduction goes on where it stopped when the same command is run again.
    """
    from plait.cli import printing

    if name is None:
        from plait.reproduce.registry import listing

        found = {"reproductions": listing()}
        (printing.echo_json if as_json else printing.echo_listing)(found)
        return
    from plait.cli import reproducing

    request = reproducing.ReproduceRequest(name, tuple(only or ()), seeds, out, epochs, threads, int(not quiet))
    outcome = reproducing.reproduced(request)
    if as_json:
        printing.echo_json({**outcome.to_json(), "saved_in": request.folder})
    else:
        typer.echo("\n".join(reproducing.lines(outcome, request.folder)))
    reproducing.settle(outcome)


@app.command()
def show(model: options.Model, as_json: options.Json = False) -> None:
    """Show what a saved model is.

    Method with all its choices, what its search found, modalities, classes, versions.
    """
    from plait.cli import listing, printing

    (printing.echo_json if as_json else printing.echo_table)(listing.description(model))


@app.command()
def report(
    model: options.Model,
    out: options.ReportFile,
    tables: options.TablesFolder = None,
    overwrite: options.Overwrite = False,
    as_json: options.Json = False,
) -> None:
    """Write what the search of a saved model found: maps, intervals and verdict, in one HTML file.

    The model is one of skew-pair fusion that searched for its pairs.
    """
    from plait.cli import printing, reporting

    found = reporting.written(model, reporting.ReportRequest(out, tables, overwrite))
    (printing.echo_json if as_json else printing.echo_table)(found)


def main() -> None:
    """Run the command line; exits with 0 (done), 1 (an error, said in one line), 2 (usage) or 130 (interrupted)."""
    with warnings.catch_warnings():
        warnings.simplefilter("always", UserWarning)
        warnings.showwarning = _note
        try:
            app(prog_name="plait")
        except EXPECTED as error:
            said = error.args[0] if isinstance(error, KeyError) and error.args else error
            _note(" ".join([str(said), *getattr(error, "__notes__", ())]))
            sys.exit(1)


def _note(message: Warning | str, *_: object, **__: object) -> None:
    """Say something beside the results, in one line."""
    typer.echo(f"plait: {' '.join(str(message).split())}", err=True)
