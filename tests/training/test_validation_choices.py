"""Validation samples that the user names, and none at all."""

import numpy as np
import pandas as pd
import pytest
import torch

from plait import (
    Baseline,
    CooperativeFusion,
    FusionClassifier,
    FusionRegressor,
    GatedFusion,
    LateFusion,
    MetaFusion,
    Modalities,
    Trainer,
    load,
    save,
)
from plait.compare.runs.plan import Contender, Plan
from plait.compare.runs.splits import Splits
from plait.training.keeper import LastState
from plait.training.splits import holds_nothing, validation_folds
from tiny import course, fresh_cohort, same, weights

QUICK = Trainer(epochs=3, threads=1)
SMALL = GatedFusion(width=2, hidden=(), encoder_hidden=())
HELD = np.arange(24) % 5 == 1


def data(n=24):
    """Two modalities, some absent rows, and a value each tells a part of."""
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(n, 3)), rng.normal(size=(n, 2))
    y = a[:, 0] + b[:, 1]
    a[3], b[5] = np.nan, np.nan
    return {"a": a, "b": b}, y


def regressor(method=SMALL, **changed):
    return FusionRegressor(method, **{"trainer": QUICK, "random_state": 0} | changed)


# Samples that are named


@pytest.mark.parametrize("given", [HELD, HELD.tolist(), pd.Series(HELD)], ids=["array", "list", "Series"])
def test_true_is_held_out(given):
    """Fold 0, whatever the classes; all others train, and no seed changes it."""
    for seed in (0, 1):
        found = validation_folds(24, given, np.arange(24) % 2, None, seed)
        assert np.array_equal(found, np.where(HELD, 0, -1))


@pytest.mark.parametrize("method", [SMALL, LateFusion(hidden=())], ids=repr)
def test_the_samples_held_out_teach_nothing(method):
    """Other targets there, the same weights at the end of one epoch; other targets elsewhere, other weights."""
    X, y = data()
    one = {"trainer": Trainer(epochs=1, batch_size=4, threads=1), "target_scaling": "none", "validation": HELD}
    first, held, other = (regressor(method, **one).fit(X, y + shift) for shift in (0.0, 5.0 * HELD, 5.0 * ~HELD))
    states = [model.module_.state_dict() for model in (first, held, other)]
    learned = [name for name in states[0] if not name.endswith(("weights", "fallback"))]  # the ensemble is chosen
    states = [{name: state[name] for name in learned} for state in states]
    assert same(states[0], states[1])
    assert not same(states[0], states[2])


def test_a_series_is_matched_by_id():
    """In any order of its index, as a target is; the same model as booleans in the order of the samples."""
    X, y = data()
    ids = [f"p{row:02d}" for row in range(24)]
    frames = {name: pd.DataFrame(values, index=ids).add_prefix(name) for name, values in X.items()}
    given = pd.Series(HELD, ids).sample(frac=1, random_state=0)
    assert not np.array_equal(given.to_numpy(), HELD)
    ends = [regressor(validation=held).fit(Modalities.from_frames(frames), y).predict(frames) for held in (given, HELD)]
    assert np.array_equal(*ends)
    with pytest.raises(ValueError, match=r"validation cannot be matched by id: it has no value for the samples.*p03"):
        regressor(validation=given.drop("p03")).fit(Modalities.from_frames(frames), y)


def test_booleans_without_ids_need_samples_in_a_known_order():
    """Tables in different orders are joined; then an array says nothing of whom it means."""
    X, y = data()
    ids = [f"p{row:02d}" for row in range(24)]
    a, b = (pd.DataFrame(values, index=ids).add_prefix(name) for name, values in X.items())
    target = pd.Series(y, ids)
    with pytest.raises(ValueError, match="another order, and validation has no ids"):
        regressor(validation=HELD).fit({"a": a, "b": b[::-1]}, target)
    regressor(validation=pd.Series(HELD, ids)).fit({"a": a, "b": b[::-1]}, target)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (HELD[:-1], "validation has 23 values"),
        (HELD.astype(int), r"validation, where it is an array, must hold one boolean a sample, 24 in all.*int64"),
        (np.stack([HELD, HELD], axis=1), r"one boolean a sample.*\(24, 2\)"),
        (np.zeros(24, dtype=bool), "validation holds out no sample of 24"),
        (np.ones(24, dtype=bool), "validation holds out every sample of 24"),
    ],
)
def test_arrays_that_cannot_be_used_are_refused(given, message):
    """With what was expected and what came."""
    X, y = data()
    with pytest.raises(ValueError, match=message):
        regressor().set_params(validation=given).fit(X, y)


def test_an_array_may_not_divide_groups():
    """Whole groups are held out, or there is an error."""
    X, y = data()
    groups = np.arange(24) // 4
    regressor(validation=groups == 2).fit(X, y, groups)
    with pytest.raises(ValueError, match="a part of some groups only"):
        regressor(validation=HELD).fit(X, y, groups)


def test_a_class_that_is_held_out_wholly_is_no_obstacle():
    """Nor is its weight infinite, where classes are weighed."""
    X, _ = data()
    y = np.where(HELD, "c", np.where(np.arange(24) % 2, "a", "b"))
    trainer = Trainer(epochs=2, threads=1, class_weight="balanced")
    model = FusionClassifier(SMALL, trainer=trainer, validation=HELD, random_state=0).fit(X, y)
    assert np.isfinite(model.predict_proba(X)).all()
    assert np.isfinite(model.history_.validation_loss).all()


def test_a_model_with_an_array_is_saved_without_it(tmp_path):
    """The same predictions; a fit of the loaded model divides anew."""
    X, y = data()
    model = regressor(validation=HELD).fit(X, y)
    again = load(save(model, tmp_path / "model"))
    assert again.validation is None
    assert model.validation is HELD
    assert np.array_equal(again.predict(X), model.predict(X))


@pytest.mark.parametrize("settings", [{"validation": HELD}, {"validation": HELD.tolist()}])
def test_a_comparison_refuses_an_array(settings):
    """It would be of other samples in every fold."""
    X, y = data()
    contender = Contender("gated", "fusion", SMALL, settings=settings)
    plan = Plan(Modalities(X), y, "regression", None, Splits(24, (), "none"), (0,), (contender,))
    with pytest.raises(ValueError, match="validation of a comparison must be a share or a number of folds"):
        plan.check()


# Nothing held out


@pytest.mark.parametrize(("value", "nothing"), [(0, True), (0.0, True), (np.int64(0), True), (False, False)])
def test_zero_holds_nothing_out(value, nothing):
    """False is not 0."""
    assert holds_nothing(value) == nothing
    if nothing:
        assert validation_folds(24, value, needed=False).tolist() == [-1] * 24
        with pytest.raises(ValueError, match="share between 0 and 1"):
            validation_folds(24, value)


def test_without_validation_training_takes_all_epochs():
    """Whatever the patience; the weights are those after the last of them, and validation losses are NaN."""
    samples, cohort = fresh_cohort(count=30)
    samples.samples.fold.fill_(-1)
    lesson = course(samples, epochs=6, patience=1, learning_rate=0.5)
    result = lesson.run(cohort, 1, "training", keep_moments=True)
    assert len(result.history) == 6
    assert result.epochs.tolist() == [5] * cohort.units
    assert result.losses.isnan().all()
    assert result.moments.steps.tolist() == [6 * 4] * cohort.units
    assert result.history[["validation_loss", "best_validation_loss"]].isna().all(axis=None)
    assert np.isfinite(result.history.training_loss).all()
    assert same(weights(cohort), lesson.runs[0]["epochs"][-1]["state"])


def test_every_sample_trains_without_validation():
    """The network after one epoch depends on each of them."""
    X, y = data()
    one = {"trainer": Trainer(epochs=1, batch_size=4, threads=1), "target_scaling": "none", "validation": 0}
    plain = regressor(**one).fit(X, y).module_.net.state_dict()
    for row in (0, 7, 23):
        moved = regressor(**one).fit(X, y + 5 * (np.arange(24) == row)).module_.net.state_dict()
        assert not same(plain, moved)


@pytest.mark.parametrize("method", [SMALL, CooperativeFusion(rhos=(0.5,), hidden=(4,)), Baseline()], ids=repr)
@pytest.mark.parametrize("kind", [FusionClassifier, FusionRegressor])
def test_methods_that_choose_nothing_need_no_validation(method, kind, tmp_path):
    """They are fitted, predict, and are saved with their NaN; one copy, whose prior is of all samples."""
    X, y = data()
    y = y > 0 if kind is FusionClassifier else y
    model = kind(method, trainer=QUICK, validation=0, random_state=0).fit(X, y)
    assert model.spec_.folds == 1
    assert model.history_.validation_loss.isna().all()
    assert np.isfinite(model.history_.training_loss).all()
    again = load(save(model, tmp_path / "model"))
    assert np.array_equal(again.predict(X), model.predict(X))
    assert again.validation == 0
    mean = float(model.module_.prior[1].exp()) if kind is FusionClassifier else float(model.target_.mean[0])
    assert mean == pytest.approx(y.mean(), abs=1e-6)


@pytest.mark.parametrize("method", [None, MetaFusion(), LateFusion()], ids=repr)
def test_methods_that_choose_need_validation(method):
    """The message says what to give."""
    X, y = data()
    name = type(method or MetaFusion()).__name__
    with pytest.raises(
        ValueError, match=f"{name} chooses by validation samples, but validation=0 holds none out. Give"
    ):
        regressor(method, validation=0).fit(X, y)


def test_a_path_of_settings_needs_validation():
    """One of several rho cannot be chosen."""
    X, y = data()
    with pytest.raises(
        ValueError, match=r"CooperativeFusion chooses one of 2 settings by validation.*Give one setting"
    ):
        regressor(CooperativeFusion(rhos=(0.0, 1.0)), validation=0).fit(X, y)


def test_calibration_needs_validation():
    """Told before anything is trained."""
    X, y = data()
    model = FusionClassifier(SMALL, validation=0, calibration="temperature")
    with pytest.raises(ValueError, match=r"calibration='temperature' is fitted on validation samples.*holds none out"):
        model.fit(X, y > 0)


def test_training_that_diverges_without_validation_says_so():
    """The weights are no numbers any more."""
    samples, cohort = fresh_cohort(hidden=(8, 8))
    samples.samples.fold.fill_(-1)
    with pytest.raises(ValueError, match=r"Training diverged: the weights are no numbers any more.*1e\+30"):
        course(samples, precision="float32", learning_rate=1e30).run(cohort, 1, "training")


def test_modalities_that_nobody_has_are_named_without_validation():
    """Where there is nothing to learn."""
    samples, cohort = fresh_cohort({"a": ("identity",), "b": ("null",)})
    samples.samples.fold.fill_(-1)
    samples.samples.present[:, 0] = False
    with pytest.raises(ValueError, match=r"needs the modalities \['a'\], which no training sample has"):
        course(samples).run(cohort, 1, "training")


def test_the_keeper_of_last_weights_keeps_nothing_else():
    """Live tensors as they are, infinities too; the epoch of the last update; losses unknown."""
    live = torch.tensor([1.0, torch.inf])
    keeper = LastState({"live": live}, {"live": 0}, 1)
    keeper.update(torch.tensor([torch.nan]), 3)
    live[0] = 2.0
    keeper.restore()
    assert live.tolist() == [2.0, torch.inf]
    assert keeper.best["live"].tolist() == [2.0, torch.inf]
    assert keeper.epochs.tolist() == [3]
    assert keeper.losses.isnan().all()
    assert keeper.trouble == ""
    live[0] = torch.nan
    assert keeper.trouble
