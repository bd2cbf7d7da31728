"""What is to be run, and what its key depends on."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from plait.compare.runs.changes import OnlyModalities, ShuffledTarget
from plait.compare.runs.fingerprint import code_version, data_fingerprint, module_fingerprint, source_fingerprint
from plait.compare.runs.plan import Contender
from plait.compare.runs.splits import from_cv, make_splits
from plait.data.modalities import Modalities
from plait.methods.baseline import Baseline
from plait.methods.late import LateFusion
from plans import USUAL, SlowBaseline, small_plan
from samples import small_trainer, three_arrays, three_modalities

X, Y = three_modalities(60)


def keys(plan):
    return [run.key for run in plan.runs()]


def test_every_contender_runs_on_every_split_with_every_seed():
    """Three contenders, two repeats of two folds, two seeds: 24 runs of different content."""
    plan = small_plan(repeats=2, seeds=(0, 5))
    runs = plan.runs()
    assert len(runs) == len({run.key for run in runs}) == 24
    assert {(run.contender.label, run.split.repeat, run.split.fold, run.seed) for run in runs} == {
        (label, repeat, fold, seed)
        for label in ("baseline", "early", "meta")
        for repeat in (0, 1)
        for fold in (0, 1)
        for seed in (0, 5)
    }
    assert keys(plan) == keys(small_plan(repeats=2, seeds=(0, 5)))


@pytest.mark.parametrize(
    "changed",
    [
        {"trainer": small_trainer(epochs=3)},
        {"validation": 0.3},
        {"scaling": "none"},
        {"seeds": (1,)},
        {"splits": make_splits(60, Y, folds=2, seed=1)},
        {"target": np.where(np.arange(60) == 3, 1 - Y, Y)},
        {"groups": np.arange(60) // 2, "splits": make_splits(60, None, np.arange(60) // 2, folds=2)},
        {"modalities": three_modalities(60, seed=1)[0]},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_what_changes_a_result_changes_the_key(changed):
    """No key of before is among the new ones."""
    assert not set(keys(small_plan())) & set(keys(small_plan(**changed)))


@pytest.mark.parametrize(
    "contender",
    [
        Contender("late", "fusion", LateFusion(hidden=(5,))),
        Contender("late", "fusion", LateFusion(hidden=(4,), dropout=0.1)),
        Contender("late", "control", LateFusion(hidden=(4,)), ShuffledTarget()),
        Contender("late", "subset", LateFusion(hidden=(4,)), OnlyModalities(("age",))),
        Contender("late", "fusion", LateFusion(hidden=(4,)), settings={"validation": 0.4}),
    ],
)
def test_every_setting_of_a_contender_changes_the_key(contender):
    """Hyperparameters, change of the data, settings of the estimator."""
    usual = small_plan(Contender("late", "fusion", LateFusion(hidden=(4,))))
    assert not set(keys(usual)) & set(keys(small_plan(contender)))


def test_what_changes_no_result_changes_no_key():
    """Label, kind, threads, the seed of controls where there are none, names of columns."""
    plan = small_plan()
    other = [replace(one, label=f"{one.label}!", kind="control") for one in USUAL]
    assert keys(plan) == keys(small_plan(*other))
    assert keys(plan) == keys(replace(plan, trainer=replace(plan.trainer, threads=7)))
    assert keys(plan) == keys(replace(plan, random_state=3))
    control = small_plan(Contender("control", "control", Baseline(), ShuffledTarget()))
    assert not set(keys(control)) & set(keys(replace(control, random_state=3)))


def test_a_run_depends_on_training_rows_too():
    """The same reported rows with fewer training rows are another run."""
    test = np.arange(40, 60)
    plans = [small_plan(splits=from_cv([(np.arange(rows), test)], X)) for rows in (30, 40)]
    assert not set(keys(plans[0])) & set(keys(plans[1]))


def test_the_same_data_in_other_containers_have_the_same_fingerprint():
    """Layout in memory, tables, lists, and text as objects do not matter."""
    arrays, _ = three_arrays(30)
    flat = {name: values.reshape(30, -1) for name, values in arrays.items()}
    ids = [f"p{row}" for row in range(30)]
    usual = Modalities(flat, ids=ids)
    tables = {name: pd.DataFrame(values, index=ids) for name, values in flat.items()}
    columns = {name: np.asfortranarray(values) for name, values in flat.items()}
    codes = np.arange(30) % 2
    known = data_fingerprint(usual, codes)
    assert known == data_fingerprint(Modalities(tables), codes)
    assert known == data_fingerprint(Modalities(columns, ids=np.array(ids, dtype=object)), codes)
    assert known == data_fingerprint(
        Modalities({name: values.tolist() for name, values in flat.items()}, ids=ids), codes
    )
    assert known != data_fingerprint(Modalities(flat), codes)
    assert known != data_fingerprint(usual, codes, ("a", "b"))
    assert known != data_fingerprint(usual[::-1], codes)
    assert known != data_fingerprint(usual.select(["image", "sound", "age"]), codes)


def test_a_large_array_is_read_in_parts(monkeypatch):
    """The size of the parts does not matter."""
    known = data_fingerprint(X, Y)
    monkeypatch.setattr("plait.compare.runs.fingerprint._CHUNK", 7)
    assert data_fingerprint(X, Y) == known


def test_encoders_are_known_by_weights_and_form():
    """A copy is the same; another weight, another layer, or a frozen one is another."""
    torch.manual_seed(0)
    module = nn.Linear(4, 2)
    copied = nn.Linear(4, 2)
    copied.load_state_dict(module.state_dict())
    assert module_fingerprint(module) == module_fingerprint(copied)
    known = {module_fingerprint(module), module_fingerprint(nn.Linear(4, 2))}
    known |= {module_fingerprint(nn.Sequential(module)), module_fingerprint(copied.requires_grad_(requires_grad=False))}
    assert len(known) == 4
    plans = [small_plan(USUAL[1], encoders={"sound": given}) for given in (module, copied)]
    assert not set(keys(plans[0])) & set(keys(plans[1]))


@dataclass(repr=False, eq=False)
class OwnMethod(Baseline):
    """A method of this file."""


def test_code_is_part_of_the_key():
    """The source of a class that is not plait's, and of a plait in development."""
    assert source_fingerprint(Baseline) == ""
    assert len({source_fingerprint(OwnMethod), source_fingerprint(SlowBaseline), ""}) == 3
    assert code_version().startswith("0.")


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"contenders": (USUAL[0], USUAL[0])}, "different labels.*'baseline'"),
        ({"seeds": ()}, "at least one"),
        ({"seeds": (1, 1)}, "different whole numbers"),
        ({"splits": make_splits(20)}, "splits are of 20 samples, but there are 60"),
        ({"contenders": (Contender("a", "subset", Baseline(), OnlyModalities(("taste",))),)}, "OnlyModalities must"),
        ({"target": np.zeros(60, int)}, "one class only"),
    ],
)
def test_a_plan_that_cannot_be_run_is_refused(changed, message):
    """Before anything is fitted."""
    with pytest.raises(ValueError, match=message):
        replace(small_plan(), **changed).runs()


def test_the_truth_of_a_plan():
    """Codes of the classes in sorted order; every sample its own group where there are none."""
    truth = small_plan().truth
    assert truth.classes == ("ill", "well")
    assert np.array_equal(truth.target, Y)
    assert np.array_equal(truth.groups, np.arange(60))
    assert truth.train.tolist() == [[30, 30]]


def test_targets_of_a_regression_are_numbers():
    """Whole numbers too; two targets are two columns."""
    plan = replace(small_plan(), task="regression", target=np.stack([Y, Y], 1))
    assert plan.samples.target.dtype == np.float64
    assert plan.samples.outputs == 2
    assert plan.truth.classes == ()
