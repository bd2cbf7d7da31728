"""What others reach on the simulations of Meta Fusion, seed by seed: the authors' code, and classical baselines."""

from collections.abc import Collection
from dataclasses import dataclass

import pandas as pd

META, RIDGE = "Meta Fusion", "ridge on all features"
SPLIT = "legacy generator, 1280 + 320 rows for fitting, test MSE on 400 rows"
_AUTHORS = """
1.1 | 1 | 5.982 | 6.433 | 6.107 | 6.404 | 49.02 | 6.359
1.1 | 2 | 4.352 | 4.502 | 4.655 | 4.664 | 29.29 | 4.964
1.1 | 3 | 3.823 | 3.812 | 4.081 | 4.063 | 36.55 | 4.231
1.1 | 4 | 4.688 | 4.676 | 4.921 | 4.847 | 49.84 | 4.889
1.1 | 5 | 6.467 | 6.873 | 6.336 | 6.859 | 51.52 | 7.025
1.2 | 1 | 30.13 | 30.11 | 37.19 | 57.32 | 135.44 | 87.58
1.2 | 2 | 37.44 | 37.75 | 38.48 | 71.07 | 162.75 | 103.15
1.2 | 3 | 37.99 | 39.00 | 44.47 | 67.72 | 159.34 | 113.45
1.3 | 1 | 43.62 | 43.51 | 48.87 | 117.33 | 153.04 | 121.25
1.3 | 2 | 47.79 | 47.23 | 48.29 | 124.36 | 185.66 | 135.77
1.3 | 3 | 46.03 | 45.81 | 48.91 | 117.54 | 158.05 | 135.68
2.1 | 1 | 2.365 | 2.439 | 2.732 | 2.659 | 2.716 | 2.897
2.1 | 2 | 2.137 | 2.204 | 2.251 | 2.277 | 2.316 | 2.158
2.1 | 3 | 1.995 | 2.064 | 2.065 | 2.119 | 2.145 | 2.262
2.1 | 4 | 1.700 | 1.733 | 1.851 | 1.756 | 1.806 | 1.749
2.1 | 5 | 2.586 | 2.629 | 2.727 | 2.830 | 2.753 | 2.720
2.2 | 1 | 40.36 | 41.20 | 45.88 | 57.05 | 45.58 | 41.81
2.2 | 2 | 39.31 | 40.44 | 39.67 | 51.01 | 42.58 | 40.73
2.2 | 3 | 40.57 | 41.20 | 47.88 | 54.91 | 46.85 | 45.84
2.2 | 4 | 45.07 | 46.62 | 49.55 | 52.65 | 47.87 | 48.04
2.2 | 5 | 51.74 | 53.77 | 57.95 | 61.93 | 54.04 | 56.02
2.3 | 1 | 41.27 | 42.94 | 45.68 | 86.68 | 63.52 | 59.04
2.3 | 2 | 39.83 | 41.27 | 39.53 | 72.62 | 55.42 | 55.68
2.3 | 3 | 42.78 | 43.31 | 47.74 | 79.90 | 59.40 | 57.02
"""
_CLASSICAL = """
1.1 | 1 | 5.91 | 4.99 |
1.1 | 2 | 4.37 | 3.98 |
1.1 | 3 | 3.95 | 3.41 |
1.2 | 1 | 150 | 151 | 0.98
1.2 | 2 | 176 | 176 | 0.91
1.2 | 3 | 161 | 161 | 1.00
1.3 | 1 | 157 | 152 | 8.65
1.3 | 2 | 182 | 176 | 6.74
1.3 | 3 | 169 | 160 | 7.18
2.1 | 1 | 2.32 | 2.06 | 2.37
2.1 | 2 | 2.07 | 1.84 | 2.16
2.1 | 3 | 2.00 | 1.71 | 2.05
2.2 | 1 | 119 | 119 | 2.43
2.2 | 2 | 110 | 109 | 2.25
2.2 | 3 | 93 | | 2.73
2.3 | 1 | | 121 | 5.17
"""
_NEGATIVE = """
clustering | 1 | 53.32 | 66.07 | 65.24 | 95.41 | 69.12 | 121.18 | 50.81
independent | 1 | 54.86 | 74.00 | 68.25 | 110.52 | 73.35 | 123.37 | 50.91
adversarial | 1 | 57.06 | 73.00 | 71.11 | 93.23 | 71.61 | 110.04 | 54.59
"""


@dataclass(frozen=True)
class Reference:
    """Test MSE by setting, seed and method.

    Args:
        text: One line a setting and seed: setting | seed | a number a method, or nothing.
        methods: Names of the methods, in the order of the numbers.
        source: Whose numbers they are.
    """

    text: str
    methods: tuple[str, ...]
    source: str

    def of(self, setting: str) -> pd.DataFrame:
        """The numbers of a setting: one row a seed, one column a method, NaN where there is none."""
        cells = [[cell.strip() for cell in line.split("|")] for line in self.text.strip().splitlines()]
        rows: dict[int, list[float]] = {
            int(seed): [float(number or "nan") for number in numbers]
            for name, seed, *numbers in cells
            if name == setting
        }
        return pd.DataFrame.from_dict(rows, orient="index", columns=list(self.methods))


AUTHORS = Reference(
    _AUTHORS,
    (META, "Meta Fusion at rho = 0 (ind.)", "best single student", "early fusion", "late fusion", "cooperative (Coop)"),
    "the authors' published code, run once a seed; not the paper's tables",
)
CLASSICAL = Reference(
    _CLASSICAL,
    (RIDGE, "principal components to the true ranks, ridge", "low-rank shared or principal parts, all products, ridge"),
    "classical baselines on the same rows, true ranks given",
)
NEGATIVE = Reference(
    _NEGATIVE,
    ("(80,60)", "(80,0)", "(60,60)", "(60,0)", "(50,60)", "(50,0)", "(0,60)"),
    "one run saved in the authors' notebook; not the paper's tables",
)
"""By arm of the study of negative learning and by student: components of each modality that it reads."""
NEGATIVE_ARMS = ("independent", "clustering", "adversarial")
NEGATIVE_TEACHERS = {"clustering": ("(80,60)", "(0,60)"), "adversarial": ("(60,0)", "(50,0)")}
"""Who taught in that run."""
NEGATIVE_RHO = 5.0
"""What validation chose in that run."""


def reference(setting: str) -> pd.DataFrame:
    """All numbers of a setting: one row a seed that the authors' code was run with, one column a method."""
    return AUTHORS.of(setting).join(CLASSICAL.of(setting))


def published(setting: str, seeds: Collection[int]) -> pd.DataFrame:
    """The means over the seeds that were run, of those for which there is a number; none where there is none.

    Args:
        setting: Name of the setting.
        seeds: Seeds of the runs that they stand beside.

    Returns:
        Columns group, method, metric, value, sd (over these seeds; NaN of one), protocol (says which seeds), source.
    """
    rows = []
    for one in (AUTHORS, CLASSICAL):
        table = one.of(setting)
        for method in one.methods:
            known = table.loc[table.index.isin(list(seeds)), method].dropna()
            if len(known):
                protocol = f"{SPLIT}; seed {', '.join(map(str, known.index))}"
                spread = float(known.std(ddof=1)) if len(known) > 1 else float("nan")
                rows.append((setting, method, "mse", float(known.mean()), spread, protocol, one.source))
    return pd.DataFrame(rows, columns=["group", "method", "metric", "value", "sd", "protocol", "source"])
