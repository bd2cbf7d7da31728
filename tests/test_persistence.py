"""A saved model is a folder of text and tensors; loading it changes no prediction and runs no code."""

import json
from inspect import unwrap

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from torch import nn

from plait import (
    EarlyFusion,
    FusionClassifier,
    FusionRegressor,
    IntermediateFusion,
    LateFusion,
    MetaFusion,
    Modalities,
    SingleModality,
    Trainer,
    load,
    save,
)

untyped_save = unwrap(save)  # tests check types at every call; a user's call reaches the check of its own
QUICK = Trainer(epochs=3)
METHODS = [
    MetaFusion(hidden=(8,)),
    MetaFusion(hidden=(8,), ensemble="majority"),
    MetaFusion({"a": ("identity", "pca-2", "encoder-3", "null"), "b": ("sliced-2", "null")}, hidden=()),
    EarlyFusion(),
    LateFusion(rule="weighted"),
    IntermediateFusion(width=3),
    SingleModality("b"),
]


def samples(n=40):
    """Two modalities, some absent rows, named columns."""
    draw = np.random.default_rng(0)
    a, b = draw.normal(size=(n, 5)), draw.normal(size=(n, 2, 3))
    a[3], b[5] = np.nan, np.nan
    return Modalities({"a": a, "b": b}, columns={"a": list("vwxyz")}), draw.normal(size=n)


@pytest.fixture
def fitted():
    """A small fitted classifier with its data."""
    X, y = samples()
    return FusionClassifier(MetaFusion(hidden=(8,)), trainer=QUICK, random_state=0).fit(X, y > 0), X


@pytest.mark.parametrize("method", METHODS, ids=repr)
@pytest.mark.parametrize("validation", [0.2, 3])
def test_every_method_predicts_the_same_after_loading(method, validation, tmp_path):
    """Bit for bit, classes and values, with one hold-out set or folds."""
    X, y = samples()
    labels = np.where(y > 0, "yes", "no")
    sliced = isinstance(method, MetaFusion) and method.extractors is not None
    if sliced and validation == 3:
        pytest.skip("sliced encoders are trained once and refuse folds (a test of its own)")
    classifier = FusionClassifier(method, trainer=QUICK, validation=validation, random_state=0).fit(X, labels)
    again = load(save(classifier, tmp_path / "classifier"))
    np.testing.assert_array_equal(again.predict_proba(X), classifier.predict_proba(X))
    assert again.predict(X).tolist() == classifier.predict(X).tolist()
    if getattr(method, "ensemble", "") != "majority":
        regressor = FusionRegressor(method, trainer=QUICK, validation=validation, random_state=0).fit(X, y)
        np.testing.assert_array_equal(load(save(regressor, tmp_path / "r")).predict(X), regressor.predict(X))


def test_double_precision_stays_double(tmp_path):
    """A model trained in float64 is loaded in float64."""
    X, y = samples()
    trainer = Trainer(epochs=3, precision="float64")
    estimator = FusionRegressor(MetaFusion(hidden=(8,)), trainer=trainer, random_state=0).fit(X, y)
    np.testing.assert_array_equal(load(save(estimator, tmp_path / "model")).predict(X), estimator.predict(X))


def test_findings_and_parameters_come_back(fitted, tmp_path):
    """The resolved method, the tables, the history and the parameters."""
    estimator, _ = fitted
    again = load(save(estimator, tmp_path / "model"))
    assert repr(again.method_) == repr(estimator.method_)
    assert repr(again) == repr(estimator)
    pd.testing.assert_frame_equal(again.cohort_, estimator.cohort_)
    pd.testing.assert_frame_equal(again.modality_values_, estimator.modality_values_)
    pd.testing.assert_frame_equal(again.history_, estimator.history_)
    assert again.spec_ == estimator.spec_
    assert again.columns_ == {"a": tuple("vwxyz")}


def test_the_choices_are_readable_text(fitted, tmp_path):
    """One rho and the weights of the ensemble stand in model.json."""
    estimator, _ = fitted
    saved = json.loads((save(estimator, tmp_path / "model") / "model.json").read_text())
    assert saved["method"]["class"] == "MetaFusion"
    assert len(saved["method"]["params"]["rhos"]) == 1
    assert sum(saved["method"]["params"]["ensemble"].values()) == pytest.approx(1)
    assert {path.name for path in (tmp_path / "model").iterdir()} == {"model.json", "weights.safetensors"}


@pytest.mark.parametrize("frozen", [True, False])
def test_the_users_encoders_are_given_again(frozen, tmp_path):
    """A file holds their weights, not their code; the module that is passed is left alone."""
    X, y = samples()
    encoder = nn.Sequential(nn.Flatten(), nn.Linear(6, 4)).requires_grad_(not frozen)
    estimator = FusionRegressor(encoders={"b": encoder}, trainer=QUICK, random_state=0).fit(X, y)
    save(estimator, tmp_path / "model")
    fresh = nn.Sequential(nn.Flatten(), nn.Linear(6, 4)).requires_grad_(not frozen)
    before = fresh[1].weight.clone()
    again = load(tmp_path / "model", encoders={"b": fresh})
    np.testing.assert_array_equal(again.predict(X), estimator.predict(X))
    assert torch.equal(fresh[1].weight, before)
    with pytest.raises(ValueError, match=r"encoders for 'b'.*load\(folder, encoders="):
        load(tmp_path / "model")
    with pytest.raises(ValueError, match=r"modality 'b' was .* Pass module.requires_grad_"):
        load(tmp_path / "model", encoders={"b": fresh.requires_grad_(frozen)})


def test_nothing_is_overwritten_unasked(fitted, tmp_path):
    """An existing folder is refused; a saved model is replaced on request, another folder never."""
    estimator, X = fitted
    folder = save(estimator, tmp_path / "model")
    with pytest.raises(FileExistsError, match="overwrite=True"):
        save(estimator, folder)
    save(estimator, folder, overwrite=True)
    load(folder).predict(X)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "data.csv").write_text("1")
    with pytest.raises(FileExistsError, match="holds no saved model"):
        save(estimator, tmp_path / "mine", overwrite=True)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def _truncate(folder):
    path = folder / "weights.safetensors"
    path.write_bytes(path.read_bytes()[:100])


def _newer(folder):
    saved = json.loads((folder / "model.json").read_text())
    (folder / "model.json").write_text(json.dumps(saved | {"format": 99}))


def _other_method(folder):
    text = (folder / "model.json").read_text().replace('"class": "MetaFusion"', '"class": "Malware"')
    (folder / "model.json").write_text(text)


DAMAGE = {
    "truncated weights": (_truncate, ValueError, r"weights\.safetensors is damaged.*checksum"),
    "a newer format": (_newer, ValueError, r"model\.json was written by a newer plait \(format 99.*Update"),
    "an unknown class": (_other_method, ValueError, r"damaged.*Malware"),
    "cut json": (
        lambda folder: (folder / "model.json").write_text('{"format": 1'),
        ValueError,
        r"model\.json is damaged",
    ),
    "other json": (lambda folder: (folder / "model.json").write_text("[]"), ValueError, "no format number"),
    "an empty json object": (lambda folder: (folder / "model.json").write_text('{"format": 1}'), ValueError, "damaged"),
    "no weights": (lambda folder: (folder / "weights.safetensors").unlink(), FileNotFoundError, "is not there"),
    "no model": (lambda folder: (folder / "model.json").unlink(), FileNotFoundError, r"a folder with model\.json"),
}


@pytest.mark.parametrize(("harm", "error", "message"), DAMAGE.values(), ids=DAMAGE.keys())
def test_a_damaged_model_is_refused_by_file(harm, error, message, fitted, tmp_path):
    """One clear error that names the file and says what to do."""
    folder = save(fitted[0], tmp_path / "model")
    harm(folder)
    with pytest.raises(error, match=message):
        load(folder)


def test_the_last_step_of_a_pipeline_is_saved(fitted, tmp_path):
    """A pipeline is refused with the way to save its estimator; fed by its own steps, that predicts the same."""
    estimator, X = fitted
    pipeline = make_pipeline(FunctionTransformer(), estimator)
    with pytest.raises(
        TypeError, match=r"FusionRegressor, not a Pipeline.*save\(pipeline\[-1\], folder\).*them with skops;"
    ):
        untyped_save(pipeline, tmp_path / "model")
    again = load(save(pipeline[-1], tmp_path / "model"))
    np.testing.assert_array_equal(again.predict(pipeline[:-1].transform(X)), pipeline.predict(X))


def test_what_is_no_fitted_estimator_of_plait_is_not_saved(fitted, tmp_path):
    """A search says where its estimator is; a fresh estimator that it is not fitted; nothing is written."""
    with pytest.raises(TypeError, match=r"not a GridSearchCV.*save\(search\.best_estimator_, folder\)"):
        untyped_save(GridSearchCV(fitted[0], {}), tmp_path / "model")
    with pytest.raises(NotFittedError):
        save(FusionClassifier(), tmp_path / "model")
    assert not list(tmp_path.iterdir())
