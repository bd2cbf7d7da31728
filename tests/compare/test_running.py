"""One run: what is fitted on, what is said of the reported samples, and what an error does."""

import warnings
from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.dummy import DummyRegressor

from plait.compare.runs.changes import OnlyModalities, ShuffledTarget
from plait.compare.runs.plan import Contender
from plait.compare.runs.record import Record
from plait.compare.runs.running import Failure, compute, prior_outputs
from plait.compare.runs.splits import from_cv, make_splits
from plait.data.modalities import Modalities
from plait.methods.baseline import Baseline
from plait.methods.early import EarlyFusion
from plait.methods.late import LateFusion
from plait.methods.single import SingleModality
from plait.training.splits import validation_folds
from plans import USUAL, small_plan
from samples import three_modalities

X, Y = three_modalities(60)
EARLY = Contender("early", "fusion", EarlyFusion(hidden=(4,)))


def computed(plan, place=0):
    """The record of one run of a plan."""
    run = plan.runs()[place]
    key, found = compute(plan.samples, run)
    assert key == run.key
    return run, found


def test_a_run_is_what_the_estimator_says():
    """Fitted on the training samples by hand, the same numbers."""
    plan = small_plan(EARLY)
    run, record = computed(plan)
    estimator = clone(run.estimator).fit(X[run.split.train], Y[run.split.train])
    assert np.array_equal(record.outputs, estimator.predict_proba(X[run.split.test]))
    assert record.facts["resolved"]["class"] == "EarlyFusion"
    assert record.facts["history"]["rows"] == 2
    assert record.facts["samples"] == {"train": 30, "test": 30, "without_a_usable_modality": 0}
    assert list(record.tables) == ["cohort"]
    assert record.seconds > 0


@dataclass(repr=False, eq=False)
class Watched(EarlyFusion):
    """Early fusion that leaves its last module where the test finds it."""

    def fit(self, course):
        fitted = super().fit(course)
        Watched.seen = {name: value.clone() for name, value in fitted.module.state_dict().items()}
        return fitted


@pytest.mark.parametrize("groups", [None, np.arange(60) // 2])
def test_nothing_of_the_reported_fold_reaches_the_fit(groups):
    """Other targets and other values of the reported samples leave every weight as it is, early stopping included."""
    splits = make_splits(60, None, groups, folds=2)
    watched = Contender("watched", "fusion", Watched(hidden=(4,)))
    plan = small_plan(
        watched, groups=groups, splits=splits, trainer=replace(small_plan().trainer, epochs=12, patience=2)
    )
    run, first = computed(plan)
    before = Watched.seen
    rows = run.split.test
    arrays = {name: values.copy() for name, values in X.items()}
    for values in arrays.values():
        values[rows] = 1000 - values[rows]
    target = plan.target.copy()
    target[rows] = np.where(target[rows] == "ill", "well", "ill")
    spoiled = replace(plan, modalities=Modalities(arrays, ids=X.ids, present=X.present), target=target)
    _, second = computed(spoiled)
    assert all(torch.equal(before[name], Watched.seen[name]) for name in before)
    assert not np.array_equal(first.outputs, second.outputs)


def test_the_inner_validation_divides_no_group(monkeypatch):
    """The groups of the training samples are passed to the fit."""
    seen = []
    monkeypatch.setattr("plait.estimation.validation_folds", _noting(seen))
    groups = np.arange(60) // 3
    plan = small_plan(EARLY, groups=groups, splits=make_splits(60, Y, groups, folds=2))
    run, _ = computed(plan)
    (labels,) = seen
    assert len(np.unique(groups[run.split.train])) == len(np.unique(labels))
    assert np.array_equal(np.unique(groups[run.split.train], return_inverse=True)[1], labels)


def _noting(seen):
    def noted(samples, validation, classes=None, groups=None, *rest, **more):
        seen.append(np.unique(groups, return_inverse=True)[1])
        return validation_folds(samples, validation, classes, groups, *rest, **more)

    return noted


def test_a_class_without_training_samples_has_probability_zero():
    """The others stand in their own columns."""
    target = np.array(["a", "b", "c"])[np.arange(60) % 3]
    train = np.flatnonzero(target != "b")
    plan = small_plan(EARLY, target=target, splits=from_cv([(train, np.flatnonzero(target == "b"))], X))
    _, record = computed(plan)
    assert record.outputs.shape == (20, 3)
    assert (record.outputs[:, 1] == 0).all()
    assert (record.outputs[:, [0, 2]] > 0).all()
    np.testing.assert_allclose(record.outputs.sum(1), 1)


def test_samples_without_a_modality_of_the_subset_get_the_prior_of_all_training_samples():
    """They train nothing; the rest is a fit on the others alone."""
    only = Contender("only", "subset", EARLY.method, OnlyModalities(("image",)))
    plan = small_plan(only)
    run, record = computed(plan)
    here = X.present[:, X.names.index("image")]
    test, train = run.split.test, run.split.train[here[run.split.train]]
    prior = np.bincount(Y[run.split.train], minlength=2) / len(run.split.train)
    assert (record.outputs[~here[test]] == prior).all()
    images = X.select(["image"])
    by_hand = clone(run.estimator).fit(images[train], Y[train]).predict_proba(images[test[here[test]]])
    assert np.array_equal(record.outputs[here[test]], by_hand)
    assert record.facts["samples"]["without_a_usable_modality"] == (~here[test]).sum() > 0


def test_a_subset_that_no_training_sample_has_is_a_failure():
    """Said in words."""
    here = X.present[:, X.names.index("image")]
    splits = from_cv([(np.flatnonzero(~here), np.flatnonzero(here))], X)
    _, found = computed(
        small_plan(Contender("only", "subset", EARLY.method, OnlyModalities(("image",))), splits=splits)
    )
    assert found == Failure("ValueError: No training sample has any of the modalities ['image'].")


def test_a_shuffled_target_spoils_the_training_alone():
    """The probabilities are those of a fit on permuted labels."""
    plan = small_plan(Contender("control", "control", EARLY.method, ShuffledTarget()))
    run, record = computed(plan)
    changed = ShuffledTarget().apply(X, Y, run.split.train, run.change_seed)
    by_hand = clone(run.estimator).fit(X[run.split.train], changed.target[run.split.train])
    assert np.array_equal(record.outputs, by_hand.predict_proba(X[run.split.test]))


@pytest.mark.parametrize("shape", [(60,), (60, 2)])
def test_values_are_predicted_in_the_units_of_the_target(shape):
    """The baseline is the mean of the training samples, one column a target."""
    target = np.random.default_rng(0).normal(100, 5, shape)
    plan = small_plan(Contender("mean", "baseline", Baseline()), task="regression", target=target)
    run, record = computed(plan)
    known = DummyRegressor().fit(run.split.train, target[run.split.train]).predict(run.split.test)
    np.testing.assert_allclose(record.outputs, known.reshape(30, -1), rtol=1e-6)
    np.testing.assert_allclose(prior_outputs(plan.samples, run.split.train), known.reshape(30, -1)[0])


@dataclass(repr=False, eq=False)
class Failing(Baseline):
    """Raises what it is told."""

    error: str = "ValueError"

    def fit(self, course):
        known = {"LinAlgError": np.linalg.LinAlgError, "KeyboardInterrupt": KeyboardInterrupt}
        raise {**vars(__import__("builtins")), **known}[self.error]("no luck")


@pytest.mark.parametrize(
    "error",
    [
        "ValueError",
        "TypeError",
        "RuntimeError",
        "ZeroDivisionError",
        "LinAlgError",
        "NotImplementedError",
        "MemoryError",
    ],
)
def test_an_error_of_a_method_is_a_failure(error):
    """In words, with the kind of the error."""
    _, found = computed(small_plan(Contender("failing", "fusion", Failing(error))))
    assert found == Failure(f"{error}: no luck")


def test_an_interruption_is_none():
    """Who presses Ctrl-C means it."""
    with pytest.raises(KeyboardInterrupt):
        computed(small_plan(Contender("failing", "fusion", Failing("KeyboardInterrupt"))))


@dataclass(repr=False, eq=False)
class Warning_(Baseline):
    """Warns twice of the same."""

    def fit(self, course):
        warnings.warn("mind the step", RuntimeWarning, stacklevel=1)
        warnings.warn("mind the step", RuntimeWarning, stacklevel=1)
        return super().fit(course)


def test_warnings_are_kept_with_the_run():
    """Once each, and not shown."""
    _, found = computed(small_plan(Contender("warning", "fusion", Warning_())))
    assert isinstance(found, Record)
    assert found.facts["warnings"] == ["RuntimeWarning: mind the step"]


@dataclass(repr=False, eq=False)
class Counting(Baseline):
    """Notes the number of threads it may use."""

    def fit(self, course):
        Counting.seen = (torch.get_num_threads(), course.trainer.threads)
        return super().fit(course)


@pytest.mark.parametrize(("given", "expected"), [(None, 1), (2, 2)])
def test_threads_are_one_unless_the_trainer_says_otherwise(given, expected):
    """Within a run; torch's number is restored after it."""
    plan = small_plan(Contender("counting", "fusion", Counting()))
    before = torch.get_num_threads()
    computed(replace(plan, trainer=replace(plan.trainer, threads=given)))
    assert Counting.seen == (expected, expected)
    assert torch.get_num_threads() == before


def test_a_method_of_one_modality_reads_it_alone():
    """What a contender reads is what it says, or what the change leaves."""
    single = Contender("age", "single", SingleModality("age"), names=("age",))
    assert single.reads(X) == ("age",)
    assert EARLY.reads(X) == X.names
    assert Contender("late", "subset", LateFusion(), OnlyModalities(("age", "sound"))).reads(X) == ("sound", "age")
    assert USUAL[0].change.reads(X.names) == X.names
