"""What a reproduction is: runs that each give numbers, and what is to be compared at the end."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

Table = Mapping[str, Mapping[str, float]]
"""Rows of columns, by name: a confusion matrix, for example."""


@dataclass(frozen=True)
class Request:
    """What may be asked of every reproduction.

    Args:
        seeds: Seeds of the models.
        epochs: Most epochs; None is what the protocol says.
        threads: Threads on the processor; None is the trainer's choice. Results do not depend on it but for rounding.
    """

    seeds: tuple[int, ...] = (1, 2, 3)
    epochs: int | None = None
    threads: int | None = None


@dataclass(frozen=True)
class Found:
    """What a run gives.

    Args:
        numbers: Metrics and facts by name; NaN where one is undefined.
        tables: Tables by name, for example "confusion".
        files: Makes a folder with what else is worth keeping, of a name that nothing bears yet; None is nothing.
    """

    numbers: Mapping[str, float]
    tables: Mapping[str, Table] = field(default_factory=dict)
    files: Callable[[Path], None] | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Run:
    """One model on one data set with one seed.

    Args:
        arm: What is run, without the seed: "group/modalities/method". Runs of an arm differ by their seed alone.
        seed: Seed of the model.
        labels: What a reader must know of the numbers: group, method, protocol, ...; the same names in all runs of a
            study, the same values in all runs of an arm.
        fit: Fits and tests; its argument is 1 where progress is to be shown, else 0.
    """

    arm: str
    seed: int
    labels: Mapping[str, str | int]
    fit: Callable[[int], Found]

    @property
    def name(self) -> str:
        """What `--only` filters by."""
        return f"{self.arm}/{self.seed}"


@dataclass(frozen=True)
class Contrast:
    """Two arms, of which one is subtracted from the other, seed by seed.

    Args:
        arm: The one that is asked about.
        minus: The one that it is compared with.
        note: How the other was chosen, where that needs saying.
    """

    arm: str
    minus: str
    note: str = ""


Contrasts = Callable[[pd.DataFrame], Sequence[Contrast]]
"""From the results, one row a run, to what is compared; arms that have no run are passed over."""
Published = Callable[[pd.DataFrame], pd.DataFrame]
"""From the results to public numbers beside them: columns group, method, metric, value, sd, protocol, source."""
Checks = Callable[[pd.DataFrame], pd.DataFrame]
"""From the results to thresholds: columns check, threshold, measured, runs, held (True or False), source (who set it).
Thresholds of runs that are not there are left out."""
Pictures = Callable[[pd.DataFrame, Mapping[str, pd.DataFrame]], Mapping[str, Figure]]
"""From the results and the tables that runs gave (one row a run and cell), by name, to pictures by name of the file."""

Overviews = Callable[[pd.DataFrame], Mapping[str, pd.DataFrame]]
"""From the results to what they say together: tables by name of the file."""


@dataclass(frozen=True)
class Study:
    """A paper's experiment.

    Args:
        name: Its name: "paper/task".
        note: What has to be said with every number.
        settings: All constants that the numbers depend on, as JSON values.
        runs: What is run, in this order.
        metrics: The metrics that are compared, by name, each "lower" or "higher": which is better.
        contrasts: Which arms are compared.
        published: Public numbers for the groups that were run.
        checks: Thresholds that the numbers must keep, and whether they do; None is none.
        pictures: What is drawn of all runs together; None is nothing.
        overviews: What all runs say together, in tables; None is nothing.
    """

    name: str
    note: str
    settings: Mapping[str, Any]
    runs: tuple[Run, ...]
    metrics: Mapping[str, str]
    contrasts: Contrasts
    published: Published
    checks: Checks | None = None
    pictures: Pictures | None = None
    overviews: Overviews | None = None
