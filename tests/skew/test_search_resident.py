"""The tensors that searches train on: from training rows alone, filled up, and read back on the scale of the target."""

from dataclasses import replace

import numpy as np
import pandas as pd
import torch
from planted_judges import noise, planted, values

from plait.skew.heads import TAPS, PairHeads
from plait.skew.judge import Split
from plait.skew.searches.resident import Resident, by_split, residents, scored_by_seed
from plait.skew.space import Pair


def test_taps_are_standardised_and_filled_up_to_one_width():
    """Mean 0 and variance 1 in training; zeros where a tap is narrower."""
    (resident,) = residents(noise({"a": 2, "b": 1}, widths={"a": 2, "b": 5}))
    taps = resident.data.samples.features[TAPS]
    assert resident.taps == (("a", 1), ("a", 2), ("b", 1))
    assert taps.shape == (15, 3, 5)
    assert resident.unseen.shape == (15, 3, 5)
    torch.testing.assert_close(taps.mean(0), torch.zeros(3, 5), atol=1e-6, rtol=0)
    expected = torch.ones(3, 5)
    expected[:2, 2:] = 0
    torch.testing.assert_close(taps.var(0, correction=0), expected, atol=1e-5, rtol=0)


def test_principal_components_are_kept():
    """As many as asked for."""
    judge, _ = planted("add")
    assert Resident.of(judge.splits[0], 5).read == 5
    assert Resident.of(judge.splits[0], None).read == 8


def test_nothing_is_learned_from_judged_rows():
    """With other judged rows, taps and target alike, the training data is the same to the bit."""
    judge, _ = planted("add")
    split = judge.splits[0]
    taps = {name: [np.array(tap) for tap in own] for name, own in split.data.taps.items()}
    outputs = split.data.outputs.copy()
    outputs[split.validation] = 7
    for own in taps.values():
        for tap in own:
            tap[split.validation] += 100
    other = Resident.of(Split(replace(split.data, taps=taps, outputs=outputs), split.train, split.validation), 4)
    same = Resident.of(split, 4)
    assert torch.equal(other.data.samples.features[TAPS], same.data.samples.features[TAPS])
    assert torch.equal(other.data.samples.target, same.data.samples.target)
    assert not torch.equal(other.unseen, same.unseen)
    assert len(same.data.train) == len(split.train)
    assert len(same.data.validation) == 0


def test_classes_are_probabilities_and_values_have_their_scale():
    """A head that puts out 0 predicts equal shares of the classes, or the mean of the training values."""
    for judge, mean in ((planted("add")[0], 0.25), (values(10, 500), None)):
        (resident,) = residents(judge)
        split, spec = judge.splits[0], resident.data.spec
        generator = torch.Generator().manual_seed(0)
        net = PairHeads([(Pair("a", 1, "b", 1),)], resident.taps, resident.read, spec.outputs, generator=generator)
        for weight in net.parameters():
            torch.nn.init.zeros_(weight)
        expected = split.data.outputs[split.train].mean() if mean is None else mean
        np.testing.assert_allclose(resident.predicted(net), expected)
        assert spec.task == ("regression" if mean is None else "classification")


def test_values_of_one_size_do_not_break():
    """A constant target has a scale above 0."""
    (resident,) = residents(values(0.0, 3.0))
    assert torch.equal(resident.data.samples.target, torch.zeros(200, 1))


def test_a_tap_can_be_joined_with_itself():
    """Doubled, the second half are the same numbers under names that no modality has."""
    (resident,) = residents(noise({"a": 2, "a'": 1}))
    twice = resident.doubled()
    assert len(set(twice.taps)) == 6
    assert torch.equal(twice.unseen[:, :3], twice.unseen[:, 3:])
    assert torch.equal(twice.data.samples.features[TAPS][:, 3:], resident.data.samples.features[TAPS])


def test_scores_are_means_over_seeds():
    """Also in every draw; the first seed's candidates come first."""
    judge, _ = planted("add")
    rng = np.random.default_rng(0)
    outputs = rng.random((6, 400, 4))
    found, by_seed = scored_by_seed(judge, [outputs], 2)
    first, second = judge.scored(outputs[:3]), judge.scored(outputs[3:])
    np.testing.assert_allclose(by_seed, [first.values, second.values])
    np.testing.assert_allclose(found.values, (first.values + second.values) / 2)
    np.testing.assert_allclose(found.drawn, (first.drawn + second.drawn) / 2)


def test_tables_of_splits_are_one():
    """With the number of the split."""
    table = by_split([pd.DataFrame({"x": [1, 2]}), pd.DataFrame({"x": [3]})])
    assert table["split"].tolist() == [0, 0, 1]
    assert table.index.tolist() == [0, 1, 2]
