"""What the runs of a plan gave, put together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from plait.compare.labels import twins
from plait.compare.outcomes import Outcomes, Predicted
from plait.compare.runs.plan import Contender, Plan, Run
from plait.compare.runs.record import Record

_PLACE = ["method", "repeat", "fold", "seed"]
_FACTS = [*_PLACE, "kind", "key", "seconds", "train", "test", "epochs", "resolved", "warnings"]


@dataclass(frozen=True)
class Executed:
    """A plan that was run.

    Args:
        outcomes: Held-out predictions of all contenders.
        facts: One row a run that gave something: method (the label), kind, repeat, fold, seed, key, seconds, train and
            test (samples), epochs (rows of the history), resolved (the method as JSON values), warnings (a list), and
            the versions of the packages.
        tables: The findings of the fits by name ("cohort", "modality_values", "rho_path", ...), those of all runs below
            each other, with the columns method, repeat, fold and seed before the index and columns of their own.
        computed: Number of runs that were computed now.
        reused: Number of runs that were read from the store.
        failures: Why a contender gave nothing, by label.
    """

    outcomes: Outcomes
    facts: pd.DataFrame
    tables: Mapping[str, pd.DataFrame]
    computed: int
    reused: int
    failures: Mapping[str, str]


def collect(
    plan: Plan, runs: Sequence[Run], records: Mapping[str, Record], failures: Mapping[str, str], computed: int
) -> Executed:
    """Put the records of runs together.

    Args:
        plan: The plan.
        runs: Its runs.
        records: What they gave, by key.
        failures: Why contenders failed, by label.
        computed: Number of records that are new.
    """
    whole = [run for run in runs if run.contender.label not in failures]
    predicted = {
        contender.label: _predicted(plan, contender, whole, records, failures.get(contender.label, ""))
        for contender in plan.contenders
    }
    rows = [_facts(run, records[run.key]) for run in whole]
    facts = pd.DataFrame(rows) if rows else pd.DataFrame(columns=_FACTS)
    outcomes = Outcomes(plan.truth, predicted, tuple(plan.seeds))
    return Executed(outcomes, facts, _tables(whole, records), computed, len(records) - computed, dict(failures))


def _predicted(
    plan: Plan, contender: Contender, runs: Sequence[Run], records: Mapping[str, Record], failure: str
) -> Predicted:
    """The outputs of a contender in place; all NaN if it failed."""
    repeats, folds = plan.splits.train.shape
    outputs = np.full((len(plan.seeds), repeats, plan.splits.samples, plan.samples.outputs), np.nan)
    seconds = np.full((len(plan.seeds), repeats, folds), np.nan)
    for run in runs:
        if run.contender.label == contender.label:
            seed, split = plan.seeds.index(run.seed), run.split
            outputs[seed, split.repeat, split.test] = records[run.key].outputs
            seconds[seed, split.repeat, split.fold] = records[run.key].seconds
    joins, reads = contender.method.joins, contender.reads(plan.modalities)
    learner = repr(twins(contender.method)[:1])
    return Predicted(contender.label, contender.kind, joins, outputs, seconds, reads, failure, learner)


def _place(run: Run) -> dict[str, Any]:
    split = run.split
    return {"method": run.contender.label, "repeat": split.repeat, "fold": split.fold, "seed": run.seed}


def _facts(run: Run, record: Record) -> dict[str, Any]:
    facts = record.facts
    return {
        **_place(run),
        "kind": run.contender.kind,
        "key": run.key,
        "seconds": record.seconds,
        "train": len(run.split.train),
        "test": len(run.split.test),
        "epochs": facts["history"]["rows"],
        "resolved": facts["resolved"],
        "warnings": facts["warnings"],
        **facts["versions"],
    }


def _tables(runs: Sequence[Run], records: Mapping[str, Record]) -> dict[str, pd.DataFrame]:
    found: dict[str, list[pd.DataFrame]] = {}
    for run in runs:
        for name, table in records[run.key].tables.items():
            found.setdefault(name, []).append(table.reset_index().assign(**_place(run)))
    whole = {name: pd.concat(parts, ignore_index=True) for name, parts in found.items()}
    return {
        name: table[[*_PLACE, *(column for column in table if column not in _PLACE)]] for name, table in whole.items()
    }
