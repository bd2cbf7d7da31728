"""Successive halving: the count of the spec, and survivors that are as if they had been trained in one go."""

from dataclasses import replace

import numpy as np
import pytest
from planted_judges import noise, numbers, planted

from plait.skew.searches.halving import successive_halving
from plait.skew.searches.stacked_scan import TrainedHeads, head_trainer, stacked_scan
from plait.skew.searches.tried import singles
from plait.statistics.metrics import metric_by_name
from plait.training.trainer import Trainer


def whole(epochs=1):
    """A trainer for which the order of samples and the restarts do not matter: one step an epoch, one rate."""
    return Trainer(epochs=epochs, batch_size=1000, learning_rate=1e-2, patience=None)


def test_a_seventh_of_the_work_of_training_all_to_the_end():
    """144 pairs: 144, 48, 16 and 5 of them for 1, 3, 9 and 27 epochs are 567 epochs of heads, not 3,888."""
    judge = noise({"a": 12, "b": 12}, width=2)
    tried = successive_halving(judge, how=TrainedHeads("sum", width=2, trainer=whole()))
    assert tried.history.groupby("round").size().tolist() == [144, 48, 16, 5]
    assert tried.history.groupby("round")["epochs"].first().tolist() == [1, 4, 13, 40]
    assert tried.history.groupby("round")["kept"].sum().tolist() == [48, 16, 5, 1]
    assert tried.head_epochs == 567
    assert len(tried.fused.values) == 144
    assert np.isfinite(tried.fused.drawn).all()


def test_survivors_go_on_from_where_they_stopped():
    """With one step an epoch at one rate: as if trained for all their epochs at once, the optimiser's memory too."""
    judge = noise({"a": 3, "b": 3})
    how = TrainedHeads("bilinear", width=4, seeds=2, trainer=whole())
    tried = successive_halving(judge, how=how, budgets=(2, 3, 4), share=2)
    counts = {2: 9, 5: 4, 9: 2}
    for epochs, count in counts.items():
        rows = tried.history[tried.history["epochs"] == epochs]
        assert len(rows) == count
        at_once = stacked_scan(judge, how=TrainedHeads("bilinear", width=4, seeds=2, trainer=whole(epochs)))
        by_name = dict(zip([str(pairs[0]) for pairs in at_once.pairs], at_once.fused.values, strict=True))
        np.testing.assert_allclose(rows["score"], [by_name[name] for name in rows["pairs"]], atol=1e-12)


def test_predictions_of_survivors_are_those_of_training_at_once():
    """Not only the same classes: log losses to five digits, which tell a step with another memory."""
    judge = replace(noise({"a": 2, "b": 2}), metric=metric_by_name("classification", "log_loss"))
    tried = successive_halving(judge, how=TrainedHeads(trainer=whole()), budgets=(2, 3, 4), share=2)
    last = tried.history[tried.history["round"] == 2]
    at_once = stacked_scan(judge, how=TrainedHeads(trainer=whole(9)))
    rows = [[str(pairs[0]) for pairs in at_once.pairs].index(name) for name in last["pairs"]]
    np.testing.assert_allclose(last["score"], at_once.fused.values[rows], rtol=1e-5)


def test_the_best_third_goes_on():
    """By their scores, and each candidate keeps the score of its last round."""
    judge, _ = planted("add", n=(200, 100, 10))
    tried = successive_halving(judge, how=TrainedHeads("sum", width=4), budgets=(1, 2))
    first, second = (rows for _, rows in tried.history.groupby("round"))
    assert first.loc[first["kept"], "score"].min() >= first.loc[~first["kept"], "score"].max()
    latest = dict(zip(first["pairs"], first["score"], strict=True)) | dict(
        zip(second["pairs"], second["score"], strict=True)
    )
    np.testing.assert_array_equal(tried.fused.values, list(latest.values()))
    np.testing.assert_array_equal(tried.fused.values, tried.by_seed[0])


def test_the_planted_pair_survives():
    """ADD: to the end, and the result goes into the selection rule."""
    judge, bunch = planted("add")
    how = TrainedHeads("sum", width=4, trainer=replace(head_trainer(), batch_size=32))
    tried = successive_halving(judge, how=how, budgets=(1, 2, 4))
    assert numbers(tried.chosen) == set(bunch.planted)
    assert numbers(tried.search(judge).selection.pairs) == set(bunch.planted)


@pytest.mark.slow
@pytest.mark.parametrize(("task", "operator"), [("add", "sum"), ("decoy", "sum"), ("xor", "bilinear")])
@pytest.mark.parametrize("seed", range(3))
def test_planted_pairs_survive(task, operator, seed):
    """Also of synergy, which one epoch hardly shows."""
    judge, bunch = planted(task, "small", seed)
    tried = successive_halving(judge, how=TrainedHeads(operator, width=8, random_state=seed))
    assert numbers(tried.chosen) == set(bunch.planted)


def test_the_same_seed_gives_the_same_search():
    """To the last bit."""
    judge, _ = planted("add", n=(100, 60, 10))
    one, two = (successive_halving(judge, how=TrainedHeads("sum"), budgets=(1, 2)) for _ in range(2))
    np.testing.assert_array_equal(one.fused.drawn, two.fused.drawn)
    assert one.history.equals(two.history)


def test_progress_is_shown_if_asked_for(capsys):
    """Rounds on standard error, nothing else; silent by default."""
    judge, how = noise({"a": 2, "b": 2}), TrainedHeads("sum", width=2, trainer=whole())
    successive_halving(judge, how=how, budgets=(1, 1))
    assert capsys.readouterr() == ("", "")
    successive_halving(judge, how=how, budgets=(1, 1), verbose=1)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "halving" in shown.err
    assert "2/2" in shown.err


def test_sets_of_several_pairs_take_part():
    """Of three modalities with unequal depths; the weights of a set stay with it."""
    judge = noise({"a": 1, "b": 2, "c": 3})
    sets = [*singles(judge), judge.space.late(), judge.space.all()[:2]]
    how = TrainedHeads("gated", seeds=2, trainer=whole())
    tried = successive_halving(judge, sets, how, budgets=(1, 2), share=2)
    assert tried.history.groupby("round").size().tolist() == [13, 6]
    at_once = stacked_scan(judge, sets, TrainedHeads("gated", seeds=2, trainer=whole(3)))
    stayed = tried.history[tried.history["round"] == 1]
    rows = [["; ".join(map(str, pairs)) for pairs in sets].index(name) for name in stayed["pairs"]]
    np.testing.assert_allclose(stayed["score"], at_once.fused.values[rows])


@pytest.mark.parametrize("wrong", [{"share": 1}, {"budgets": ()}, {"budgets": (0, 1)}])
def test_settings_out_of_range_are_told(wrong):
    """By their name."""
    with pytest.raises(ValueError, match=next(iter(wrong))):
        successive_halving(noise({"a": 1, "b": 1}), **wrong)
