"""The options of the commands: what each is called, takes and means."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Subject(StrEnum):
    """What `plait list` can list."""

    METHODS = "methods"
    DATASETS = "datasets"


class TaskName(StrEnum):
    """What a target is taken for."""

    CLASSIFICATION = "classification"
    REGRESSION = "regression"


Absent = Annotated[
    list[str] | None,
    typer.Option("--absent", metavar="NAME", help="This modality is absent in all samples; repeat for more."),
]
AllRows = Annotated[bool, typer.Option("--all-rows", help="All rows of a data set, whatever its published split.")]
Controls = Annotated[bool, typer.Option(help="Refit one method on spoiled data, which must then learn nothing.")]
Curve = Annotated[bool, typer.Option("--curve", help="Also a learning curve: best fusion, best single modality.")]
Cache = Annotated[
    Path | None, typer.Option("--cache", metavar="FOLDER", help="Keep what encoders give; it is not computed again.")
]
Disagreement = Annotated[
    bool, typer.Option("--disagreement", help="Add how far the model's own predictors are apart: how unsure it is.")
]
Encoders = Annotated[
    list[str] | None,
    typer.Option("--encoder", metavar="NAME=minilm", help="This modality is texts, read so; repeat for more."),
]
Epochs = Annotated[int | None, typer.Option(min=1, metavar="N", help="Most epochs of training.")]
Calibration = Annotated[
    str | None,
    typer.Option(metavar="temperature", help="Scale probabilities on validation samples."),
]
CompareFolder = Annotated[
    Path, typer.Option("--out", metavar="FOLDER", help="Folder of runs and results; what is there is gone on with.")
]
Folds = Annotated[int | None, typer.Option(min=2, metavar="N", help="Folds; a published split, else 5, if left out.")]
Groups = Annotated[str | None, typer.Option(metavar="NAME", help="Column of groups that validation does not divide.")]
Ids = Annotated[str | None, typer.Option("--id", metavar="NAME", help="Column of the sample ids, in every file.")]
Jobs = Annotated[int, typer.Option(min=-1, metavar="N", help="Processes to spread the runs over; -1 is one a core.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object on standard output and nothing else.")]
LedgerName = Annotated[
    str, typer.Option(metavar="auto|full|none", help="Refits on subsets of the modalities, for what each is worth.")
]
Margin = Annotated[float, typer.Option(min=0, metavar="SIZE", help="Differences up to this count as none.")]
Metric = Annotated[str | None, typer.Option(metavar="NAME", help="What decides; accuracy or r2 if left out.")]
MethodNames = Annotated[
    str,
    typer.Option(
        metavar="NAMES", help="Names with commas between, each with parameters: late[rule=stacking];  or all."
    ),
]
MethodName = Annotated[str, typer.Option(metavar="NAME", help="A method (see `plait list methods`).")]
Model = Annotated[Path, typer.Argument(metavar="MODEL", help="Folder of a saved model.")]
OnlyModalities = Annotated[
    list[str] | None, typer.Option("--modality", metavar="NAME", help="Use this modality only; repeat for more.")
]
OutFile = Annotated[Path | None, typer.Option(metavar="FILE", help="Write csv, tsv or parquet, by the suffix.")]
OutFolder = Annotated[Path, typer.Option(metavar="FOLDER", help="Folder to save the model in.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace a model, or a file, that is there.")]
Params = Annotated[
    list[str] | None,
    typer.Option("--param", metavar="NAME=VALUE", help="A parameter of the method; repeat for more."),
]
Probabilities = Annotated[bool, typer.Option("--probabilities", help="Add the probability of each class.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="No progress bars.")]
Probe = Annotated[str | None, typer.Option(metavar="NAME", help="Method for ledger and controls; early if left out.")]
Only = Annotated[
    list[str] | None,
    typer.Option("--only", metavar="PATTERN", help="Only runs whose name matches: 'ETTh1-96/*'; repeat for more."),
]
RankFolders = Annotated[
    list[Path], typer.Argument(metavar="FOLDER...", help="Folders of comparisons, one a data set; two or more.")
]
RankPicture = Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write the diagram: svg, png or pdf.")]
ReportFile = Annotated[Path, typer.Option("--out", metavar="FILE", help="The report, one HTML file.")]
Repeats = Annotated[int, typer.Option(min=1, metavar="N", help="How often the folds are drawn anew.")]
ReproduceFolder = Annotated[
    Path | None,
    typer.Option("--out", metavar="FOLDER", help="Folder of runs and tables; reproduced/NAME if left out."),
]
Reproduction = Annotated[
    str | None, typer.Argument(metavar="NAME", help="What is reproduced; if left out, what there is is listed.")
]
SeedList = Annotated[str, typer.Option("--seeds", metavar="SEEDS", help="Seeds of the models, with commas between.")]
Seeds = Annotated[
    int | None, typer.Option(min=1, metavar="N", help="Seeds of every model; 5 on a published split, else 1.")
]
Seed = Annotated[int, typer.Option(min=0, metavar="N", help="The same seed gives the same numbers.")]
Source = Annotated[
    str, typer.Argument(metavar="SOURCE", help="A data set by name, or a folder with one file a modality.")
]
Subjects = Annotated[Subject | None, typer.Argument(help="Only these; both if left out.")]
TablesFolder = Annotated[Path | None, typer.Option("--tables", metavar="FOLDER", help="Also all tables, as csv.")]
Target = Annotated[str | None, typer.Option(metavar="NAME", help="Column of the target, in one of the files.")]
Task = Annotated[TaskName | None, typer.Option(help="By the target if left out.")]
Threads = Annotated[int | None, typer.Option(min=1, metavar="N", help="Threads on the processor.")]
Validation = Annotated[
    str | None,
    typer.Option(
        metavar="SHARE|FOLDS",
        help="Samples held out (0.2), folds (5), or 0 for none; by the number of samples if not given.",
    ),
]
Version = Annotated[bool, typer.Option("--version", help="Show the version and exit.")]


def held_out(text: str | None) -> int | float | None:
    """A share stays a share, a whole number is a number of folds, nothing is the estimators' default.

    Raises:
        BadParameter: If it is neither.
    """
    if text is None:
        return None
    try:
        return int(text) if text.isdigit() else float(text)
    except ValueError as error:
        said = f"a share (0.2) or a whole number of folds (5) is expected, got {text!r}"
        raise typer.BadParameter(said, param_hint="--validation") from error
