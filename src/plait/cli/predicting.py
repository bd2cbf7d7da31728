"""`plait predict`: predictions of new samples, and how good they are where the target is known."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import accuracy_score, f1_score, r2_score, root_mean_squared_error

from plait.cli.sources import Samples
from plait.data.checks import listed
from plait.data.formats import write_predictions
from plait.data.modalities import Modalities
from plait.estimators import FusionClassifier, FusionRegressor

Estimator = FusionClassifier | FusionRegressor


@dataclass(frozen=True)
class Predictions:
    """Predictions of samples.

    Args:
        frame: One row a sample: `id`, `prediction` (or `prediction_1`, ... of several targets), and if asked for
            `probability_CLASS` of each class, and `disagreement` of the model's own predictors.
        rows: Which samples they are, in words.
        scores: Scores by name; empty where no target is known.
        scored: Number of samples with a known target.
        out: File they were written to; None for standard output.
        published: What others reached on these data, with their protocol.
    """

    frame: pd.DataFrame
    rows: str
    scores: dict[str, float]
    scored: int
    out: Path | None = None
    published: str = ""

    @classmethod
    def of(
        cls,
        estimator: Estimator,
        samples: Samples,
        absent: Sequence[str] = (),
        *,
        probabilities: bool,
        disagreement: bool = False,
    ) -> "Predictions":
        """Predict samples, and score those whose target is known.

        Args:
            estimator: A fitted estimator.
            samples: The samples.
            absent: Modalities that no sample has.
            probabilities: Whether the probability of each class is wanted.
            disagreement: Whether it is wanted how far the model's own predictors are apart.

        Raises:
            ValueError: If probabilities are wanted of a regression, disagreement of a single predictor, or the samples
                are not like those of the fit.
        """
        X = _with_absent(samples.modalities, absent)
        predicted = estimator.predict(X)
        columns = {"id": X.ids, **_columns(predicted), **(_probabilities(estimator, X) if probabilities else {})}
        columns |= {"disagreement": estimator.predict_disagreement(X)} if disagreement else {}
        scores, scored = _scores(estimator, X.ids, predicted, samples.target)
        return cls(pd.DataFrame(columns), samples.rows, scores, scored, published=samples.published)

    def written(self, out: Path | None) -> "Predictions":
        """The same, written to a file if one is named.

        Raises:
            ValueError: If the suffix of the file is not known.
            OSError: If it cannot be written.
        """
        if out is not None:
            write_predictions(out, self.frame)
        return replace(self, out=out)


def check_free(out: Path | None, *, overwrite: bool) -> None:
    """Raise FileExistsError if the file of the predictions is there and is not to be replaced."""
    if out is not None and out.exists() and not overwrite:
        raise FileExistsError(f"{out} exists. Choose another file, or replace it with --overwrite.")


def expected(estimator: Estimator, absent: Sequence[str]) -> tuple[str, ...]:
    """Names of the modalities that a source must have: those of the fit but for the absent ones.

    Raises:
        ValueError: If an absent modality is unknown.
    """
    names = estimator.spec_.names
    unknown = [name for name in absent if name not in names]
    if unknown:
        raise ValueError(f"The model has no modality {listed(unknown)}; it has {listed(names)}.")
    return tuple(name for name in names if name not in absent)


def texts_of(estimator: Estimator, names: Sequence[str]) -> tuple[str, ...]:
    """Those of some modalities that are texts."""
    return tuple(name for name in names if not estimator.raw_shapes_[name])


def _with_absent(X: Modalities, absent: Sequence[str]) -> Modalities:
    if not absent:
        return X
    return Modalities({**dict(X.items()), **dict.fromkeys(absent)}, ids=X.ids, columns=X.columns)


def _columns(predicted: NDArray[Any]) -> dict[str, NDArray[Any]]:
    if predicted.ndim == 1:
        return {"prediction": predicted}
    return {f"prediction_{place}": column for place, column in enumerate(predicted.T, start=1)}


def _probabilities(estimator: Estimator, X: Modalities) -> dict[str, NDArray[Any]]:
    if estimator.spec_.task == "regression":
        raise ValueError("The model is a regression: it has no classes, and so no --probabilities.")
    columns = zip(estimator.classes_, estimator.predict_proba(X).T, strict=True)
    return {f"probability_{label}": column for label, column in columns}


def _scores(
    estimator: Estimator, ids: NDArray[Any], predicted: NDArray[Any], target: "pd.Series[Any] | pd.DataFrame | None"
) -> tuple[dict[str, float], int]:
    """Scores on the samples with a known target, and how many these are."""
    if target is None or isinstance(target, pd.DataFrame) or predicted.ndim > 1:
        return {}, 0
    known = pd.Index(ids).isin(target.index)
    if not known.any():
        return {}, 0
    return _SCORES[estimator.spec_.task](target.loc[ids[known]], predicted[known]), int(known.sum())


def _of_classes(truth: "pd.Series[Any]", found: NDArray[Any]) -> dict[str, float]:
    """Accuracy and macro-F1; the truth is brought to the type of the classes."""
    text = found.dtype.kind in "UO"
    labels = truth.astype(str).to_numpy(dtype=str) if text else pd.to_numeric(truth).to_numpy()
    macro = f1_score(labels, found, average="macro", zero_division=0)
    return {"accuracy": float(accuracy_score(labels, found)), "macro_f1": float(macro)}


def _of_values(truth: "pd.Series[Any]", found: NDArray[Any]) -> dict[str, float]:
    """Root mean squared error, and R2 where there are two samples or more."""
    values = pd.to_numeric(truth).to_numpy(dtype=np.float64)
    scores = {"rmse": float(root_mean_squared_error(values, found))}
    return scores | ({"r2": float(r2_score(values, found))} if len(found) > 1 else {})


_SCORES = {"classification": _of_classes, "regression": _of_values}
