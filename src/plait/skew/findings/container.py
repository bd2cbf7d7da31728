"""What a search of pairs came to, as tables: all that a report, a file or the command line reads."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import pandas as pd

from plait.skew.findings.columns import typed
from plait.skew.findings.contenders import Contender
from plait.skew.findings.evidence import Evidence
from plait.skew.findings.files import read_tables, write_tables
from plait.skew.findings.finding import found_tables
from plait.skew.judge import Judge
from plait.skew.search import Search
from plait.statistics.bootstrap import LEVEL


@dataclass(frozen=True, repr=False, eq=False)
class Findings:
    """What a search of pairs came to.

    Scores are greater-is-better: the metric, negated where lower is better. A gain is over the best single tap, which
    is one and the same in every draw. Intervals are of the bootstrap draws of the judged samples, nothing is fitted
    again: `gain_low` and `gain_high` of the summary and of the pairs are one-sided bounds at the level, each side
    simultaneous over all candidates of the search; all others are percentile intervals of one number by itself, and
    what was chosen (the best pair, the best tap) is the same in every draw. After Hu et al. (2024), a reconstruction;
    bounds, baselines and concentration are ours.

    Args:
        summary: One row. `verdict`, `operator` ("" if no fusion is supported), `pairs`, `tap` (the best single one),
            `gain` and `gain_low` (as in `Selection`), `score` (of the choice), `level`, `draws`, `margin`, `train`
            and `held` (samples; over folds the mean and the sum), `skew_effect` (best skew pair minus best diagonal
            one), `p_skew` (share of draws in which the best pair is skew), `hoyer` and `gini` (concentration of the
            positive gains; NaN without any), `entropy` (of the frequencies, in nats), `cost` (share of all blocks
            that must run), `sentence`, `trail` (a line a step). Of the pairs of one operator: the chosen one, or that
            of the best candidate.
        depths: Number of taps of each modality.
        pairs: One row a single pair and operator. `gain_own`: over the better of its own two taps; `gain_late`: over
            the last taps of the same two modalities; `frequency`: share of draws in which it is the best pair of its
            operator; `in_confidence_set`: not told apart from the best candidate.
        taps: Every tap alone.
        sets: Ladder of density, the number of pairs over that of the deepest taps. `kind` is "greedy" (built pair by
            pair in the search), "late" (all last taps), "pairwise" (all taps of equal depth) or "window" (so many
            pairs of the skewness of the best pair, from the top). The last three are of one operator, as above.
        skew: Mean and best gain of the pairs of every skewness d of two modalities, and how often one is the best.
        marginals: How often a pair with this tap is the best one of an operator.
        baselines: What the choice is compared with, and by how much it is better. `what` says how each was made; what
            is left to choose (tap, pair, operator) was chosen by the samples that chose.
        similarity: Of every two taps: debiased linear `cka`; shares of samples that exactly one of both single heads
            decides rightly (`disagreement`) and that neither does (`double_fault`); NaN for values.
        tested: As `baselines`, of the same choices on other samples that chose nothing; no row if there were none.
    """

    summary: pd.DataFrame
    depths: pd.DataFrame
    pairs: pd.DataFrame
    taps: pd.DataFrame
    sets: pd.DataFrame
    skew: pd.DataFrame
    marginals: pd.DataFrame
    baselines: pd.DataFrame
    similarity: pd.DataFrame
    tested: pd.DataFrame

    @classmethod
    def of(
        cls, search: Search, judge: Judge, test: Judge | None = None, level: float = LEVEL, margin: float = 0.0
    ) -> "Findings":
        """Everything that can be said of a search.

        Args:
            search: What was found.
            judge: By what it was found.
            test: A judge of other samples, with heads of the same training samples, metric and settings: it tells how
                good what was chosen is, and chooses nothing.
            level: Level of the intervals, in (0, 1): that of the search.
            margin: What the search gave away for sparsity.

        Raises:
            ValueError: If a judge is of other taps, another metric or another number of draws.
        """
        [tables] = found_tables([Evidence(search, judge, level, margin)], [] if test is None else [test])
        return cls.from_tables(tables)

    @classmethod
    def of_folds(
        cls,
        folds: Sequence[tuple[Search, Judge, Judge]],
        rivals: Sequence[Sequence[Contender]] | None = None,
        level: float = LEVEL,
        margin: float = 0.0,
    ) -> list["Findings"]:
        """Findings of searches that each had samples of their own: of one fold the same as `of`.

        Args:
            folds: Of each fold the search, its judge, and a judge of other samples; at least one fold.
            rivals: Of each fold what the choice is compared with, and the choice itself, by the same names in the same
                order; None is the same as in `of`, in closed form.
            level: As in `of`.
            margin: As in `of`.

        Returns:
            One a fold. `tested` is the same in all of them: the choices of each fold on its own test samples, which are
            scored together.

        Raises:
            ValueError: If a judge is of other taps, another metric or another number of draws.
        """
        seen = [Evidence(search, judge, level, margin) for search, judge, _ in folds]
        return [cls.from_tables(tables) for tables in found_tables(seen, [test for *_, test in folds], rivals)]

    @classmethod
    def from_tables(cls, tables: Mapping[str, pd.DataFrame]) -> "Findings":
        """Findings of their tables by name, also as they were read from files.

        Raises:
            ValueError: If a table or a column is missing, or there is another one.
        """
        names = [part.name for part in fields(cls)]
        if set(tables) != set(names):
            raise ValueError(f"Findings are the tables {', '.join(names)}; got {', '.join(tables) or 'none'}.")
        return cls(**{name: typed(name, tables[name]) for name in names})

    def __repr__(self) -> str:
        row = self.summary.iloc[0]
        chosen = f"{row['verdict']}: {row['pairs']} by {row['operator']}" if row["operator"] else row["verdict"]
        return f"Findings({chosen}, gain {row['gain']:.3f}, at least {row['gain_low']:.3f})"

    def __str__(self) -> str:
        return "\n".join([self.sentence, *str(self.summary["trail"].iloc[0]).splitlines()])

    def tables(self) -> dict[str, pd.DataFrame]:
        """All tables by name: `Findings.from_tables(found.tables())` is the same."""
        return {part.name: getattr(self, part.name) for part in fields(self)}

    @property
    def verdict(self) -> str:
        """One of "skew pair", "diagonal pair", "several pairs" and "no supported fusion"."""
        return str(self.summary["verdict"].iloc[0])

    @property
    def sentence(self) -> str:
        """What was found, in plain words."""
        return str(self.summary["sentence"].iloc[0])

    def write(self, folder: str | os.PathLike[str]) -> Path:
        """Write report.json with all tables, and one csv a table, into a folder: all of it or nothing.

        Args:
            folder: Its parent must exist. One that findings were written into is brought up to date.

        Returns:
            The folder.

        Raises:
            FileExistsError: If there is such a folder and it holds no findings.
            FileNotFoundError: If its parent does not exist.
        """
        return write_tables(self.tables(), folder)

    @classmethod
    def read(cls, folder: str | os.PathLike[str]) -> "Findings":
        """Findings that were written into a folder.

        Raises:
            FileNotFoundError: If there are none.
            ValueError: If its report.json is none of findings, or of a later version.
        """
        return cls.from_tables(read_tables(folder))

    def report(self, path: str | os.PathLike[str]) -> Path:
        """Write one HTML file with the figures.

        Args:
            path: The file; its folder must exist.
        """
        from plait.skew.report import write_report  # noqa: PLC0415  (drawing is loaded where it is wanted)

        return write_report(self, path)
