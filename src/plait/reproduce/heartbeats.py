"""Beats of MIT-BIH for training, validation and test, and what a classifier makes of them."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
from jaxtyping import Bool, Int
from numpy import ndarray
from sklearn import metrics
from sklearn.base import clone
from sklearn.model_selection import train_test_split

from plait import datasets
from plait.data.modalities import Modalities
from plait.estimators import FusionClassifier
from plait.nn.encoders import ImagePatches, Perceptron, SeriesConvolution, TokenEncoder
from plait.nn.fresh import fresh
from plait.reproduce.study import Found, Table


@dataclass(frozen=True)
class Beats:
    """Beats of a split.

    Args:
        data: Training beats, those for validation among them.
        target: Their classes, as codes.
        validation: Which of them are held out.
        test: Test beats.
        test_target: Their classes.
        classes: Names of the classes.
    """

    data: Modalities
    target: Int[ndarray, " beat"]
    validation: Bool[ndarray, " beat"]
    test: Modalities
    test_target: Int[ndarray, " test"]
    classes: tuple[str, ...]

    def select(self, modalities: Sequence[str]) -> "Beats":
        """The same beats with some of their modalities."""
        return replace(self, data=self.data.select(modalities), test=self.test.select(modalities))


def load(split: str, image: int, validation_share: float) -> Beats:
    """Fetch the beats of a split; validation is on whole records of DS1 where the split is by record.

    Args:
        split: "inter" or "intra".
        image: Pixels of a side of the images.
        validation_share: Share of the training beats held out where the split is of random beats, by class.
    """
    found = datasets.fetch_mitbih(split, image_size=image, relative_to="record")
    train, test = found.train, found.test
    held = found.validation[train] if "validation" in found else _random(found.target[train], validation_share)
    return Beats(
        found.data[train],
        found.target[train],
        np.asarray(held),
        found.data[test],
        found.target[test],
        tuple(map(str, found.target_names)),
    )


def _random(target: Int[ndarray, " beat"], share: float) -> Bool[ndarray, " beat"]:
    """The same random beats for every model, by class."""
    rows = np.arange(len(target))
    held = train_test_split(rows, test_size=share, stratify=target, random_state=0)[1]
    return np.isin(rows, held)


def encoders(beats: Beats, width: int, seed: int) -> dict[str, TokenEncoder]:
    """Small encoders with fresh weights: few tokens, for every step reads all of them, and no layers of attention.

    A lead of 128 steps becomes 16 tokens (convolution of stride 8), an image of 24 x 24 nine (patches of 8 x 8),
    intervals one.

    Args:
        beats: Beats with the modalities to be read.
        width: Size of a token.
        seed: Seed of the weights.
    """
    shapes, generator = beats.data.sample_shapes, torch.Generator().manual_seed(seed)
    return {name: fresh(partial(_encoder, shape, width), generator) for name, shape in shapes.items()}


def _encoder(shape: tuple[int, ...], width: int) -> TokenEncoder:
    if len(shape) == 1:
        return Perceptron(shape, width, hidden=(width,))
    if len(shape) == 2:
        return SeriesConvolution(shape, width, stride=8, layers=0)
    return ImagePatches(shape, width, patch=8, layers=0)


def classify(model: FusionClassifier, beats: Beats, *, refit: bool) -> Found:
    """Fit a model, judge it on the validation beats, and classify the test beats.

    Args:
        model: The model; validated on the beats' validation.
        beats: Beats for training, validation and test.
        refit: Whether a copy is fitted on all training beats, with nothing held out, for the test beats; else it is
            the model itself.

    Returns:
        The scores of `scores` on the test beats; those that models may be chosen by also on validation beats, which
        a model that is fitted on them too has seen; seconds of the fit, test beats a second. Table "confusion".
    """
    held = beats.validation
    chosen_by = scores(beats.target[held], model.fit(beats.data, beats.target).predict(beats.data[held]), beats.classes)
    start = time.perf_counter()
    model = clone(model).set_params(validation=0).fit(beats.data, beats.target) if refit else model
    fitted = time.perf_counter()
    predicted = model.predict(beats.test)
    speed = len(predicted) / (time.perf_counter() - fitted)
    numbers = scores(beats.test_target, predicted, beats.classes)
    numbers |= {f"validation_{name}": chosen_by[name] for name in ("balanced_accuracy", "macro_f1", "j_kappa")}
    numbers |= {"fit_seconds": fitted - start, "beats_per_second": speed}
    return Found(numbers, {"confusion": confusion(beats.test_target, predicted, beats.classes)})


def scores(target: Int[ndarray, " beat"], predicted: Int[ndarray, " beat"], classes: Sequence[str]) -> dict[str, float]:
    """Accuracy, balanced accuracy (mean sensitivity), macro-F1, kappa, j-kappa, and two numbers a class.

    Sensitivity is NaN of a class that does not occur, positive predictivity 0 of one that is never predicted; means
    are over the classes that occur.
    """
    here = np.unique(target)
    codes = np.arange(len(classes))
    sensitivity = metrics.recall_score(target, predicted, labels=codes, average=None, zero_division=np.nan)
    predictivity = metrics.precision_score(target, predicted, labels=codes, average=None, zero_division=0.0)
    f1 = metrics.f1_score(target, predicted, labels=here, average="macro", zero_division=0.0)
    return {
        "accuracy": float(metrics.accuracy_score(target, predicted)),
        "balanced_accuracy": float(np.nanmean(sensitivity)),
        "macro_f1": float(f1),
        "kappa": float(metrics.cohen_kappa_score(target, predicted)),
        "j_kappa": datasets.j_kappa(target, predicted),
        **{f"sensitivity {name}": float(value) for name, value in zip(classes, sensitivity, strict=True)},
        **{f"positive predictivity {name}": float(value) for name, value in zip(classes, predictivity, strict=True)},
    }


def confusion(target: Int[ndarray, " beat"], predicted: Int[ndarray, " beat"], classes: Sequence[str]) -> Table:
    """How many beats of each true class (row) were taken for each class (column)."""
    counts = metrics.confusion_matrix(target, predicted, labels=np.arange(len(classes)))
    return {
        row: {column: float(value) for column, value in zip(classes, line, strict=True)}
        for row, line in zip(classes, counts, strict=True)
    }
