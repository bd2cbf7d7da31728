"""What a prediction is scored by: every metric once for a table, and once for many weightings of the samples."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from jaxtyping import Float, Shaped
from numpy import ndarray
from sklearn import metrics as vetted

from plait.data.spec import Task
from plait.statistics import class_metrics as classes
from plait.statistics import value_metrics as values

Score = Callable[[Shaped[ndarray, "sample *column"], Float[ndarray, "sample out"]], float]
Weighted = Callable[
    [Shaped[ndarray, "sample *column"], Float[ndarray, "sample out"], Float[ndarray, "draw sample"]],
    Float[ndarray, " draw"],
]
Losses = Callable[[Shaped[ndarray, "sample *column"], Float[ndarray, "sample out"]], Float[ndarray, " sample"]]


@dataclass(frozen=True)
class Metric:
    """How well predictions meet the truth.

    `outputs` are class probabilities in the order of the classes, or predicted values, one row a sample. Where a
    metric is undefined (the AUC of one class, R² of a constant target) it is NaN.

    Args:
        name: What it is called in code: "macro_f1".
        title: What it is called in tables and pictures, with its unit: "log loss (nats)".
        score: (target, outputs) -> the value, by scikit-learn where it has the metric.
        weighted: (target, outputs, weights of draw x sample) -> the value of each draw, in which a sample of weight w
            counts w times. All weights one gives `score`.
        losses: (target, outputs) -> a loss of each sample, lower is better, whose mean orders predictions as the
            metric does (the error of the accuracy, the squared error of R²); None if there is no such loss.
        greater_is_better: Whether a higher value is better.
        by_fold: Whether predictions of different folds, which are of different models, cannot be pooled: the metric of
            a repeat is then the mean over the folds in which it is defined.
    """

    name: str
    title: str
    score: Score
    weighted: Weighted
    losses: Losses | None = None
    greater_is_better: bool = True
    by_fold: bool = False

    @property
    def sign(self) -> float:
        """1 if greater is better, else -1: the sign times the value is better the greater it is."""
        return 1.0 if self.greater_is_better else -1.0


_LESS: dict[str, Any] = {"greater_is_better": False}
_CLASSIFICATION = (
    Metric("accuracy", "accuracy", classes.accuracy, classes.weighted_accuracy, classes.errors),
    Metric("balanced_accuracy", "balanced accuracy", classes.balanced_accuracy, classes.weighted_recall),
    Metric("macro_f1", "macro F1", classes.macro_f1, classes.weighted_f1),
    Metric("roc_auc", "AUC", classes.roc_auc, classes.weighted_auc, by_fold=True),
    Metric("log_loss", "log loss (nats)", classes.log_loss, classes.weighted_log_loss, classes.surprises, **_LESS),
    Metric("brier", "Brier score", classes.brier, classes.weighted_brier, classes.squared_distances, **_LESS),
    Metric("ece", "ECE", classes.ece, classes.weighted_ece, **_LESS),
)
_REGRESSION = (
    Metric("r2", "R²", values.r2, values.weighted_r2, values.scaled_squares),
    Metric("rmse", "RMSE", vetted.root_mean_squared_error, values.weighted_rmse, **_LESS),
    Metric("mae", "MAE", vetted.mean_absolute_error, values.weighted_mae, values.absolutes, **_LESS),
)
METRICS: dict[Task, dict[str, Metric]] = {
    "classification": {metric.name: metric for metric in _CLASSIFICATION},
    "regression": {metric.name: metric for metric in _REGRESSION},
}
"""All metrics by task and name, in the order of tables."""


def primary(task: Task) -> Metric:
    """What a comparison is decided by unless told otherwise: accuracy, or R²."""
    return next(iter(METRICS[task].values()))


def metric_by_name(task: Task, name: str) -> Metric:
    """A metric of a task.

    Raises:
        ValueError: If the task has no metric of this name.
    """
    known = METRICS[task]
    if name not in known:
        raise ValueError(f"{name!r} is no metric of a {task}. Choose one of: {', '.join(known)}.")
    return known[name]


def metrics_by_name(task: Task, names: Iterable[str] | None) -> list[Metric]:
    """Metrics of a task; None is all of them.

    Raises:
        ValueError: If the task has no metric of one of the names, or there is no name.
    """
    if isinstance(names, str):
        names = [names]
    chosen = [metric_by_name(task, name) for name in (METRICS[task] if names is None else names)]
    if not chosen:
        raise ValueError(f"No metric was named. Name some of: {', '.join(METRICS[task])}; None is all of them.")
    return chosen
