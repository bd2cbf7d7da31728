"""What mutual learning does, in theory and as measured: five exact statements about least-squares students."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property, lru_cache, partial

import pandas as pd

from plait.reproduce.planted_checks import Threshold, checks
from plait.reproduce.study import Found, Request, Run, Study
from plait.reproduce.theory_picture import pictures
from plait.reproduce.theory_statements import TheoryProtocol, Trained, new_samples, t1, t2, t3, t4, t5, train

NOTE = (
    "Derivations of ours for least-squares students, not the paper's theorem; no number of the paper is claimed. A "
    "seed is that of the labels' noise (and of all that is drawn in T1 and on new samples): other seeds are "
    "independent repetitions. `distance` is the largest difference of a measured point from its formula, `away` the "
    "same in standard errors of the mean over the repetitions of a run."
)
NEW = "new-samples"
_TRAINED = "linear cohort of plait, trained by plait's trainer"
_CLOSED = "heads in closed form of plait, labels of their own"
SAYS: Mapping[str, tuple[str, str]] = {
    "T1": ("each student fits labels that were smoothed", f"{_TRAINED}; share of a direction that is left"),
    "T2": ("variance from noise in the labels falls", f"{_TRAINED}; 5 students, 50 samples"),
    "T3": ("a small rho helps every student", f"{_TRAINED}; change of the risk in sample since rho = 0"),
    "T4": ("students that can imitate meet at the mean", f"{_CLOSED}; risk in sample"),
    "T5": ("an ensemble gains its students' ambiguity", f"{_CLOSED}; risk in sample"),
    NEW: ("T1 on new samples", "closed form on simulated data sets, beside values known from other draws"),
}
"""Statement and protocol by arm."""
OURS = "ours"
_MOST_AWAY = 4.0
THRESHOLDS = (
    Threshold("T1", "distance", "trained fits minus those of smoothed labels", most=1e-6, source=OURS),
    *(
        Threshold(arm, "away", "points from their formulas, in standard errors", most=_MOST_AWAY, source=OURS)
        for arm in ("T2", "T3", "T4", "T5")
    ),
    Threshold("T2", "rise", "largest change of a variance from one rho to the next", most=0.0, source=OURS),
    Threshold("T3", "slope_away", "slopes at 0 from theirs, in standard errors", most=_MOST_AWAY, source=OURS),
    Threshold("T3", "first_change", "upper end of a student's change of risk at rho = 0.05", most=0.0, source=OURS),
    Threshold("T4", "over_best", "risk at the formula's best rho over the lowest", most=1.01, source=OURS),
    Threshold("T4", "harm", "lower end of what bad teachers add to the risk, rho = 0.25", least=0.0, source=OURS),
    Threshold("T5", "inexact", "identity of ambiguity, constant mean, shrinkage", most=1e-9, source=OURS),
    Threshold(NEW, "away", "risks from known ones, in standard errors of both", most=_MOST_AWAY, source=OURS),
)


def study(request: Request, protocol: TheoryProtocol | None = None) -> Study:
    """All runs: statements x seeds, seed by seed.

    Args:
        request: Seeds, steps of the training, threads.
        protocol: Constants; None is the default ones.
    """
    made = protocol or TheoryProtocol()
    made = replace(made, epochs=request.epochs or made.epochs)
    plan = Plan(made, request.threads)
    return Study(
        name="meta-fusion/theory",
        note=NOTE,
        settings=asdict(made),
        runs=tuple(plan.run(arm, seed) for seed in request.seeds for arm in SAYS),
        metrics={"distance": "lower", "away": "lower"},
        contrasts=lambda _: (),
        published=lambda _: pd.DataFrame(),
        checks=partial(checks, thresholds=THRESHOLDS),
        pictures=pictures,
    )


@dataclass(frozen=True)
class Plan:
    """Makes the runs; students are trained once a seed.

    Args:
        protocol: Constants.
        threads: Threads of the training; None is the trainer's choice.
    """

    protocol: TheoryProtocol
    threads: int | None = None

    @cached_property
    def trained(self) -> Callable[[int], Trained]:
        """The students of T1 to T3, by seed."""
        return lru_cache(maxsize=1)(partial(train, self.protocol, self.threads))

    @property
    def ways(self) -> Mapping[str, Callable[[int], Found]]:
        """What is measured with a seed, by arm."""
        made = self.protocol
        return {
            "T1": lambda seed: t1(made, self.trained(seed), made.trainer(self.threads), seed),
            "T2": lambda seed: t2(self.trained(seed)),
            "T3": lambda seed: t3(self.trained(seed)),
            "T4": partial(t4, made),
            "T5": partial(t5, made),
            NEW: partial(new_samples, made),
        }

    def run(self, arm: str, seed: int) -> Run:
        """One statement with one seed."""
        method, protocol = SAYS[arm]
        labels = {"group": arm, "method": method, "protocol": protocol}
        return Run(arm, seed, labels, lambda _verbose: self.ways[arm](seed))
