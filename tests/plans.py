"""Small comparisons that several test files run."""

import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from plait.compare.runs.parallel import execute
from plait.compare.runs.plan import Contender, Plan
from plait.compare.runs.splits import make_splits
from plait.methods.baseline import Baseline
from plait.methods.early import EarlyFusion
from plait.methods.late import LateFusion
from plait.methods.meta import MetaFusion
from samples import small_trainer, three_modalities

COHORT = MetaFusion(extractors=("identity", "pca-1", "null"), hidden=(4,), rhos=(0.0, 1.0), learners=())
USUAL = (
    Contender("baseline", "baseline", Baseline()),
    Contender("early", "fusion", EarlyFusion(hidden=(4,))),
    Contender("meta", "fusion", COHORT),
)


@dataclass(repr=False, eq=False)
class SlowBaseline(Baseline):
    """The baseline, after a pause.

    Args:
        pause: Seconds.
    """

    pause: float = 0.0

    def fit(self, course):
        time.sleep(self.pause)
        return super().fit(course)


def small_plan(*contenders, n=60, folds=2, repeats=1, **changed):
    """Two classes, three modalities with absent ones, two folds, one seed."""
    modalities, y = three_modalities(n)
    usual = {
        "modalities": modalities,
        "target": np.array(["ill", "well"])[y],
        "task": "classification",
        "groups": None,
        "splits": make_splits(n, y, folds=folds, repeats=repeats),
        "seeds": (0,),
        "contenders": contenders or USUAL,
        "trainer": replace(small_trainer(epochs=2), threads=None),
        "validation": 0.25,
    }
    return Plan(**usual | changed)


def slow_plan(pause):
    """Sixteen runs of which twelve take a while."""
    slow = [Contender(f"slow {place}", "fusion", SlowBaseline(pause + place / 1e6)) for place in range(3)]
    return small_plan(*slow, Contender("late", "fusion", LateFusion(hidden=(2,))), repeats=2)


def same_outcomes(one, other):
    """Whether two comparisons predicted the same, bit for bit."""
    pairs = [(one[label], other[label]) for label in one.contenders]
    return list(one.contenders) == list(other.contenders) and all(
        np.array_equal(mine.outputs, theirs.outputs, equal_nan=True) for mine, theirs in pairs
    )


if __name__ == "__main__":
    done = execute(slow_plan(float(sys.argv[2])), sys.argv[1], int(sys.argv[3]), verbose=0)
    Path(sys.argv[4]).write_text(f"{done.computed} {done.reused}")
