"""Small made-up tables of a comparison, as the statistics give them."""

from dataclasses import replace
from itertools import combinations
from types import SimpleNamespace

import numpy as np
import pandas as pd

from plait.compare.report import ReportInput
from plait.statistics.rejection import rejection_curves

KINDS = {"majority": "baseline", "audio": "single", "motion": "single", "early": "fusion", "late": "fusion"}
METRICS = ("accuracy", "log_loss")


def scores(kinds=None, metrics=METRICS):
    """One row a method and metric; the methods get better in their order."""
    rows = []
    for place, (method, kind) in enumerate((kinds or KINDS).items()):
        for metric in metrics:
            mean = 0.5 + 0.01 * place if metric == "accuracy" else 1.0 - 0.01 * place
            row = {"method": method, "kind": kind, "joins": "all", "metric": metric, "mean": mean, "low": mean - 0.02}
            row |= {"high": mean + 0.02, "sd_folds": 0.01, "sd_seeds": np.nan, "runs": 5, "seconds": 1.5 * place}
            rows.append(row | {"failure": ""})
    return pd.DataFrame(rows)


def failed(table, method, reason):
    """The same table, with a method that could not be fitted."""
    table = table.copy()
    here = table["method"] == method
    table.loc[here, ["mean", "low", "high", "sd_folds", "seconds"]] = np.nan
    table.loc[here, "failure"] = reason
    return table


def pairs(names=tuple(KINDS), significant=0.001):
    """Every earlier method is worse than a later one by .01 a place; neighbours cannot be told apart."""
    rows = []
    for (first, a), (second, b) in combinations(enumerate(names), 2):
        difference = 0.01 * (first - second)
        p = 0.5 if second - first == 1 else significant
        row = {"a": a, "b": b, "difference": difference, "low": difference - 0.01, "high": difference + 0.01}
        row |= {"p": p, "p_holm": p, "p_better": 0.1, "p_equal": 0.2, "p_worse": 0.7}
        rows.append(row | {"test": "corrected t over 5 splits", "runs": 5})
    return pd.DataFrame(rows)


def ledger(names=("audio", "motion"), metrics=("accuracy",)):
    """Alone 0.8, gain 0.05, Shapley 0.3, within 0.02."""
    rows = []
    for metric in metrics:
        for name in names:
            row = {"modality": name, "metric": metric}
            for column, value in (("alone", 0.8), ("gain", 0.05), ("shapley", 0.3)):
                row |= {column: value, f"{column}_low": value - 0.02, f"{column}_high": value + 0.02}
            rows.append(row)
    return pd.DataFrame(rows)


def redundancy(names=("audio", "motion", "text")):
    """CKA 0.4 of every pair."""
    rows = [{"a": a, "b": b, "cka": 0.4, "low": 0.3, "high": 0.5} for a, b in combinations(names, 2)]
    return pd.DataFrame(rows)


def reliability(methods=("early", "late"), bins=5):
    """Too sure by 0.1 in every bin; the first bin is empty."""
    rows = []
    for method in methods:
        for place in range(bins):
            middle = (place + 0.5) / bins if place else np.nan
            row = {"method": method, "bin": place, "confidence": middle, "accuracy": middle - 0.1}
            rows.append(row | {"share": 1 / (bins - 1) if place else 0.0})
    return pd.DataFrame(rows)


def calibration(methods=("early", "late")):
    """ECE, Brier score and log loss of each method."""
    row = {f"{name}{end}": 0.1 + add for name in ("ece", "brier", "log_loss") for end, add in _ENDS}
    return pd.DataFrame([{"method": method, **row} for method in methods])


_ENDS = (("", 0.0), ("_low", -0.01), ("_high", 0.01))


def confusion(classes=("walking", "sweeping", "typing")):
    """Eight of ten are right."""
    counts = np.full((len(classes), len(classes)), 2 / max(len(classes) - 1, 1))
    np.fill_diagonal(counts, 8.0)
    return pd.DataFrame(counts, index=list(classes), columns=list(classes))


def rho(count=5, chosen=2):
    """Losses fall to the chosen rho and rise after it."""
    loss = 0.3 + 0.02 * np.abs(np.arange(count) - chosen)
    values = np.concatenate([[0.0], 0.1 * 2.0 ** np.arange(count - 1)])
    bounds = {"low": loss - 0.01, "high": loss + 0.01, "chosen": np.arange(count) == chosen}
    return pd.DataFrame({"rho": values, "loss": loss, **bounds})


def rejection(names=("disagreement", "entropy"), samples=20):
    """Errors are found better by the first measures; every fourth prediction is wrong."""
    draw = np.random.default_rng(0)
    wrong = np.arange(samples) % 4 == 0
    return rejection_curves(wrong, {name: wrong + place * draw.random(samples) for place, name in enumerate(names)})


def learning_curve(methods=("early", "late"), sizes=(10, 20, 40, 100)):
    """Scores that grow with the logarithm of the size."""
    rows = []
    for place, method in enumerate(methods):
        for size in sizes:
            mean = 0.4 + 0.1 * np.log10(size) + 0.01 * place
            rows.append({"method": method, "train": size, "mean": mean, "low": mean - 0.02, "high": mean + 0.02})
    return pd.DataFrame(rows)


def presence(count=3, samples=60):
    """Each modality is absent in a fifth of the samples."""
    draw = np.random.default_rng(0).random((samples, count)) > 0.2
    return pd.DataFrame(draw, columns=[f"modality {place}" for place in range(count)])


def cohort(students=4, modalities=("audio", "motion")):
    """A table as `cohort_` gives it."""
    losses = np.linspace(0.2, 1.0, students)
    found = {"kind": "network", "validation_loss": losses, "independent_loss": losses + 0.1, "epoch": 3.0}
    found |= {"teaches": np.arange(students) == 0, "weight": np.eye(students)[0]}
    return pd.DataFrame({**dict.fromkeys(modalities, "identity"), **found})


def ranks(names=tuple(KINDS), cd=1.5):
    """Mean ranks 1, 2, ...; the first two and the last two cannot be told apart."""
    means = pd.Series(np.arange(1.0, len(names) + 1), index=list(names))
    return SimpleNamespace(mean_ranks=means, cd=cd, groups=[tuple(names[:2]), tuple(names[-2:])])


def published():
    """Numbers of others."""
    rows = [("MOGONET", "accuracy", 0.815, 0.023, "five 70/30 splits", "Wang 2021")]
    rows += [("KNN", "accuracy", 0.657, np.nan, "the same", "Wang 2021")]
    return pd.DataFrame(rows, columns=["method", "metric", "value", "sd", "protocol", "source"])


def everything():
    """A report with all sections."""
    sentences = ("late beats the best single modality (motion) by 0.020 accuracy.", "early and late are alike.")
    return ReportInput(
        scores=failed(scores(KINDS | {"tensor": "fusion"}), "tensor", "out of memory"),
        title="Is fusion worth it on made-up data?",
        protocol="60 samples, 5 folds x 1 repeat x 1 seed; 95 % bootstrap intervals over samples",
        verdict=SimpleNamespace(supported=True, sentences=sentences),
        data={"samples": 60, "modalities": "audio (4), motion (3)"},
        pairs=pairs(),
        ledger=ledger(metrics=METRICS),
        redundancy=redundancy(),
        calibration=calibration(),
        reliability=reliability(),
        confusion=confusion(),
        confusion_of="late",
        cohorts={"Meta Fusion": cohort()},
        rhos={"Meta Fusion": rho()},
        presence=presence(),
        learning_curve=learning_curve(),
        published=published(),
        settings={"late": {"hidden": (64,), "rule": "mean"}},
        versions={"plait": "1.0", "torch": "2.0"},
        fingerprint="sha256:" + 64 * "0",
        seeds=(0, 1),
        command="plait compare mydata --target outcome " + " ".join(f"--option{place} value" for place in range(20)),
        failures={"tensor": "out of memory"},
        warnings=("3 of 60 samples have no motion.",),
    )


def long_names():
    """A report in which every name has more than 150 letters and no space."""
    long = {name: f"{name}{'_without_space' * 11}_{name}" for name in (*KINDS, "text")}
    kinds = {long[name]: kind for name, kind in KINDS.items()}
    modalities, methods = [long[name] for name in ("audio", "motion", "text")], tuple(kinds)
    late = long["late"]
    return replace(
        everything(),
        scores=failed(scores(kinds), long["early"], late),
        title=late,
        protocol=late,
        verdict=SimpleNamespace(supported=True, sentences=(f"{late} is better.",)),
        data={"modalities": late, late: 3},
        pairs=pairs(methods),
        ledger=ledger(modalities),
        redundancy=redundancy(modalities),
        calibration=calibration(methods),
        reliability=reliability(methods),
        confusion=confusion(modalities),
        confusion_of=late,
        cohorts={late: cohort(modalities=modalities)},
        rhos={late: rho()},
        presence=presence().set_axis(modalities, axis=1),
        learning_curve=learning_curve(methods),
        published=published().assign(method=late, protocol=late, source=late),
        settings={late: {late: 3}},
        failures={long["early"]: late},
        warnings=(late,),
    )
