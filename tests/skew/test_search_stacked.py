"""All pairs by trained heads: what is planted is found, and scores are of the rows that taught nothing."""

import importlib
from dataclasses import replace

import numpy as np
import pytest
from planted_judges import noise, numbers, planted, values

from plait.skew.judge import Split
from plait.skew.searches.stacked_scan import TrainedHeads, head_trainer, stacked_scan, stacked_taps
from plait.skew.searches.tried import closed_scan, singles
from plait.skew.space import Pair
from plait.training.trainer import Trainer

module = importlib.import_module(stacked_scan.__module__)  # the package has the function by this name
FEW = Trainer(epochs=2, batch_size=8, patience=None)


def test_the_planted_pair_is_found():
    """ADD: the best of all pairs, by linear heads as good as the ridge."""
    judge, bunch = planted("add")
    tried = stacked_scan(judge, how=TrainedHeads("concat", width=4, trainer=replace(head_trainer(), epochs=15)))
    assert numbers(tried.chosen) == set(bunch.planted)
    assert np.abs(tried.fused.values - closed_scan(judge).fused.values).max() < 0.08
    assert tried.search(judge).selection.verdict == "skew pair"
    assert tried.history["epoch"].tolist() == list(range(15))
    assert tried.head_epochs == 15 * 16


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_synergy_is_found_by_bilinear_heads(seed):
    """XOR, 2000 rows: the planted pair, .92 or more on test rows, a grid like that of the best possible decisions."""
    judge, bunch = planted("xor", "small", seed, n=(2000, 1000, 2000))
    split, how = judge.splits[0], TrainedHeads("bilinear", width=8, random_state=seed)
    chosen = stacked_scan(judge, how=how).chosen
    assert numbers(chosen) == set(bunch.planted)
    tested = stacked_scan(replace(judge, splits=[Split(split.data, split.train, bunch.test)]), how=how)
    assert tested.fused.values[tested.pairs.index(chosen)] > 0.92
    assert np.corrcoef(tested.fused.values, bunch.oracle.ravel())[0, 1] > 0.98
    assert np.abs(tested.fused.values - bunch.oracle.ravel()).max() < 0.09
    assert np.abs(stacked_taps(judge, how).values - 0.5).max() < 0.08


@pytest.mark.parametrize("task", ["uni", "null"])
def test_where_fusion_is_useless_none_is_supported(task):
    """One modality with everything, or none with anything: over taps by themselves with the same heads."""
    judge, _ = planted(task)
    how = TrainedHeads("sum", width=4, trainer=replace(head_trainer(), epochs=8))
    search = stacked_scan(judge, how=how).search(judge, stacked_taps(judge, how))
    assert search.selection.verdict == "no supported fusion"


def test_a_tap_alone_has_the_same_head():
    """ADD: joined with itself, a tap is near its best possible decision, far below the planted pair."""
    judge, bunch = planted("add")
    alone = stacked_taps(judge, TrainedHeads("sum", width=4, trainer=replace(head_trainer(), epochs=15)))
    oracle = np.concatenate([bunch.unimodal_oracle[name] for name in ("a", "b")])
    assert np.abs(alone.values - oracle).max() < 0.1
    assert alone.drawn.shape == (50, 8)


def test_seeds_are_further_heads_of_the_same_cohort():
    """Each by itself is kept, and the score is their mean."""
    judge, _ = planted("add", n=(100, 60, 10))
    tried = stacked_scan(judge, how=TrainedHeads("sum", seeds=3, trainer=FEW))
    assert tried.by_seed.shape == (3, 16)
    np.testing.assert_allclose(tried.fused.values, tried.by_seed.mean(0))
    assert len(np.unique(tried.by_seed[:, 0])) > 1
    assert tried.head_epochs == 3 * 2 * 16


def test_judged_rows_teach_nothing():
    """Other targets of theirs, and half of them left away, change no prediction."""
    judge, _ = planted("add", n=(100, 60, 10))
    split = judge.splits[0]
    how = TrainedHeads("sum", trainer=FEW)
    whole = stacked_scan(judge, how=how).fused.values
    parts = [replace(judge, splits=[Split(split.data, split.train, part)]) for part in np.split(split.validation, 2)]
    halves = [stacked_scan(part, how=how).fused.values for part in parts]
    np.testing.assert_allclose(np.mean(halves, 0), whole)


def test_the_same_seed_gives_the_same_scores():
    """To the last bit; another seed gives others."""
    judge, _ = planted("add", n=(100, 60, 10))
    one, two, other = (stacked_scan(judge, how=TrainedHeads(trainer=FEW, random_state=s)).fused for s in (0, 0, 1))
    np.testing.assert_array_equal(one.drawn, two.drawn)
    assert (one.values != other.values).any()


def test_heads_that_are_too_many_are_trained_in_parts(monkeypatch):
    """All sets come once and in order, and learn as well as together."""
    judge, bunch = planted("add")
    monkeypatch.setattr(module, "_NUMBERS", 2 * 64 * 8 * 5)  # five pairs
    how = TrainedHeads("sum", width=4, trainer=replace(head_trainer(), epochs=3, batch_size=64))
    tried = stacked_scan(judge, how=how)
    assert sorted(set(tried.history["part"])) == [0, 1, 2, 3]
    assert numbers(tried.chosen) == set(bunch.planted)
    assert tried.pairs == singles(judge)


def test_parts_hold_whole_sets():
    """As many pairs as there is room for, and at least one set."""
    pairs = planted("add")[0].space.all()
    units = [pairs[:1], pairs[:2], pairs[:3], pairs[:1], pairs[:1]]
    assert [len(part) for part in module._parts(units, 3)] == [2, 1, 2]
    assert [len(part) for part in module._parts(units, 1)] == [1, 1, 1, 1, 1]
    assert [len(part) for part in module._parts(units, 99)] == [5]


def test_folds_are_judged_as_one():
    """Two splits: every sample that either judges, each by heads of its own split."""
    judge, _ = planted("add", n=(100, 60, 10))
    first = judge.splits[0]
    both = replace(judge, splits=[first, Split(first.data, first.validation, first.train)])
    how = TrainedHeads("sum", trainer=FEW)
    one, other = (stacked_scan(replace(judge, splits=[part]), how=how).fused.values for part in both.splits)
    tried = stacked_scan(both, how=how)
    np.testing.assert_allclose(tried.fused.values, (60 * one + 100 * other) / 160)
    assert tried.history["split"].tolist() == [0, 0, 1, 1]
    assert tried.head_epochs == 2 * 2 * 16


def test_any_number_of_modalities_depths_and_widths():
    """Three modalities of 1, 2 and 4 taps; sets of several pairs beside single ones."""
    judge = noise({"a": 1, "b": 2, "c": 4}, widths={"a": 3, "b": 5, "c": 2})
    sets = [*singles(judge), judge.space.late()]
    tried = stacked_scan(judge, sets, TrainedHeads("film", trainer=FEW))
    assert len(tried.sets) == 2 + 4 + 8 + 1
    assert tried.fused.drawn.shape == (20, 15)
    assert len(stacked_taps(judge, TrainedHeads(trainer=FEW)).values) == 7


def test_values_are_predicted_whatever_their_unit():
    """Regression: the planted pair, and the same R² in other units."""
    how = TrainedHeads("sum", width=4, trainer=Trainer(15, 64, 3e-2, patience=None))
    one, other = (stacked_scan(judge, how=how) for judge in (values(), values(1000, -5)))
    assert one.chosen == (Pair("a", 2, "b", 1),)
    assert one.fused.values.max() > 0.9
    np.testing.assert_allclose(one.fused.values, other.fused.values, atol=1e-3)


@pytest.mark.parametrize("wrong", [{"operator": "none"}, {"width": 0}, {"seeds": 0}])
def test_settings_out_of_range_are_told(wrong):
    """By their name."""
    with pytest.raises(ValueError, match=next(iter(wrong))):
        stacked_scan(noise({"a": 1, "b": 1}), how=TrainedHeads(**wrong))
