"""The trainer: seeds, random numbers, precision, settings, and what it says."""

import re

import numpy as np
import pytest
import torch
from sklearn.base import clone

from plait.training.trainer import Trainer
from tiny import course, fresh_cohort, same, weights

LABELS = ("identity", "pca-2", "encoder-2", "null")


@pytest.mark.parametrize("seed", [0, 1])
def test_the_seed_decides_the_numbers(seed):
    """Bit for bit the same with the same seed, dropout included; other numbers with another."""
    ends = []
    for used in (0, seed):
        data, cohort = fresh_cohort(LABELS, dropout=0.5)
        course(data, used, precision="float32").run(cohort, 1, "training")
        ends.append(weights(cohort))
    assert same(*ends) == (seed == 0)


def test_streams_of_a_course_are_independent():
    """Initial weights, orders of phases and screening draw from different seeds, those of other courses differ."""
    data, _ = fresh_cohort()
    seeds = [course(data, seed).stream(place) for seed in (0, 1) for place in range(50)]
    assert len(set(seeds)) == 100
    assert course(data).stream(3) == seeds[3]


def test_global_random_numbers_are_left_alone():
    """Torch's and numpy's generators go on as if nothing had been trained."""
    data, cohort = fresh_cohort(LABELS, dropout=0.5)
    before, numpys = torch.get_rng_state(), np.random.get_state()[1].copy()
    course(data).run(cohort, 1, "training")
    assert torch.equal(torch.get_rng_state(), before)
    assert np.array_equal(np.random.get_state()[1], numpys)


# Precision and settings


@pytest.mark.parametrize("task", ["regression", "classification"])
def test_precisions_agree(task):
    """Mixed precision keeps single precision weights; all three find about the same losses."""
    losses = {}
    for precision, dtype in (("float32", torch.float32), ("float64", torch.float64), ("bfloat16", torch.float32)):
        data, cohort = fresh_cohort(LABELS, rhos=(0.0, 1.0), task=task, outputs=3, absent=0.2)
        result = course(data, precision=precision).run(cohort, 1, "training")
        assert {tensor.dtype for tensor in cohort.parameters()} == {dtype}
        losses[precision] = result.losses.double()
    torch.testing.assert_close(losses["float32"], losses["float64"], rtol=0, atol=1e-4)
    torch.testing.assert_close(losses["bfloat16"], losses["float64"], rtol=0.1, atol=0.02)


def test_training_that_diverges_says_so():
    """With the learning rate and what to do."""
    data, cohort = fresh_cohort(hidden=(8, 8))
    message = r"diverged: no validation loss was finite in 4 epochs at learning_rate=1e\+30.*Lower the learning rate"
    with pytest.raises(ValueError, match=message):
        course(data, precision="float32", learning_rate=1e30).run(cohort, 1, "training")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("epochs", 0),
        ("batch_size", 0),
        ("learning_rate", 0.0),
        ("learning_rate", float("inf")),
        ("learning_rate", float("nan")),
        ("weight_decay", -0.1),
        ("patience", 0),
        ("precision", "float16"),
        ("threads", 0),
    ],
)
def test_settings_out_of_range_are_named(name, value):
    """With the value."""
    with pytest.raises(ValueError, match=rf"{name}.*{re.escape(repr(value))}"):
        Trainer().set_params(**{name: value}).check()


def test_the_trainer_is_cloned_and_searched_as_an_estimator():
    """scikit-learn's get_params, set_params and clone; the defaults are in range."""
    trainer = clone(Trainer(epochs=7)).set_params(batch_size=3)
    assert trainer.get_params()["epochs"] == 7
    assert trainer.batch_size == 3
    Trainer().check()


def test_progress_is_shown_when_asked_for(capsys):
    """On standard error, with the phase; silent otherwise."""
    data, cohort = fresh_cohort()
    course(data).run(cohort, 1, "quiet")
    assert capsys.readouterr() == ("", "")
    Trainer(epochs=2, device="cpu").run(cohort, data, 0, phase="rho 0.99", verbose=1)
    out, err = capsys.readouterr()
    assert out == ""
    assert "rho 0.99" in err
