"""Bad input ends in one clear error that says what to do, or in a correct result: one table of named cases.

To add a case, add a line to one of the tables: `refused(act, *words)` must raise an error that holds all the words
(in any case), `works(act)` must return what it claims, or assert it itself.
"""

import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import jaxtyping
import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse
from torch import nn

from plait import EarlyFusion, FusionClassifier, IntermediateFusion, LateFusion, MetaFusion, Modalities, SingleModality
from samples import (
    constructors_that_only_store,
    names_of,
    one_table,
    small_classifier,
    small_method,
    small_regressor,
    small_trainer,
    three_arrays,
)

N = 24
ARRAYS, Y = three_arrays(N)
SOUND = ARRAYS["sound"]
REAL = SOUND[:, 0] + 0.1 * ARRAYS["age"][:, 0]
EXPECTED = (ValueError, TypeError, OSError)


@dataclass(frozen=True)
class Case:
    """What is done, and the words that the error must hold; none where the result must be right."""

    act: Callable[[], object]
    words: tuple[str, ...] = ()


def refused(act: Callable[[], object], *words: str) -> Case:
    """A case that ends in an error that holds these words."""
    return Case(act, words)


def works(act: Callable[[], object]) -> Case:
    """A case that ends in a correct result; `act` asserts it."""
    return Case(act)


def fit(X: Any = None, y: Any = None, groups: Any = None, **params: Any) -> FusionClassifier:
    """A quick classifier fitted on the data, or on these instead."""
    return small_classifier(**params).fit(ARRAYS if X is None else X, Y if y is None else y, groups)


@cache
def plain() -> FusionClassifier:
    """One that was fitted on the data before."""
    return fit()


def fit_real(y: Any, **params: Any) -> Any:
    """A quick regressor fitted on the data."""
    return small_regressor(**params).fit(ARRAYS, y)


def changed(**arrays: Any) -> dict[str, Any]:
    """The data with other arrays under these names."""
    return {**ARRAYS, **arrays}


def put(array: Any, place: Any, value: Any, dtype: Any = float) -> np.ndarray:
    """A copy with a value at a place."""
    new = np.array(array, dtype=dtype)
    new[place] = value
    return new


def predicted(X: Any, on: Any = None, y: Any = None, **params: Any) -> np.ndarray:
    """Probabilities of new samples by a classifier fitted on the data (or on these)."""
    return (fit(on, y, **params) if params or on is not None else plain()).predict_proba(X)


def sensible(probabilities: np.ndarray, n: int = N) -> None:
    """One distribution a sample."""
    assert probabilities.shape == (n, 2)
    assert np.isfinite(probabilities).all()
    np.testing.assert_allclose(probabilities.sum(1), 1, atol=1e-12)


def learned(X: Any, y: Any = None, **params: Any) -> None:
    """A fit on these data predicts its own samples sensibly, and most of them rightly."""
    model = fit(X, y, **params)
    sensible(model.predict_proba(X))
    assert model.score(X, Y if y is None else y) > 0.7


def same(first: np.ndarray, second: np.ndarray, within: float = 1e-12) -> None:
    """Equal up to rounding, or to so much."""
    np.testing.assert_allclose(first, second, atol=within)


FRAMES = {
    "rna": pd.DataFrame(SOUND, index=names_of(N), columns=["g1", "g2", "g3", "g4"]),
    "age": pd.DataFrame(ARRAYS["age"], index=names_of(N), columns=["age"]),
}
TABLE, TABLE_Y = one_table(N)
GROUPS = {"a": "a_*", "b": "b_*"}
OBJECTS = put(SOUND, (3, 1), "high", object)


class Wrong(nn.Module):
    """An encoder that does what a function says."""

    def __init__(self, act: Callable[[torch.Tensor], Any], frozen: bool = True) -> None:
        super().__init__()
        self.act, self.weight = act, nn.Parameter(torch.ones(()), requires_grad=not frozen)

    def forward(self, values: torch.Tensor) -> Any:
        return self.act(values * self.weight)


def crash(values: torch.Tensor) -> torch.Tensor:
    """An encoder's own error."""
    raise KeyError("layer 7")


def encoded(act: Callable[[torch.Tensor], Any], **params: Any) -> FusionClassifier:
    """A fit whose images go through an encoder."""
    method = small_method(extractors={"sound": ("identity",), "image": ("module",), "age": ("null",)})
    return fit(method=method, encoders={"image": Wrong(act)}, **params)


def absent_everywhere() -> None:
    """A modality of NaN alone is as if it were not there."""
    X = changed(image=np.full((N, 2, 3), np.nan))
    for method in (small_method(), EarlyFusion(hidden=(8,)), LateFusion(hidden=(8,))):
        learned(X, method=method)


def one_that_has_it() -> None:
    """A modality of one sample cannot be learned and judged: no student that reads it speaks."""
    for row in range(0, N, 5):
        present = {"image": np.arange(N) == row}
        model = fit(Modalities(ARRAYS, present=present))
        assert model.cohort_.loc[model.cohort_["image"] != "null", "weight"].sum() == 0


def one_of_a_class() -> None:
    """A class with one sample trains, and is known."""
    y = put(Y, 0, 2, int)
    model = fit(y=y)
    assert model.classes_.tolist() == [0, 1, 2]
    assert model.predict_proba(ARRAYS).shape == (N, 3)


def a_class_that_does_not_validate() -> None:
    """Two samples of a class, too few for the folds; and one hold-out set that cannot hold all classes."""
    for validation in (4, 0.05):
        y = np.array([0] * 14 + [1] * 7 + [2] * 3)
        assert set(fit(y=y, validation=validation).predict(ARRAYS)) <= {0, 1, 2}


def real_scale(unit: float) -> None:
    """The unit of a target does not matter, however extreme."""
    same(fit_real(REAL * unit).predict(ARRAYS) / unit, fit_real(REAL).predict(ARRAYS), 1e-3)


DATA = {
    "no modality": refused(lambda: fit({}, Y), "at least one modality"),
    "a modality without rows": refused(lambda: fit(changed(sound=[])), "'sound'", "0 sample(s)"),
    "a modality without columns": refused(lambda: fit(changed(sound=np.ones((N, 0)))), "'sound'", "0 feature(s)"),
    "every modality None": refused(lambda: fit({"a": None, "b": None}, Y), "every modality is None"),
    "a modality None in fit": refused(lambda: fit(changed(image=None)), "'image'", "leave it out"),
    "a single number": refused(lambda: fit(changed(age=3.0)), "'age'", "one row a sample"),
    "text instead of data": refused(lambda: fit("my data.csv", Y), "single str"),
    "None instead of data": refused(lambda: small_classifier().fit(None, Y), "single NoneType"),
    "three axes without a name": refused(lambda: fit(ARRAYS["image"]), "2D array", "Reshape your data"),
    "one axis without a name": refused(lambda: fit(SOUND[:, 0]), "2D array", "Reshape your data"),
    "unequal lengths": refused(lambda: fit(changed(age=ARRAYS["age"][1:])), "'age' has 23", "'sound' has 24"),
    "ragged rows": refused(lambda: fit(changed(sound=[[1, 2]] * 20 + [[1]] * 4)), "'sound'", "row 20", "Pad or crop"),
    "ragged table": refused(lambda: fit([[1.0, 2.0]] * 20 + [[1.0]] * 4), "ragged", "row 20"),
    "duplicate ids": refused(
        lambda: fit(Modalities(ARRAYS, ids=put(names_of(N), 5, "p004", "U4"))), "'p004'", "2 times", "own id"
    ),
    "duplicate ids of tables": refused(
        lambda: fit({**FRAMES, "age": FRAMES["age"].rename(index={"p003": "p004"})}), "'age'", "'p004'"
    ),
    "ids of two kinds": refused(
        lambda: fit({**FRAMES, "age": FRAMES["age"].set_axis(range(5, 29))}), "'age'", "'rna'", "Convert"
    ),
    "strings in numbers": refused(lambda: fit(changed(sound=OBJECTS)), "'sound'", "'high'", "row 3", "Encode"),
    "strings in a table": refused(lambda: fit(TABLE.assign(a_1=["low"] * N)), "Column 'a_1'", "'low'", "Encode"),
    "categories in a table": refused(
        lambda: fit(TABLE.assign(a_1=pd.Categorical(["low"] * N))), "Column 'a_1'", "Encode"
    ),
    "strings alone": refused(lambda: fit(changed(age=["old"] * N)), "'age'", "strings", "Encode"),
    "bytes": refused(lambda: fit(changed(age=[b"old"] * N)), "'age'", "bytes"),
    "dictionaries for values": refused(
        lambda: fit(changed(sound=put(SOUND, (1, 1), {}, object))), "'sound'", "numbers"
    ),
    "dates": refused(lambda: fit(changed(age=pd.date_range("2024", periods=N).to_numpy())), "'age'", "dates", "Encode"),
    "dates in a table": refused(
        lambda: fit(TABLE.assign(a_1=pd.date_range("2024", periods=N))), "Column 'a_1'", "dates"
    ),
    "complex numbers": refused(lambda: fit(changed(sound=SOUND + 1j)), "'sound'", "complex", "real and imaginary"),
    "a sparse matrix": refused(lambda: fit(sparse.csr_array(SOUND)), "sparse", ".toarray()"),
    "a sparse modality": refused(
        lambda: fit(changed(sound=sparse.csr_array(SOUND))), "'sound'", "sparse", ".toarray()"
    ),
    "infinity": refused(lambda: fit(changed(image=put(ARRAYS["image"], (7, 1, 2), np.inf))), "'image'", "row 7", "NaN"),
    "minus infinity of a person": refused(
        lambda: fit({**FRAMES, "rna": FRAMES["rna"].replace(SOUND[4, 2], -np.inf)}), "'rna'", "'p004'", "NaN"
    ),
    "numbers beyond floating point": refused(lambda: fit(changed(age=[10**400] * N)), "'age'", "too large"),
    "values too large unscaled": refused(
        lambda: fit(changed(sound=SOUND * 1e300), scaling="none"), "'sound'", "too large", "scal"
    ),
    "rows with no modality": refused(
        lambda: fit({name: put(values, [3, 9], np.nan) for name, values in ARRAYS.items()}),
        "2 sample(s)",
        "3, 9",
        "leave",
    ),
    "a presence matrix of another shape": refused(
        lambda: fit(Modalities(ARRAYS, present=np.ones((N, 2)))), "present", "(24, 3)", "(24, 2)"
    ),
    "presence of an unknown modality": refused(
        lambda: fit(Modalities(ARRAYS, present={"smell": np.ones(N, dtype=bool)})), "present", "'smell'", "'sound'"
    ),
    "repeated columns": refused(
        lambda: fit(TABLE.set_axis(["a_0", "a_0", "a_2", "b_0", "b_1"], axis=1)), "'a_0'", "unique", "Rename"
    ),
    "a name that is no string": refused(lambda: fit({1: SOUND}), "non-empty strings", "1"),
    "an empty name": refused(lambda: fit({"": SOUND}), "non-empty strings"),
    "one sample": refused(lambda: fit({"sound": SOUND[:1]}, [0]), "one class"),
    "three samples": refused(lambda: fit({"sound": SOUND[:3]}, [0, 1, 1]), "at least 4 samples", "3"),
    "groups of columns for several modalities": refused(
        lambda: fit(modalities=GROUPS), "Column groups", "leave the groups out"
    ),
    "a group that matches no column": refused(
        lambda: fit(TABLE, modalities={"a": "a_*", "c": "c_*"}), "'c'", "'c_*'", "'a_0'"
    ),
    "groups by name of an array": refused(lambda: fit(TABLE.to_numpy(), modalities=GROUPS), "'a'", "positions"),
    "positions out of range": refused(
        lambda: fit(TABLE.to_numpy(), modalities={"a": [0, 1], "b": [4, 5]}), "'b'", "0 to 4"
    ),
    "groups that are no mapping": refused(lambda: fit(TABLE, modalities=["a_*"]), "map modality names", "list"),
    "constant columns": works(lambda: learned(changed(sound=put(SOUND, (..., 1), 7.0)))),
    "a modality that is constant": works(lambda: learned(changed(sound=np.ones((N, 4))))),
    "a column of NaN alone": works(lambda: learned(changed(sound=put(SOUND, (..., 1), np.nan)))),
    "a modality of NaN alone": works(absent_everywhere),
    "a modality that one sample has": works(one_that_has_it),
    "missing values": works(lambda: learned(changed(sound=put(SOUND, ([1, 5, 9], [0, 1, 2]), np.nan)))),
    "half precision": works(lambda: learned({name: values.astype(np.float16) for name, values in ARRAYS.items()})),
    "whole numbers": works(lambda: learned({name: (9 * values).astype(np.int32) for name, values in ARRAYS.items()})),
    "truth values": works(lambda: learned(changed(sound=SOUND > 0))),
    "numbers as objects": works(lambda: learned(changed(sound=SOUND.astype(object)))),
    "large values": works(lambda: learned(changed(sound=SOUND * 1e300, image=ARRAYS["image"] * 1e-300))),
    "one axis": works(lambda: learned(changed(age=ARRAYS["age"][:, 0]))),
    "one feature": works(lambda: learned({"age": ARRAYS["age"]})),
    "a masked array": works(lambda: learned(changed(sound=np.ma.masked_greater(SOUND, 2.5)))),
    "tensors": works(lambda: learned({name: torch.from_numpy(values) for name, values in ARRAYS.items()})),
    "NA of pandas": works(lambda: learned(TABLE.convert_dtypes().mask(TABLE > 2.5), TABLE_Y)),
}

NAMES = [
    "rna.seq",
    "a/b",
    "two words",
    "größe_µm",
    "identity",
    "null",
    "weights",
    "x" * 300,
    "+",
    "a:identity + b",
    "\n",
]
MODALITY_NAMES = {
    f"a modality named {name[:20]!r}": works(lambda name=name: learned({name: SOUND, "b": ARRAYS["age"]}))
    for name in NAMES
}

TARGETS = {
    "no target": refused(lambda: small_classifier().fit(ARRAYS, None), "y to be passed", "None"),
    "one class": refused(lambda: fit(y=np.zeros(N)), "one class", "at least two"),
    "a target too short": refused(lambda: fit(y=Y[:-1]), "24 samples", "23", "one value a sample"),
    "a target of one number": refused(lambda: fit(y=1), "24 samples", "no values"),
    "NaN in the classes": refused(lambda: fit(y=put(Y, 4, np.nan)), "NaN", "4", "leave out"),
    "None in the classes": refused(lambda: fit(y=put(Y, 4, None, object)), "None", "4", "leave out"),
    "None beside strings": refused(lambda: fit(y=["a", None] * 12), "None", "1, 3", "leave out"),
    "infinity in the classes": refused(lambda: fit(y=put(Y, 4, np.inf)), "infinity", "4"),
    "strings and numbers": refused(lambda: fit(y=put(Y, 4, "no", object)), "mixes strings", "all of them"),
    "real values for classes": refused(lambda: fit(y=REAL), "continuous", "classifier"),
    "two columns of classes": refused(lambda: fit(y=np.column_stack([Y, Y])), "2 columns", "one classifier a column"),
    "dates for classes": refused(lambda: fit(y=pd.date_range("2024", periods=N)), "y", "label"),
    "objects for classes": refused(lambda: fit(y=put(Y, slice(None), {}, object)), "y", "strings"),
    "ragged target": refused(lambda: fit_real([[1.0]] * 20 + [[1.0, 2.0]] * 4), "y", "a sample"),
    "a person without a target": refused(
        lambda: fit(FRAMES, pd.Series(Y, names_of(N)).drop("p007")), "'p007'", "leave these samples out"
    ),
    "nobody's target": refused(
        lambda: fit(FRAMES, pd.Series(Y, [f"patient {row}" for row in range(N)])), "'p000'", "y.to_numpy()"
    ),
    "a target that may be in the order of the samples or in that of their ids": refused(
        lambda: fit(TABLE.set_axis(np.arange(N)[::-1]), pd.Series(Y)), "counted from 0", "y.to_numpy()"
    ),
    "a target that repeats a person": refused(
        lambda: fit(FRAMES, pd.concat([pd.Series(Y, names_of(N)), pd.Series([1], ["p007"])])), "'p007'", "unique"
    ),
    "NaN in real values": refused(lambda: fit_real(put(REAL, 4, np.nan)), "NaN", "4"),
    "None in real values": refused(lambda: fit_real(put(REAL, 4, None, object)), "None", "4"),
    "infinity in real values": refused(lambda: fit_real(put(REAL, 4, np.inf)), "infinity", "4"),
    "strings for real values": refused(lambda: fit_real(["tall"] * N), "y", "numbers", "strings"),
    "a string among real values": refused(lambda: fit_real(put(REAL, 4, "tall", object)), "y", "'tall'", "row 4"),
    "dates for real values": refused(lambda: fit_real(pd.date_range("2024", periods=N)), "y", "numbers", "dates"),
    "complex values": refused(lambda: fit_real(REAL * 1j), "y", "complex"),
    "real values too large unscaled": refused(
        lambda: fit_real(REAL * 1e300, target_scaling="none"), "y", "too large", "scal"
    ),
    "a target of three axes": refused(lambda: fit_real(np.ones((N, 2, 2))), "one column a target", "(24, 2, 2)"),
    "groups too short": refused(lambda: fit(groups=Y[:-1]), "groups", "24 samples", "23"),
    "groups with gaps": refused(lambda: fit(groups=put(Y, 3, np.nan)), "groups", "missing"),
    "one group": refused(lambda: fit(groups=np.zeros(N)), "groups", "1 group", "at least 2"),
    "fewer groups than folds": refused(lambda: fit(groups=Y, validation=3), "groups", "2 group", "fewer folds"),
    "groups that hold a class each": refused(lambda: fit(groups=Y), "group", "class", "leave groups out"),
    "one sample of a class": works(one_of_a_class),
    "a class that does not validate": works(a_class_that_does_not_validate),
    "huge real values": works(lambda: real_scale(1e300)),
    "tiny real values": works(lambda: real_scale(1e-300)),
    "a constant real target": works(
        lambda: np.testing.assert_allclose(fit_real(np.full(N, 3.5)).predict(ARRAYS), 3.5, atol=0.5)
    ),
    "one column of classes": works(lambda: sensible(fit(y=Y.astype(bool)).predict_proba(ARRAYS))),
    "huge whole numbers": works(lambda: sensible(fit(y=Y.astype(np.int64) * 2**62).predict_proba(ARRAYS))),
}

SETTINGS = {
    "a share above one": refused(lambda: fit(validation=1.5), "validation", "1.5", "between 0 and 1"),
    "no validation": refused(lambda: fit(validation=0), "validation", "between 0 and 1"),
    "one fold": refused(lambda: fit(validation=1), "validation", "2 folds or more"),
    "validation True": refused(lambda: fit(validation=True), "validation", "True"),
    "validation NaN": refused(lambda: fit(validation=float("nan")), "validation", "nan"),
    "validation in words": refused(lambda: fit(validation="x"), "validation", "'x'"),
    "more folds than samples": refused(lambda: fit(validation=25), "validation=25", "25 samples", "24"),
    "unknown scaling": refused(lambda: fit(scaling="minmax"), "scaling", "'minmax'", "standard"),
    "unknown target scaling": refused(
        lambda: fit_real(REAL, target_scaling="log"), "target_scaling", "'log'", "standard"
    ),
    "a seed in words": refused(lambda: fit(random_state="x"), "random_state", "'x'", "seed"),
    "a seed below zero": refused(lambda: fit(random_state=-1), "random_state", "-1", "seed"),
    "a new generator of NumPy": refused(
        lambda: fit(random_state=np.random.default_rng(0)), "random_state", "Generator", "RandomState"
    ),
    "no method": refused(lambda: fit(method="meta"), "method", "MetaFusion", "'meta'"),
    "a class for a method": refused(lambda: fit(method=MetaFusion), "method", "MetaFusion"),
    "no trainer": refused(lambda: fit(trainer="adam"), "trainer", "'adam'"),
    "encoders that are no mapping": refused(lambda: fit(encoders=[nn.Flatten()]), "encoders", "list"),
    "an encoder that is no module": refused(lambda: fit(encoders={"image": nn.Flatten}), "'image'", "instance"),
    "an encoder of an unknown modality": refused(
        lambda: fit(encoders={"smell": nn.Flatten()}), "'smell'", "'sound', 'image', 'age'"
    ),
}

TRAINER_WRONGS = {
    "epochs": (0, -1, 1.5, "x", None),
    "batch_size": (0, 2.5, None),
    "learning_rate": (-1.0, 0.0, float("nan"), float("inf"), "x", None),
    "weight_decay": (-0.1, "x"),
    "patience": (0, "x"),
    "device": ("gpu", "cuda:99", 3.5),
    "precision": ("float16", 32),
    "threads": (0, "x"),
}
TRAINER = {
    f"trainer {name}={value!r}": refused(
        lambda name=name, value=value: fit(trainer=small_trainer(**{name: value})), name, "Trainer", str(value)
    )
    for name, values in TRAINER_WRONGS.items()
    for value in values
}

META_WRONGS = {
    "hidden": ((0,), (-3,), (1.5,), ("x",), 16, "wide"),
    "encoder_hidden": ((0,), 16),
    "dropout": (1.5, 1.0, -0.1, "x", None),
    "rhos": ((), (-1.0,), (float("nan"),), (float("inf"),), (0.5, 0.5), 0.5, "x", ("x",)),
    "teachers": ("best", None),
    "screening": ("kmeans", 3),
    "ensemble": ("mean", None, {"nobody": 1.0}, {"sound:identity": -1.0}),
    "average": ("median", 1),
    "policy": ("some", 2),
    "init": ("warm", 0),
    "burn_in": (-1, "x"),
    "max_students": (0, -1, 2, "x"),
    "extractors": ("identity", 3, (3,), {"sound": "identity"}),
}
META = {
    f"{name}={value!r}": refused(lambda name=name, value=value: fit(method=small_method(**{name: value})), name)
    for name, values in META_WRONGS.items()
    for value in values
}

METHODS = {
    "nobody reads anything": refused(lambda: fit(method=small_method(extractors=("null",))), "'null' alone"),
    "an empty dictionary": refused(lambda: fit(method=small_method(extractors=())), "'sound'", "empty"),
    "a repeated entry": refused(lambda: fit(method=small_method(extractors=("identity",) * 2)), "'sound'", "repeats"),
    "no components": refused(lambda: fit(method=small_method(extractors=("pca-0",))), "'pca-0'", "at least 1"),
    "too many components": refused(
        lambda: fit(method=small_method(extractors=("pca-99999",))), "'pca-99999'", "'sound'", "(4)", "at most"
    ),
    "nonsense to read": refused(lambda: fit(method=small_method(extractors=("nonsense",))), "'nonsense'", "'pca-20'"),
    "an unknown rule of late fusion": refused(
        lambda: fit(method=LateFusion(rule="mean")), "rule", "'mean'", "'stacking'"
    ),
    "an encoding of no width": refused(lambda: fit(method=IntermediateFusion(width=0)), "width", "at least 1"),
    "extractors of an unknown modality": refused(
        lambda: fit(method=small_method(extractors={"smell": ["identity"]})), "'smell'", "'sound'"
    ),
    "a module without an encoder": refused(
        lambda: fit(method=small_method(extractors=("module", "null"))), "'module'", "encoders={"
    ),
    "votes in a regression": refused(
        lambda: fit_real(REAL, method=small_method(ensemble="majority")), "vot", "regression"
    ),
    "a single modality that nobody has": refused(
        lambda: fit(changed(image=np.full((N, 2, 3), np.nan)), method=SingleModality("image")), "'image'", "Give more"
    ),
    "a single modality that is not there": refused(
        lambda: fit(method=SingleModality("smell")), "'smell'", "'sound'", "Name one"
    ),
    "a single modality without a name": refused(lambda: fit(method=SingleModality()), "'sound'", "Name one"),
    "sliced encoders with folds": refused(
        lambda: fit(method=small_method(extractors=("sliced-2",)), validation=3), "'sound'", "hold-out"
    ),
    "a learning rate that diverges": refused(
        lambda: fit_real(REAL, trainer=small_trainer(learning_rate=1e30)), "diverged", "1e+30", "Lower"
    ),
}


class Single(nn.Module):
    """An encoder that insists on single precision, and begins with a step in place."""

    def __init__(self) -> None:
        super().__init__()
        self.table = torch.linspace(-1, 1, 18, dtype=torch.float32).reshape(6, 3)

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        return values.mul_(2.0).flatten(1) @ self.table


def an_encoder_in_place() -> None:
    """What an encoder does to its input reaches neither other students nor the data."""
    method = small_method(extractors={"sound": ("null",), "image": ("module", "identity"), "age": ("null",)})
    kept = ARRAYS["image"].copy()
    encoders = [nn.Sequential(nn.ReLU(inplace=inplace), nn.Flatten()) for inplace in (True, False)]
    one, other = (predicted(ARRAYS, method=method, encoders={"image": encoder}) for encoder in encoders)
    same(one, other)
    np.testing.assert_array_equal(ARRAYS["image"], kept)


def an_encoder_in_place_that_is_trained() -> None:
    """Nor the students that hold other copies of it."""
    method = small_method(extractors={"sound": ("null", "identity"), "image": ("module",), "age": ("null",)})
    one, other = (
        predicted(
            ARRAYS, method=method, encoders={"image": nn.Sequential(nn.ReLU(inplace=inplace), nn.Flatten(), layer)}
        )
        for inplace, layer in zip((True, False), [linear(), linear()], strict=True)
    )
    same(one, other)


def linear() -> nn.Linear:
    """A layer with weights that are always the same."""
    layer = nn.Linear(6, 2)
    nn.init.constant_(layer.weight, 0.1)
    nn.init.constant_(layer.bias, 0.0)
    return layer


def a_rest_of_one_sample() -> None:
    """Batch normalisation cannot learn from a minibatch of one: 19 samples in batches of 18 are one batch."""
    encoder = nn.Sequential(nn.Flatten(), nn.Linear(6, 3), nn.BatchNorm1d(3))
    learned(ARRAYS, encoders={"image": encoder}, method=EarlyFusion(hidden=(8,)), trainer=small_trainer(batch_size=18))


ENCODERS = {
    "an encoder in single precision": works(lambda: learned(ARRAYS, encoders={"image": Single()}, method=None)),
    "an encoder in double precision": works(
        lambda: learned(ARRAYS, encoders={"image": nn.Sequential(nn.Flatten(), linear().double())})
    ),
    "an encoder in place": works(an_encoder_in_place),
    "a trained encoder in place": works(an_encoder_in_place_that_is_trained),
    "a rest of one sample": works(a_rest_of_one_sample),
    "an encoder of one row": refused(lambda: encoded(lambda x: x.mean(0, keepdim=True)), "'image'", "one row a sample"),
    "an encoder of no row": refused(lambda: encoded(lambda x: x.sum()), "'image'", "one row a sample"),
    "an encoder of two rows": refused(lambda: encoded(lambda x: x[:2]), "'image'", "one row a sample"),
    "an encoder that crashes": refused(lambda: encoded(crash), "'image'", "layer 7"),
    "an encoder of another shape": refused(lambda: encoded(lambda x: x @ torch.ones(5, 2)), "'image'", "(2, 3)"),
    "an encoder that returns a list": refused(lambda: encoded(lambda x: [x]), "'image'", "list"),
    "an encoder that returns NaN": refused(lambda: encoded(lambda x: x / 0), "image/module", "not finite", "encoder"),
}

PREDICTION = {
    "predict before fit": refused(lambda: small_classifier().predict(ARRAYS), "not fitted", "fit"),
    "probabilities before fit": refused(lambda: small_classifier().predict_proba(ARRAYS), "not fitted"),
    "values before fit": refused(lambda: small_regressor().predict(ARRAYS), "not fitted"),
    "the cohort before fit": refused(lambda: small_classifier().cohort_, "not fitted"),
    "no new samples": refused(lambda: plain().predict(Modalities(ARRAYS)[:0]), "0 sample(s)"),
    "an unknown modality": refused(lambda: plain().predict(changed(smell=SOUND)), "'smell'", "'sound', 'image', 'age'"),
    "a modality that is left out": refused(
        lambda: plain().predict({"sound": SOUND, "image": ARRAYS["image"]}), "'age'", "None"
    ),
    "a table for several modalities": refused(lambda: plain().predict(SOUND), "'sound', 'image', 'age'"),
    "several modalities for a table": refused(lambda: fit(SOUND).predict(ARRAYS), "'sound'", "'x'"),
    "another shape": refused(
        lambda: plain().predict(changed(image=ARRAYS["image"].transpose(0, 2, 1))), "'image'", "(3, 2)", "(2, 3)"
    ),
    "a column too few": refused(lambda: fit(SOUND).predict(SOUND[:, 1:]), "3 features", "4 features"),
    "a missing column": refused(
        lambda: fit(TABLE).predict(TABLE.drop(columns="a_1")), "'x'", "'a_1'", "columns of the fit"
    ),
    "an extra column": refused(lambda: fit(TABLE).predict(TABLE.assign(c=1.0)), "'x'", "'c'", "columns of the fit"),
    "a missing column of a group": refused(
        lambda: fit(TABLE, modalities=GROUPS).predict(TABLE.drop(columns="a_1")), "'a'", "'a_1'"
    ),
    "a column too many of an array": refused(
        lambda: fit(TABLE.to_numpy(), modalities={"a": [0, 1]}).predict(np.ones((N, 6))), "6 features", "5 features"
    ),
    "new rows with no modality": refused(
        lambda: plain().predict({name: put(values, 3, np.nan) for name, values in ARRAYS.items()}), "1 sample(s)", "3"
    ),
    "new infinity": refused(lambda: plain().predict(changed(sound=put(SOUND, (3, 1), np.inf))), "'sound'", "row 3"),
    "values too large to predict": refused(
        lambda: fit(SOUND).predict_proba(put(SOUND, (3, slice(None)), 1.7e308)), "sample(s)", "3", "unit"
    ),
    "unequal lengths at prediction": refused(
        lambda: plain().predict(changed(age=[1.0])), "'age' has 1", "'sound' has 24"
    ),
    "a score without a person's target": refused(
        lambda: fit(FRAMES, Y).score(FRAMES, pd.Series(Y, names_of(N)).drop("p007")), "'p007'"
    ),
    "reordered columns": works(
        lambda: same(predicted(TABLE, TABLE, TABLE_Y), predicted(TABLE[TABLE.columns[::-1]], TABLE, TABLE_Y))
    ),
    "reordered columns of groups": works(
        lambda: same(
            predicted(TABLE, TABLE, TABLE_Y, modalities={"a": slice(0, 3), "b": slice(3, 5)}),
            predicted(TABLE[TABLE.columns[::-1]], TABLE, TABLE_Y, modalities={"a": slice(0, 3), "b": slice(3, 5)}),
        )
    ),
    "a column that no group reads": works(
        lambda: same(
            predicted(TABLE, TABLE, TABLE_Y, modalities=GROUPS),
            predicted(TABLE.assign(note="new"), TABLE, TABLE_Y, modalities=GROUPS),
        )
    ),
    "reordered modalities": works(
        lambda: same(predicted(ARRAYS), predicted({name: ARRAYS[name] for name in ("age", "sound", "image")}))
    ),
    "a modality None at prediction": works(
        lambda: same(predicted(changed(image=None)), predicted(changed(image=np.full((N, 2, 3), np.nan))))
    ),
    "a value far outside": works(lambda: sensible(predicted(changed(sound=put(SOUND, (3, 1), 1e12))))),
    "one new sample": works(
        lambda: same(plain().predict_proba(ARRAYS)[:1], plain().predict_proba({k: v[:1] for k, v in ARRAYS.items()}))
    ),
}

CASES = DATA | MODALITY_NAMES | TARGETS | SETTINGS | TRAINER | META | METHODS | ENCODERS | PREDICTION


@pytest.fixture(autouse=True)
def _as_outside_tests() -> Iterator[None]:
    with constructors_that_only_store():
        yield


@pytest.mark.filterwarnings("ignore:Modality .* nothing can be learned from it")
@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_bad_input_ends_in_one_clear_error_or_a_correct_result(case: Case) -> None:
    """Errors name what is wrong and say what to do; none comes from inside torch or from a check of types."""
    if not case.words:
        case.act()
        return
    with pytest.raises(EXPECTED) as caught:
        case.act()
    assert not isinstance(caught.value, jaxtyping.TypeCheckError)
    assert "/torch/" not in traceback.extract_tb(caught.tb)[-1].filename
    message = str(caught.value)
    assert [word for word in case.words if word.lower() not in message.lower()] == [], message
