"""scikit-learn's own tools work unchanged, on `Modalities` with absent rows and ids."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import BaggingClassifier, StackingClassifier, VotingClassifier, VotingRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    LeaveOneGroupOut,
    RandomizedSearchCV,
    RepeatedStratifiedKFold,
    StratifiedGroupKFold,
    TunedThresholdClassifierCV,
    cross_val_predict,
    cross_validate,
    learning_curve,
    permutation_test_score,
    train_test_split,
    validation_curve,
)
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import resample, shuffle

from plait import EarlyFusion, FusionClassifier, LateFusion, MetaFusion, Modalities, SingleModality, Trainer
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

X, Y = three_modalities(48)
GROUPS = np.repeat(np.arange(12), 4)
REAL = X["sound"][:, 0] + 0.1 * np.arange(48)


def quick(**changed) -> FusionClassifier:
    """One linear network on everything: the tools are what is tested here."""
    return small_classifier(EarlyFusion(hidden=()), trainer=small_trainer(epochs=5), **changed)


SPLITTERS = {
    "repeated stratified": (RepeatedStratifiedKFold(n_splits=3, n_repeats=2, random_state=0), None),
    "groups": (GroupKFold(3), GROUPS),
    "stratified groups": (StratifiedGroupKFold(3, shuffle=True, random_state=0), GROUPS),
    "one group out": (LeaveOneGroupOut(), GROUPS // 4),
}


@pytest.mark.parametrize(("cv", "groups"), SPLITTERS.values(), ids=SPLITTERS.keys())
def test_cross_validate_takes_every_splitter(cv, groups) -> None:
    """All folds are scored, and the scores are better than chance."""
    found = cross_validate(quick(), X, Y, cv=cv, groups=groups, scoring=["accuracy", "roc_auc"], error_score="raise")
    assert len(found["test_accuracy"]) == cv.get_n_splits(X, Y, groups)
    assert found["test_accuracy"].mean() > 0.7


def test_a_cohort_is_cross_validated() -> None:
    """The default method too, with its search of rho inside."""
    found = cross_validate(small_classifier(), X, Y, cv=2, return_estimator=True, error_score="raise")
    assert found["test_score"].mean() > 0.7
    assert [len(model.cohort_) for model in found["estimator"]] == [26, 26]


def test_tables_with_a_target_by_id_are_cross_validated() -> None:
    """One table with groups of columns, one with two levels, and `Modalities` of tables; the target is a Series."""
    table, y = one_table(48)
    target = pd.Series(y, table.index)
    levels = table.set_axis(table.columns.str.split("_", expand=True), axis=1)
    data = (table, {"a": "a_*", "b": "b_*"}), (levels, None), (Modalities.from_frame(levels), None)
    found = [
        cross_val_predict(quick(modalities=groups), one, target, cv=3, method="predict_proba") for one, groups in data
    ]
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(found[0], found[2])


def test_cross_val_predict_keeps_the_order_of_the_samples() -> None:
    """Every sample's probabilities are those of the model that did not see it."""
    cv = GroupKFold(3)
    found = cross_val_predict(quick(), X, Y, cv=cv, groups=GROUPS, method="predict_proba")
    for train, test in cv.split(X, Y, GROUPS):
        np.testing.assert_allclose(found[test], quick().fit(X[train], Y[train]).predict_proba(X[test]), atol=1e-12)


def test_learning_and_validation_curves() -> None:
    """They slice the samples, and set parameters of the parts."""
    sizes, _, scores = learning_curve(quick(), X, Y, cv=2, train_sizes=[0.5, 1.0], shuffle=True, random_state=0)
    assert sizes.tolist() == [12, 24]
    assert np.isfinite(scores).all()
    _, scores = validation_curve(quick(), X, Y, param_name="trainer__epochs", param_range=[1, 4], cv=2)
    assert np.isfinite(scores).all()


def test_grid_search_goes_over_methods_and_their_parameters() -> None:
    """Over whole methods, over the rhos of one, and over the trainer."""
    grid = [
        {"method": [EarlyFusion(hidden=(4,)), LateFusion(hidden=(4,)), SingleModality("sound", hidden=(4,))]},
        {"method": [small_method()], "method__rhos": [(0.0,), (0.0, 2.0)], "trainer__learning_rate": [0.02]},
    ]
    search = GridSearchCV(quick(), grid, cv=2, error_score="raise").fit(X, Y)
    assert len(search.cv_results_["params"]) == 5
    assert search.predict_proba(X).shape == (48, 2)
    assert search.best_estimator_.method_.__class__ is search.best_params_["method"].__class__


def test_grid_search_reaches_into_the_parts_that_are_left_at_their_defaults() -> None:
    """`method__rhos` and `trainer__epochs` need no method and no trainer to be given."""
    grid = {"method__rhos": [(0.0,)], "method__hidden": [(4,)], "trainer__epochs": [1, 2], "trainer__threads": [1]}
    search = GridSearchCV(FusionClassifier(random_state=0), grid, cv=2, error_score="raise").fit(X, Y)
    assert isinstance(search.best_estimator_.method, MetaFusion)
    assert search.best_estimator_.trainer.epochs == search.best_params_["trainer__epochs"]


def test_randomized_search() -> None:
    """Parameters are drawn."""
    drawn = {"method__hidden": [(4,), (8,), ()], "validation": [0.2, 0.3, 2]}
    search = RandomizedSearchCV(quick(), drawn, n_iter=3, cv=2, random_state=0, error_score="raise").fit(X, Y)
    assert len(search.cv_results_["params"]) == 3


def test_a_pipeline_with_steps_before_the_estimator() -> None:
    """A step may choose modalities; "passthrough" leaves all of them."""
    steps = {
        "chosen": FunctionTransformer(Modalities.select, kw_args={"names": ["sound", "age"]}),
        "all": "passthrough",
    }
    for step in steps.values():
        line = make_pipeline(step, quick())
        assert cross_validate(line, X.select(["age", "sound"]), Y, cv=2, error_score="raise")["test_score"].mean() > 0.6
    line = make_pipeline(steps["chosen"], quick()).fit(X, Y)
    direct = quick().fit(X.select(["sound", "age"]), Y)
    np.testing.assert_array_equal(line.predict_proba(X), direct.predict_proba(X.select(["sound", "age"])))


def test_voting_of_several_methods() -> None:
    """Probabilities are averaged, values too."""
    parts = [("early", quick()), ("late", quick().set_params(method=LateFusion(hidden=())))]
    voting = VotingClassifier(parts, voting="soft").fit(X, Y)
    mean = np.mean([model.predict_proba(X) for model in voting.estimators_], axis=0)
    np.testing.assert_allclose(voting.predict_proba(X), mean)
    assert VotingRegressor([("one", small_regressor(EarlyFusion(hidden=())))]).fit(X, REAL).predict(X).shape == (48,)


def test_stacking_of_several_methods() -> None:
    """Predictions across folds become the features of the last estimator."""
    parts = [(name, quick().set_params(method=SingleModality(name, hidden=()))) for name in X]
    stacking = StackingClassifier(parts, LogisticRegression(), cv=2).fit(X, Y)
    assert stacking.transform(X).shape == (48, 3)
    assert stacking.score(X, Y) > 0.7


def test_calibration() -> None:
    """Across folds, and of a model that is fitted already."""
    for model in (CalibratedClassifierCV(quick(), cv=2), CalibratedClassifierCV(FrozenEstimator(quick().fit(X, Y)))):
        np.testing.assert_allclose(model.fit(X, Y).predict_proba(X).sum(1), 1)


def test_a_tuned_threshold() -> None:
    """Decisions are cut elsewhere than at one half."""
    tuned = TunedThresholdClassifierCV(quick(), cv=2, scoring="recall").fit(X, Y)
    assert tuned.predict(X)[Y == 1].mean() > 0.9


def test_permutation_test() -> None:
    """The score beats that of shuffled targets."""
    score, shuffled, p = permutation_test_score(quick(), X, Y, cv=2, n_permutations=4, random_state=0)
    assert score > shuffled.max()
    assert p == pytest.approx(0.2)


def test_one_versus_the_rest() -> None:
    """Several classes as several models."""
    model = OneVsRestClassifier(quick()).fit(X, Y + (np.arange(48) % 4 == 0))
    assert model.predict_proba(X).shape == (48, 3)


def test_several_processes_give_the_same_numbers() -> None:
    """With n_jobs=2 the estimators travel to other processes and back."""
    alone, spread = (cross_validate(quick(), X, Y, cv=2, n_jobs=jobs, error_score="raise") for jobs in (1, 2))
    np.testing.assert_array_equal(alone["test_score"], spread["test_score"])


def test_splitting_shuffling_and_resampling_keep_samples_whole() -> None:
    """Ids, presence and targets stay together; a bootstrap repeats samples."""
    for one, y in (train_test_split(X, Y, random_state=0, stratify=Y)[::2], shuffle(X, Y, random_state=0)):
        assert Y[np.searchsorted(X.ids, one.ids)].tolist() == list(y)
        np.testing.assert_array_equal(one.present, X.present[np.searchsorted(X.ids, one.ids)])
    again, y = resample(X, Y, random_state=0)
    assert len(set(again.ids)) < 48
    assert quick().fit(again, y).score(X, Y) > 0.7


def test_bagging_takes_two_dimensional_input_with_groups_of_columns() -> None:
    """BaggingClassifier insists on one table; `modalities=` divides it."""
    table, y = one_table()
    model = quick(modalities={"a": slice(0, 3), "b": [3, 4]})
    bagging = BaggingClassifier(model, n_estimators=2, random_state=0).fit(table.to_numpy(), y)
    assert bagging.score(table.to_numpy(), y) > 0.7
    assert set(bagging.estimators_[0].spec_.names) == {"a", "b"}


def test_groups_are_routed_to_fit() -> None:
    """With metadata routing the same groups divide the folds and the validation inside each."""
    with sklearn.config_context(enable_metadata_routing=True):
        model = quick().set_fit_request(groups=True)
        routed = cross_validate(model, X, Y, cv=GroupKFold(3), params={"groups": GROUPS}, return_estimator=True)
        line = make_pipeline(FunctionTransformer(), quick().set_fit_request(groups=True))
        assert line.fit(X, Y, groups=GROUPS).predict(X).shape == (48,)
    train = next(iter(GroupKFold(3).split(X, Y, GROUPS)))[0]
    direct = quick().fit(X[train], Y[train], GROUPS[train])
    np.testing.assert_array_equal(routed["estimator"][0].predict_proba(X), direct.predict_proba(X))


def test_clones_and_nested_parameters() -> None:
    """A clone is unfitted with equal parts of its own; parameters of parts are reached by their names."""
    model = FusionClassifier(MetaFusion(rhos=(0.0, 2.0)), trainer=Trainer(epochs=3), validation=3, random_state=1)
    copied = clone(model)
    assert copied.get_params()["method__rhos"] == (0.0, 2.0)
    assert copied.get_params()["trainer__epochs"] == 3
    assert copied.method is not model.method
    copied.set_params(method__rhos=(1.0,), trainer__epochs=7, validation=0.3)
    assert (copied.method.rhos, copied.trainer.epochs, copied.validation) == ((1.0,), 7, 0.3)
    assert (model.method.rhos, model.trainer.epochs, model.validation) == ((0.0, 2.0), 3, 3)
    assert FusionClassifier().get_params()["method"] is None
    with pytest.raises(ValueError, match="Invalid parameter 'wings'"):
        copied.set_params(method__wings=2)


def test_fitting_changes_no_part_that_was_given() -> None:
    """The method and the trainer of the user stay as they were; what was found is in `method_`."""
    method = small_method()
    model = small_classifier(method).fit(X, Y)
    assert model.method is method
    assert method.rhos == (0.0, 1.0)
    assert len(model.method_.rhos) == 1


def forms() -> Iterator[tuple[str, object, object, dict]]:
    """The same two modalities in every form, with the classes in a form that goes with it."""
    table, y = one_table()
    a, b = table[["a_0", "a_1", "a_2"]], table[["b_0", "b_1"]]
    by_id = pd.Series(y, table.index)
    yield "modalities", Modalities({"a": a, "b": b}), y, {}
    yield "mapping of arrays", {"a": a.to_numpy(), "b": b.to_numpy()}, y, {}
    yield "mapping of tables, the target by id", {"a": a, "b": b}, by_id.sample(frac=1, random_state=0), {}
    yield "mapping of tables in another order", {"a": a, "b": b.sample(frac=1, random_state=0)}, by_id, {}
    yield "list of lists", {"a": a.to_numpy().tolist(), "b": b.to_numpy().tolist()}, y.tolist(), {}
    yield "names of columns", table, by_id, {"modalities": {"a": list(a), "b": list(b)}}
    yield "patterns of columns", table, y, {"modalities": {"a": "a_*", "b": "b_*"}}
    yield "slices of columns", table, y, {"modalities": {"a": slice(0, 3), "b": slice(3, None)}}
    yield "two levels", table.set_axis(table.columns.str.split("_", expand=True), axis=1), y, {}
    yield "array", table.to_numpy(), y, {"modalities": {"a": [0, 1, 2], "b": [3, 4]}}
    yield "array by slices", table.to_numpy(), list(y), {"modalities": {"a": slice(0, 3), "b": slice(3, 5)}}
    yield "rows of numbers", table.to_numpy().tolist(), y, {"modalities": {"a": slice(0, 3), "b": slice(3, 5)}}
    yield "list of arrays", [a.to_numpy(), b.to_numpy()], y, {}
    yield "list of tables", [a, b], y, {}


FORMS = list(forms())


@pytest.fixture(scope="module")
def reference() -> np.ndarray:
    """Predictions from `Modalities`."""
    _, modalities, y, _ = FORMS[0]
    return small_classifier().fit(modalities, y).predict_proba(modalities)


@pytest.mark.parametrize(("data", "y", "params"), [form[1:] for form in FORMS[1:]], ids=[form[0] for form in FORMS[1:]])
def test_every_form_of_the_same_data_gives_the_same_predictions(data, y, params, reference) -> None:
    """Bit by bit, in fit and at prediction; the score too."""
    model = small_classifier(**params).fit(data, y)
    np.testing.assert_array_equal(model.predict_proba(data), reference)
    assert model.score(data, y) == np.mean(model.predict(data) == one_table()[1])


def test_one_table_without_groups_is_one_modality() -> None:
    """A table, its array and its rows as lists."""
    table, y = one_table()
    found = [small_classifier().fit(data, y).predict_proba(data) for data in (table, table.to_numpy(), {"x": table})]
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(found[0], found[2])


def test_samples_are_paired_with_targets_by_id_after_an_outer_join() -> None:
    """Tables that lack samples are joined with a warning; the target may stand in any order and hold more."""
    arrays, y = three_arrays()
    tables = {name: pd.DataFrame(arrays[name], index=names_of(60)) for name in ("sound", "age")}
    tables["age"] = tables["age"].iloc[::-1].drop(["p003", "p010"])
    target = pd.concat([pd.Series(y, names_of(60)), pd.Series([1], ["q"])]).sample(frac=1, random_state=0)
    with pytest.warns(UserWarning, match="'age' lacks 2"):
        model = small_classifier().fit(tables, target)
    with pytest.warns(UserWarning, match="'age' lacks 2"):
        assert model.score(tables, target) > 0.8
    full = Modalities(
        {"sound": arrays["sound"], "age": arrays["age"]}, present={"age": ~np.isin(np.arange(60), (3, 10))}
    )
    np.testing.assert_array_equal(
        small_classifier().fit(full, y).predict_proba(full),
        model.predict_proba(Modalities(dict(full), present=full.present)),
    )


@pytest.mark.filterwarnings("ignore:Modality .* is absent from all training samples")
def test_folds_with_other_absences_than_the_training_samples() -> None:
    """A modality that no training sample has, or no test sample, ends in no error."""
    absent = X.present.copy()
    absent[24:, 1] = False
    sparse = Modalities(dict(X.items()), present=absent)
    first, last = np.arange(24), np.arange(24, 48)
    for train, test in ((first, last), (last, first)):
        assert small_classifier().fit(sparse[train], Y[train]).score(sparse[test], Y[test]) > 0.7
