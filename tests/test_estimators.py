"""What holds of both estimators, whatever the method: seeds, samples apart, units, silence, encoders."""

import copy
import pickle
import warnings
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from jaxtyping import TypeCheckError
from sklearn.exceptions import NotFittedError
from sklearn.metrics import accuracy_score, r2_score
from torch import nn

from plait import EarlyFusion, FusionClassifier, IntermediateFusion, LateFusion, Modalities, SingleModality
from plait.methods.base import Method
from plait.training.splits import validation_folds
from samples import (
    names_of,
    one_table,
    small_classifier,
    small_method,
    small_regressor,
    small_trainer,
    three_arrays,
    three_modalities,
)

METHODS: Mapping[str, Method] = {
    "meta": small_method(),
    "meta with encoders": small_method(extractors=("encoder-3", "sliced-3", "null"), encoder_hidden=(4,)),
    "early": EarlyFusion(hidden=(8,)),
    "late": LateFusion(hidden=(8,), rule="stacking"),
    "intermediate": IntermediateFusion(width=4, encoder_hidden=(4,), hidden=(8,)),
    "single": SingleModality("sound", hidden=(8,)),
}
every_method = pytest.mark.parametrize("name", METHODS)
X, Y = three_modalities()
REAL = 20 + 5 * (X["sound"][:, 0] + 0.3 * X["sound"][:, 1])


@cache
def model_of(name: str) -> FusionClassifier:
    """A classifier with one of the methods, fitted once."""
    return small_classifier(METHODS[name]).fit(X, Y)


@pytest.fixture(scope="module")
def fitted() -> FusionClassifier:
    """A classifier on three modalities with absent ones."""
    return model_of("meta")


# Seeds


@every_method
def test_the_same_seed_gives_the_same_numbers(name: str) -> None:
    """Bit by bit, whatever the state of the global generators, which stay as they were; another seed gives others."""
    method, first = METHODS[name], model_of(name).predict_proba(X)
    torch.manual_seed(1)
    state = torch.random.get_rng_state()
    np.testing.assert_array_equal(small_classifier(method).fit(X, Y).predict_proba(X), first)
    assert torch.equal(torch.random.get_rng_state(), state)
    assert not np.array_equal(small_classifier(method, random_state=1).fit(X, Y).predict_proba(X), first)


def test_a_seed_may_be_a_generator_or_nothing() -> None:
    """A RandomState goes on from where it stands, as in scikit-learn; None draws a new seed from NumPy's."""
    method, source = EarlyFusion(hidden=(4,)), np.random.RandomState(0)
    one, two = (small_regressor(method, random_state=source).fit(X, REAL).predict(X) for _ in range(2))
    again = small_regressor(method, random_state=np.random.RandomState(0)).fit(X, REAL).predict(X)
    np.testing.assert_array_equal(one, again)
    assert not np.array_equal(one, two)
    drawn = [small_regressor(method, random_state=None).fit(X, REAL).predict(X) for _ in range(2)]
    assert not np.array_equal(*drawn)


def test_the_number_of_threads_does_not_change_a_result() -> None:
    """One or two, or as many as seem quickest."""
    found = []
    for threads in (1, 2, None):
        trainer = small_trainer(threads=threads, epochs=3)
        found.append(small_classifier(trainer=trainer).fit(X, Y).predict_proba(X))
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(found[0], found[2])


# Samples apart from each other


@every_method
def test_a_prediction_does_not_depend_on_the_neighbours(name: str) -> None:
    """Alone, in a batch, in another order: the same to 1e-12."""
    model = model_of(name)
    whole = model.predict_proba(X)
    alone = np.concatenate([model.predict_proba(X[row]) for row in range(len(X))])
    turned = model.predict_proba(X[::-1])[::-1]
    np.testing.assert_allclose(alone, whole, rtol=0, atol=1e-12)
    np.testing.assert_allclose(turned, whole, rtol=0, atol=1e-12)


@every_method
def test_values_of_an_absent_modality_have_no_influence(name: str) -> None:
    """In fit and at prediction: what stands where `present` is False is never read."""
    arrays, _ = three_arrays()
    other = {key: values.copy() for key, values in arrays.items()}
    for values, present in zip(other.values(), X.present.T, strict=True):
        values[~present] += 1e3
    changed = Modalities(other, present=X.present)
    found = small_classifier(METHODS[name]).fit(changed, Y).predict_proba(changed)
    np.testing.assert_array_equal(found, model_of(name).predict_proba(X))


@every_method
def test_every_sample_is_predicted_whatever_it_lacks(name: str) -> None:
    """Each single modality is enough for a prediction."""
    model = model_of(name)
    for one in X:
        only = {other: values if other == one else None for other, values in three_arrays()[0].items()}
        found = model.predict_proba(only)
        assert np.isfinite(found).all()
        np.testing.assert_allclose(found.sum(1), 1, atol=1e-12)


def test_a_modality_that_training_samples_lack_is_predicted_by_the_prior() -> None:
    """Somebody of whom only this modality is known gets the class frequencies of the training samples."""
    arrays, y = three_arrays()
    data = Modalities({"sound": arrays["sound"], "age": np.full((60, 1), np.nan)})
    with pytest.warns(UserWarning, match="'age' is absent from all training samples") as caught:
        model = small_classifier(validation=0.2).fit(data, y)
    assert len(caught) == 1
    shares = np.bincount(y[validation_folds_of(model, y) < 0]) / (validation_folds_of(model, y) < 0).sum()
    found = model.predict_proba({"sound": None, "age": [1.0, 2.0]})
    np.testing.assert_allclose(found, np.tile(shares, (2, 1)), atol=1e-6)


def validation_folds_of(model: FusionClassifier, y: np.ndarray) -> np.ndarray:
    """The division that a model with an integer seed has used."""
    seed = int(np.random.RandomState(model.random_state).randint(2**31 - 1))
    return validation_folds(len(y), model.validation, y, None, seed)


# Targets


def test_regression_answers_in_the_units_of_the_target() -> None:
    """Predictions follow a change of units; R2 does not notice it."""
    method = EarlyFusion(hidden=(8,))
    metres = small_regressor(method).fit(X, REAL)
    for scale, shift in ((1000.0, 0.0), (1e-6, 3.0), (-2.0, 1e4)):
        other = small_regressor(method).fit(X, scale * REAL + shift)
        if scale > 0:
            np.testing.assert_allclose(other.predict(X), scale * metres.predict(X) + shift, rtol=1e-3)
        assert other.score(X, scale * REAL + shift) > 0.5
    assert metres.score(X, REAL) == pytest.approx(r2_score(REAL, metres.predict(X)))


def test_targets_may_keep_their_units_in_training() -> None:
    """`target_scaling="none"` trains on the values as they are."""
    model = small_regressor(EarlyFusion(hidden=()), target_scaling="none").fit(X, REAL / 20)
    assert (model.target_.mean, model.target_.sd) == (0.0, 1.0)
    assert np.isfinite(model.predict(X)).all()


def test_predictions_have_the_shape_of_the_target() -> None:
    """One axis, one column, several columns of unlike units; a constant column comes back."""
    several = np.column_stack([REAL, 1e4 * X["sound"][:, 1], np.full(60, 7.0)])
    for target in (REAL, REAL[:, None], several):
        assert small_regressor().fit(X, target).predict(X).shape == target.shape
    model = small_regressor(EarlyFusion(hidden=(8,))).fit(X, several)
    assert r2_score(several[:, :2], model.predict(X)[:, :2], multioutput="raw_values").min() > 0.3
    np.testing.assert_allclose(model.predict(X)[:, 2], 7.0, atol=1.0)


@pytest.mark.parametrize(
    "labels",
    [["well", "ill"], [3, -1], [2.0, 5.0], [True, False], ["10", "9"]],
    ids=["strings", "whole numbers", "floats", "booleans", "digits"],
)
def test_classes_are_any_labels_in_sorted_order(labels: list) -> None:
    """Columns of the probabilities stand in the order of `classes_`, and predictions are labels."""
    y = np.array(labels)[Y]
    model = small_classifier().fit(X, y)
    assert model.classes_.tolist() == sorted(labels)
    found = model.predict(X)
    assert found.dtype.kind == y.dtype.kind
    assert set(found.tolist()) <= set(labels)
    np.testing.assert_array_equal(model.classes_[model.predict_proba(X).argmax(1)], found)
    assert model.score(X, y) == accuracy_score(y, found) > 0.7


def test_labels_do_not_change_the_model() -> None:
    """Renaming the classes in the same order renames the predictions, whatever their type."""
    first = small_classifier().fit(X, Y)
    for y in (pd.Series(Y).map({0: "a", 1: "b"}), pd.Series(Y, dtype="Int64"), pd.Categorical(Y), Y.astype(object)):
        other = small_classifier().fit(X, y)
        np.testing.assert_array_equal(other.predict_proba(X), first.predict_proba(X))


def test_probabilities_are_a_distribution(fitted: FusionClassifier) -> None:
    """Rows sum to one to 1e-12, also of three classes."""
    for model in (fitted, small_classifier().fit(X, Y + (np.arange(60) % 3 == 0))):
        found = model.predict_proba(X)
        assert found.shape == (60, len(model.classes_))
        assert (found >= 0).all()
        np.testing.assert_allclose(found.sum(1), 1, rtol=0, atol=1e-12)


def test_scores_pair_by_id() -> None:
    """A target in another order scores the same, in both tasks."""
    order = np.random.default_rng(0).permutation(60)
    for model, y in ((small_classifier(), Y), (small_regressor(), REAL)):
        by_id = pd.Series(y, names_of(60))
        model.fit(X, by_id.iloc[order])
        assert model.score(X, by_id.iloc[order]) == model.score(X, y) > 0.4


# Validation


def test_folds_train_a_copy_each_and_average_them() -> None:
    """`validation=3`: three copies, each validated on a third of the samples."""
    model = small_classifier(validation=3).fit(X, Y)
    assert model.spec_.folds == 3
    assert model.score(X, Y) > 0.8
    np.testing.assert_allclose(model.predict_proba(X).sum(1), 1, rtol=0, atol=1e-12)
    assert small_regressor().set_params(validation=np.int64(2)).fit(X, REAL).spec_.folds == 2


@pytest.mark.parametrize("validation", [0.1, 0.3, np.float32(0.5), 0.8, 2, 5], ids=str)
@pytest.mark.parametrize("classes", [None, np.arange(60) % 3], ids=["values", "classes"])
def test_groups_are_never_divided(validation: float, classes: np.ndarray | None) -> None:
    """All samples of a group validate the same fold; every fold has samples, and every copy has some to train on."""
    for seed in range(10):
        groups = np.random.default_rng(seed).integers(0, 12, 60)
        found = validation_folds(60, validation, classes, groups, seed)
        assert all(len(set(found[groups == group])) == 1 for group in groups)
        assert set(found) == (set(range(int(validation))) if validation >= 2 else {-1, 0})


def test_groups_reach_the_validation() -> None:
    """What is learned from the training samples (here their means) leaves whole groups out."""
    groups = np.repeat(["a", "b", "c"], 20)
    for labels in (groups, pd.Series(groups, X.ids).sample(frac=1, random_state=0), list(groups)):
        mean = small_classifier(EarlyFusion(hidden=())).fit(X, Y, labels).standardiser_.mean_["sound"]
        expected = [X["sound"][groups != group].mean(0) for group in "abc"]
        assert any(np.allclose(mean, other) for other in expected)


def test_validation_samples_teach_nothing() -> None:
    """Scaling of features and target come from the training samples alone."""
    model = small_regressor(EarlyFusion(hidden=()), validation=0.2).fit(X, REAL)
    seed = int(np.random.RandomState(0).randint(2**31 - 1))
    train = validation_folds(60, 0.2, None, None, seed) < 0
    np.testing.assert_allclose(model.standardiser_.mean_["sound"], X["sound"][train].mean(0))
    np.testing.assert_allclose(model.target_.mean, REAL[train].mean())
    np.testing.assert_allclose(model.target_.sd, REAL[train].std())


# Encoders of the user


class Counting(nn.Module):
    """A linear encoder that counts the samples it has seen."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(6, 3)
        self.seen = 0

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        self.seen += len(values)
        output: torch.Tensor = self.layer(values.flatten(1))
        return output


def encoders_of(module: nn.Module) -> Iterator[nn.Module]:
    """The copies of an encoder that a model holds."""
    return (part for part in module.modules() if isinstance(part, Counting))


@pytest.mark.parametrize("method", [small_method(extractors=None), EarlyFusion(hidden=(8,)), LateFusion(hidden=(8,))])
def test_a_frozen_encoder_keeps_its_weights_and_runs_once_a_sample(method: Method) -> None:
    """Its outputs are cached for the whole of the training."""
    torch.manual_seed(0)
    encoder = Counting().requires_grad_(requires_grad=False)
    model = small_classifier(method, encoders={"image": encoder}).fit(X, Y)
    (kept,) = encoders_of(model.module_)
    assert torch.equal(kept.layer.weight, encoder.layer.weight)
    assert kept.seen <= 60 + 5 * 5  # and two probes of five samples
    assert model.score(X, Y) > 0.8


@pytest.mark.parametrize("method", [small_method(extractors=None), EarlyFusion(hidden=(8,)), LateFusion(hidden=(8,))])
def test_a_trained_encoder_learns_and_the_users_own_stays_as_it_was(method: Method) -> None:
    """Copies are trained; weights, mode and gradients of the module that was given are untouched."""
    torch.manual_seed(0)
    encoder = Counting()
    before = copy.deepcopy(encoder.state_dict())
    model = small_classifier(method, encoders={"image": encoder}).fit(X, Y)
    copies = list(encoders_of(model.module_))
    assert copies
    assert all(not torch.equal(kept.layer.weight, encoder.layer.weight) for kept in copies)
    assert all(torch.equal(encoder.state_dict()[name], value) for name, value in before.items())
    assert encoder.training
    assert encoder.layer.weight.grad is None
    assert encoder.seen == 0


# Silence, and nothing changed


def test_quiet_by_default(capfd: pytest.CaptureFixture) -> None:
    """No output and no warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        small_classifier(METHODS["meta with encoders"]).fit(X, Y).predict(X)
    assert capfd.readouterr() == ("", "")


def test_progress_goes_to_standard_error(capfd: pytest.CaptureFixture) -> None:
    """With verbose=1, and nothing to standard output."""
    small_classifier(verbose=1).fit(X, Y).predict(X)
    out, err = capfd.readouterr()
    assert out == ""
    assert "epoch" in err


def test_fit_and_predict_change_nothing_that_was_given() -> None:
    """Arrays, tables, targets and groups are the same afterwards, also where values are missing."""
    arrays, y = three_arrays()
    arrays["sound"][3, 1] = np.nan
    table, labels = one_table()
    given: list[tuple[Any, Any]] = [(arrays, y), (table, pd.Series(labels, table.index))]
    for data, target in given:
        before = copy.deepcopy(data), copy.deepcopy(target)
        model = small_classifier().fit(data, target, groups=np.arange(60) // 3)
        model.predict(data)
        for name in before[0]:
            np.testing.assert_array_equal(data[name], before[0][name])
        np.testing.assert_array_equal(target, before[1])


def test_what_a_fit_leaves_behind(fitted: FusionClassifier) -> None:
    """Resolved method, module in evaluation mode, spec, history, students and values of the modalities."""
    assert fitted.method_.rhos in ((0.0,), (1.0,))
    assert not fitted.module_.training
    assert fitted.spec_.names == ("sound", "image", "age")
    assert fitted.history_["phase"].unique().tolist() == ["rho 0", "rho 1"]
    assert fitted.cohort_["weight"].sum() == pytest.approx(1)
    assert fitted.modality_values_.index.tolist() == ["sound", "image", "age"]
    assert not hasattr(fitted, "n_features_in_")
    with pytest.raises(AttributeError, match=r"EarlyFusion has no modality_values_; it has cohort_\."):
        _ = small_classifier(EarlyFusion(hidden=())).fit(X, Y).modality_values_
    with pytest.raises(NotFittedError):
        _ = FusionClassifier().cohort_
    assert not hasattr(FusionClassifier(), "cohort_")


def test_fitting_again_forgets_the_former_fit() -> None:
    """Another form of data, other classes, another method."""
    table, y = one_table()
    model = small_classifier().fit(table, y)
    assert model.n_features_in_ == 5
    assert model.feature_names_in_.tolist() == table.columns.tolist()
    model.set_params(method=EarlyFusion(hidden=())).fit(X, np.where(Y, "b", "a"))
    assert not hasattr(model, "n_features_in_")
    assert not hasattr(model, "feature_names_in_")
    assert model.classes_.tolist() == ["a", "b"]
    assert not hasattr(model, "modality_values_")


def test_a_fit_that_fails_leaves_no_model() -> None:
    """Neither the former one, nor one of old weights and new scaling."""
    model = small_regressor(EarlyFusion(hidden=())).fit(X, REAL)
    with pytest.raises(ValueError, match="diverged"):
        model.set_params(trainer__learning_rate=1e30).fit(X, 100 * REAL)
    with pytest.raises(NotFittedError):
        model.predict(X)


def test_a_pickled_model_predicts_the_same(fitted: FusionClassifier) -> None:
    """As scikit-learn's tools need it to."""
    again = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(again.predict_proba(X), fitted.predict_proba(X))


def test_repr_shows_what_was_chosen() -> None:
    """Parameters that differ from the defaults, those of the parts too."""
    assert repr(FusionClassifier()) == "FusionClassifier()"
    shown = repr(FusionClassifier(LateFusion(rule="stacking"), validation=5))
    assert shown == "FusionClassifier(method=LateFusion(rule='stacking'), validation=5)"


def test_shapes_are_checked_in_tests() -> None:
    """The hook of conftest is on, or the tests of shapes in types would say nothing."""
    with pytest.raises(TypeCheckError):
        validation_folds("many", 0.2)


# Tables joined on the way in


def test_a_target_without_ids_is_refused_where_tables_were_reordered() -> None:
    """A plain array has no order to follow; a Series is matched by id, and joined samples keep theirs."""
    first = pd.DataFrame(X["sound"], index=[f"p{row}" for row in range(60)])
    tables = {"sound": first, "again": first.iloc[::-1].add_prefix("z")}
    with pytest.raises(ValueError, match=r"another order, and y has no ids\. Give y as a pandas Series"):
        small_regressor().fit(tables, REAL)
    by_id = small_regressor().fit(tables, pd.Series(REAL, index=first.index).sample(frac=1, random_state=0))
    joined = Modalities.from_frames(tables)
    np.testing.assert_array_equal(by_id.predict(tables), small_regressor().fit(joined, REAL).predict(joined))
