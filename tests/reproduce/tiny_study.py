"""A study whose fits are instant: numbers by arm and seed, and a list of what was fitted."""

from dataclasses import dataclass, field
from functools import partial

import pandas as pd

from plait.reproduce.study import Contrast, Found, Run, Study

NUMBERS = {"a/x/new": {1: 1.0, 2: 2.0, 3: 6.0}, "a/x/old": {1: 2.0, 2: 4.0, 3: 5.0}, "b/y/new": {1: 7.0}}
PUBLIC = pd.DataFrame(
    {
        "group": ["a", "a"],
        "method": ["theirs", "theirs"],
        "metric": ["error", "other"],
        "value": [0.5, 0.25],
        "sd": [0.01, float("nan")],
        "lookback": ["336", "336"],
        "protocol": ["their protocol", "their protocol"],
        "source": ["a table | of theirs", "a table | of theirs"],
    }
)


@dataclass
class Tiny:
    """Makes the study; `fitted` lists the names of the runs that were fitted, `broken` those that are interrupted.

    `table` names the table that every run gives; pictures are drawn of "confusion".
    """

    numbers: dict[str, dict[int, float]] = field(default_factory=lambda: dict(NUMBERS))
    settings: dict[str, object] = field(default_factory=lambda: {"epochs": 3, "sizes": (1, 2)})
    broken: tuple[str, ...] = ()
    table: str = "counts"
    fitted: list[str] = field(default_factory=list)

    def study(self) -> Study:
        runs = tuple(self._run(arm, seed) for arm, seeds in self.numbers.items() for seed in seeds)
        return Study(
            name="tiny/study",
            note="No number of the paper is claimed.",
            settings=self.settings,
            runs=runs,
            metrics={"error": "lower"},
            contrasts=lambda results: [Contrast("a/x/new", "a/x/old"), Contrast("a/x/new", "nobody")],
            published=lambda results: PUBLIC[PUBLIC["group"].isin(results.get("group", []))],
        )

    def _run(self, arm: str, seed: int) -> Run:
        group, _, method = arm.split("/")
        labels = {"group": group, "lookback": 96, "method": method, "protocol": "ours"}
        return Run(arm, seed, labels, partial(self._fit, arm, seed))

    def _fit(self, arm: str, seed: int, verbose: int) -> Found:
        if f"{arm}/{seed}" in self.broken:
            raise KeyboardInterrupt
        self.fitted.append(f"{arm}/{seed}")
        table = {"N": {"N": 3.0, "S": 1.0}, "S": {"N": 0.0, "S": float(seed)}}
        return Found({"error": self.numbers[arm][seed], "undefined": float("nan")}, {self.table: table})
