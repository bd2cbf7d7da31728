"""How far predictors are apart: known answers, limits, and that what they say together is what is predicted."""

import math

import numpy as np
import pytest
import torch
from scipy.stats import entropy

from plait.methods.early import EarlyFusion
from plait.methods.gated import GatedFusion
from plait.methods.late import LateFusion
from plait.methods.meta import MetaFusion
from plait.methods.network import NetworkFusion
from plait.nn.committee import Committee, Disagreement, Voices, mutual_information, spread
from plait.nn.module import evaluate
from tiny import course, samples

GATED = GatedFusion(width=4, encoder_hidden=(), hidden=(4,), dropout=0.0)
META = MetaFusion(("identity", "pca-2", "null"), (4,), rhos=(0.0,), learners=("ridge",), ensemble="weighted")


def said(*probabilities):
    """Outputs of predictors for one sample, from the probabilities of its classes."""
    return torch.from_numpy(np.array(probabilities)).log()[:, None]


def shares(*weights):
    return torch.tensor(weights, dtype=torch.float64)[:, None]


class Told(Committee):
    """A committee that says what it was told."""

    seats = 2

    def __init__(self, outputs, weights):
        super().__init__()
        self.told = Voices(torch.as_tensor(outputs), torch.as_tensor(weights))

    def voices(self, features, present):
        return self.told

    def forward(self, features, present):
        raise NotImplementedError


@pytest.mark.parametrize(
    ("probabilities", "weights", "expected"),
    [
        ([(0.9, 0.1), (0.1, 0.9)], (0.5, 0.5), math.log(2) + 0.9 * math.log(0.9) + 0.1 * math.log(0.1)),
        ([(1.0, 0.0), (0.0, 1.0)], (0.5, 0.5), math.log(2)),
        ([(1.0, 0.0), (0.0, 1.0)], (0.75, 0.25), -0.75 * math.log(0.75) - 0.25 * math.log(0.25)),
        ([(1.0, 0, 0), (0, 1.0, 0), (0, 0, 1.0)], (1 / 3, 1 / 3, 1 / 3), math.log(3)),
        ([(0.5, 0.5), (0.5, 0.5)], (0.3, 0.7), 0.0),
        ([(0.6, 0.4), (0.2, 0.8)], (1.0, 0.0), 0.0),
    ],
    ids=["unsure", "opposed", "weighted", "three", "alike", "alone"],
)
def test_mutual_information_by_hand(probabilities, weights, expected):
    """Entropy of the mean minus mean of the entropies: log C if all are sure of another class, 0 if they agree."""
    found = mutual_information(Voices(said(*probabilities), shares(*weights)))
    assert found.item() == pytest.approx(expected, abs=1e-15)


def test_mutual_information_is_the_mean_divergence_from_the_mean():
    """sum_j w_j KL(p_j || mean), another form of the same."""
    draw = np.random.default_rng(0)
    each, weights = draw.dirichlet(np.ones(4), size=6), draw.dirichlet(np.ones(6))
    expected = sum(w * entropy(p, weights @ each) for w, p in zip(weights, each, strict=True))
    assert mutual_information(Voices(said(*each), shares(*weights))).item() == pytest.approx(expected)


def test_spread_by_hand():
    """1 and 3 with weights 1/4 and 3/4: mean 2.5, variance 0.75; 2 and 2: none."""
    outputs = torch.tensor([[[1.0, 2.0]], [[3.0, 2.0]]], dtype=torch.float64)
    assert spread(Voices(outputs, shares(0.25, 0.75))).tolist() == [[pytest.approx(math.sqrt(0.75)), 0.0]]


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_who_has_no_share_is_not_heard_and_a_sample_without_readers_is_unknown(task):
    """NaN of a student that diverged does not matter; NaN marks a sample that nobody reads; infinity stays visible."""
    outputs = torch.tensor([[[1.0, 0.0]] * 4, [[0.0, 2.0], [math.nan, 0.0], [0.0, 0.0], [math.inf, 0.0]]])
    committee = Told(outputs, torch.tensor([[0.5, 1.0, 0.0, 0.5], [0.5, 0.0, 0.0, 0.5]]))
    found = Disagreement(committee, task)({}, torch.ones(4, 1, dtype=torch.bool))[:, 0]
    assert found[0] > 0
    assert found[1] == 0
    assert found[2].isnan()
    assert found[3] == math.inf


@pytest.mark.parametrize("folds", [1, 3])
@pytest.mark.parametrize("task", ["classification", "regression"])
@pytest.mark.parametrize("method", [LateFusion(hidden=(4,)), META, GATED], ids=lambda method: type(method).__name__)
def test_the_mean_of_the_voices_is_the_prediction(method, task, folds):
    """Of the students, copies and learners with their shares, absent modalities among the samples."""
    data = samples(task, 3, folds=folds, absent=0.4)
    module = method.fit(course(data, epochs=2)).module.double()
    features, present = data.samples.to(torch.device("cpu"), torch.float64).features, data.samples.present
    voices = module.voices(features, present)
    assert len(voices.outputs) == module.seats
    torch.testing.assert_close(voices.shares.sum(0), torch.ones(40, dtype=torch.float64))
    each = voices.outputs.softmax(-1) if task == "classification" else voices.outputs
    whole = evaluate(module, features, present)
    expected = whole.softmax(-1) if task == "classification" else whole
    torch.testing.assert_close(torch.einsum("vb,vbo->bo", voices.shares, each), expected)


@pytest.mark.parametrize(
    ("method", "folds", "seats"),
    [
        (EarlyFusion(hidden=(4,)), 1, 1),
        (EarlyFusion(hidden=(4,)), 4, 4),
        (EarlyFusion(base="ridge"), 4, 1),
        (LateFusion(hidden=(4,)), 4, 8),
        (LateFusion(base="ridge"), 4, 2),
        (META, 2, 28),
        (GATED, 1, 1),
        (GATED, 4, 4),
    ],
)
def test_how_many_predictors_there_are(method, folds, seats):
    """Students times folds; learners by themselves are fitted once, beside networks they stand in every copy."""
    module = method.build(samples(folds=folds).spec)
    assert module.seats == seats


def test_every_network_is_a_committee():
    """So that folds are enough to know how sure it is."""
    assert issubclass(type(GATED), NetworkFusion)
    assert isinstance(GATED.build(samples().spec), Committee)
