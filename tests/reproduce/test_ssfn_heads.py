"""Heads in closed form and trained ones on planted taps: what is chosen, what it is compared with, what is read."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from plait.datasets import make_planted_taps
from plait.reproduce.ssfn_closed import closed_form
from plait.reproduce.ssfn_facts import facts, grid, words
from plait.reproduce.ssfn_mixes import TapMixes
from plait.reproduce.ssfn_rivals import closed_names, trained_names
from plait.reproduce.ssfn_tasks import Part
from plait.reproduce.ssfn_trained import HeadTraining, findings_of, shortlist, trained
from plait.skew.findings import Findings
from plait.skew.findings.contenders import CHOSEN
from plait.skew.heads import TAPS
from plait.skew.judge import HeadSettings
from plait.skew.search import ClosedForm
from plait.skew.selection import gains
from plait.skew.uncertainty import confidence_set, simultaneous
from plait.statistics.metrics import metric_by_name

ACCURACY = metric_by_name("classification", "accuracy")


def planted(seed=0):
    """Taps with a planted pair, and their rows."""
    bunch = make_planted_taps("add", n=(400, 400, 400), random_state=seed)
    own = np.arange(len(bunch.target))
    part = Part(bunch.target, 4, bunch.train, bunch.validation, bunch.test, own, own)
    return bunch.taps, part


def test_the_planted_pair_is_found_and_beats_its_rivals():
    """By heads in closed form and by trained ones; the rivals are what they are called, and are read from findings."""
    taps, part = planted()
    one = closed_form(ClosedForm(("concat",), HeadSettings(draws=100)), ACCURACY, taps, part)
    [judged] = Findings.of_folds([(one.search, one.judge, one.test)])
    how = HeadTraining(("concat",), copies=2, rank=16, epochs=8)
    [learned] = findings_of([trained(how, taps, part, one, 0, 1)])
    assert words(judged) == "skew pair: concat of a@5 + b@2"
    assert words(learned) == "skew pair: trained concat of a@5 + b@2"
    assert sorted(judged.tested["name"]) == sorted(closed_names(["a", "b"]))
    assert learned.tested["name"].tolist() == trained_names(["a", "b"])
    for found in (judged, learned):
        told = found.tested.set_index("name")
        assert told.loc[CHOSEN, "score"] == told.loc["best skew pair", "score"] > 0.75
        assert told.loc["late pair", "difference_low"] > 0.2
        assert told.loc["best tap of b", "score"] <= told.loc["best tap of all", "score"] + 0.05 < 0.6
        assert found.baselines["name"].tolist() == found.tested["name"].tolist()
        assert found.baselines["what"].tolist() == found.tested["what"].tolist()
        assert found.baselines.set_index("name").loc[CHOSEN, "score"] == pytest.approx(found.summary["score"][0])
        assert facts(found)["p_skew"] == 1
        assert facts(found)["skew_effect_low"] > 0


def test_facts_and_grid_are_those_of_the_search():
    """By formulas of their own: gains, counts, scores of pairs, all of validation rows."""
    taps, part = planted()
    one = closed_form(ClosedForm(("concat",), HeadSettings(8, draws=50), most=1), ACCURACY, taps, part)
    search, found = one.search, Findings.of(one.search, one.judge)
    told, over, near = facts(found), gains(search.fused, search.alone), confidence_set(search.fused)
    assert (told["fused"], told["pairs"], told["near"]) == (1, 1, near.sum())
    assert told["supported"] == (simultaneous(over).low > 0).sum() > 1
    assert told["validation_gain"] == search.selection.gain
    cells = grid(found)
    assert list(cells) == [f"concat a@{tap}" for tap in range(1, 7)]
    assert np.array_equal(pd.DataFrame(cells).T.to_numpy(), search.grid("concat"))


def test_trained_heads_on_mixed_folds_are_tested_together():
    """By hand: of the outputs of every fold on its own test rows, one after the other, the mean over the copies."""
    taps, part = planted()
    taps = {name: own[:3] for name, own in taps.items()}
    how = HeadTraining(("concat",), copies=2, rank=4, epochs=1, most=2)
    closed = ClosedForm(("concat",), HeadSettings(4, draws=10), most=1)
    folds = []
    for test in (part.test[:100], part.test[100:]):
        own = replace(part, test=test)
        folds.append(trained(how, taps, own, closed_form(closed, ACCURACY, taps, own), len(folds), 1))
    both = findings_of(folds)
    assert both[0].tested.equals(both[1].tested)
    assert not both[0].baselines.equals(both[1].baselines)
    late = [next(one for one in fold.rivals if one.name == "late pair") for fold in folds]
    outputs = np.concatenate([one.outputs(fold.closed.test) for one, fold in zip(late, folds, strict=True)], axis=1)
    expected = np.mean([(one.argmax(1) == part.target[part.test]).mean() for one in outputs])
    assert both[0].tested.set_index("name").loc["late pair", "score"] == pytest.approx(expected)


def test_the_shortlist_holds_the_best_and_the_best_of_both_kinds():
    """At least so many, at most so many and one more kind."""
    taps, part = planted()
    search = closed_form(ClosedForm(("concat",), HeadSettings(8, draws=20), most=1), ACCURACY, taps, part).search
    names = [str(one[0]) for one in shortlist(search, 2, 2)]
    assert names[0] == "a@5 + b@2"
    assert any(search.space.skewness(one[0]) == 0 for one in shortlist(search, 2, 2))
    assert 2 <= len(names) <= 3
    assert len(shortlist(search, 40, 40)) == len(search.space) == 36


TAPS_OF = [("a", 1), ("a", 2), ("b", 1)]


def mixes():
    reads = [[TAPS_OF[0]], TAPS_OF[:2], TAPS_OF]
    generator = torch.Generator().manual_seed(0)
    net = TapMixes(reads, TAPS_OF, 4, 3, generator=generator).double()
    taps = torch.randn(5, 3, 4, dtype=torch.float64, generator=generator)
    return net, {TAPS: taps}, torch.ones(5, 1, dtype=torch.bool)


def test_a_fresh_mix_is_the_mean_of_its_taps():
    """One tap is itself, a modality that is not read is zeros, both modalities stand side by side."""
    net, features, present = mixes()
    taps, nothing = features[TAPS], torch.zeros(5, 4, dtype=torch.float64)
    sides = [(taps[:, 0], nothing), (taps[:, :2].mean(1), nothing), (taps[:, :2].mean(1), taps[:, 2])]
    for row, both in enumerate(sides):
        expected = torch.cat(both, 1) @ net.head.weight[row] + net.head.bias[row]
        torch.testing.assert_close(net(features, present)[row], expected)


def test_shares_of_a_mix_sum_to_one_and_are_learned():
    """Of the taps that are read, and 0 of the others; heads share no weight."""
    net, features, present = mixes()
    with torch.no_grad():
        net.weight.copy_(torch.tensor([[1.0, 2.0, 3.0]] * 3))
    shares = net.shares().detach()
    torch.testing.assert_close(shares.sum(2), torch.tensor([[1.0, 0], [1, 0], [1, 1]], dtype=torch.float64))
    assert shares[0, 0].tolist() == [1, 0, 0]
    assert float(shares[1, 0, 1] / shares[1, 0, 0]) == pytest.approx(np.e)
    net(features, present)[1].sum().backward()
    assert (net.weight.grad[[0, 2]] == 0).all()
    assert (net.weight.grad[1, :2] != 0).all()
    assert net.weight.grad[1, 2] == 0
