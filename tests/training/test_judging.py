"""Losses sample by sample, and who cannot be told from the best."""

import numpy as np
import pytest
import torch

from plait.training.judging import Judged, judge
from plait.training.mutual_learning import MutualLearning, learn
from tiny import course, judged_at, prepared, samples


def judged(*rows):
    values = np.array(rows, dtype=float)
    return Judged(values, np.isfinite(values))


def every(found):
    return np.isfinite(found.losses)


def test_losses_are_means_over_the_samples_that_count():
    found = judged([1, 3, np.nan], [np.nan, np.nan, np.nan])
    assert found.losses.tolist() == [2, np.inf]


@pytest.mark.parametrize(("behind", "near"), [(0.49, True), (0.51, False)])
def test_one_standard_error_of_the_smallest_loss(behind, near):
    """Four losses of 1 +- sqrt(3) / 2 have a standard error of 1 / 2."""
    best = 1 + np.array([1, -1, 1, -1]) * 3**0.5 / 2
    found = judged(best, np.full(4, 1 + behind))
    assert found.within_one_error(every(found)).top.tolist() == [0, 1][: 1 + near]


def test_only_samples_that_both_can_read_are_compared():
    """The second is worse on average, but as good where the best can read."""
    found = judged([1, 1, 1, np.nan], [1, 1, 1, 9], [5, 5, 6, 9])
    assert found.within_one_error(every(found)).top.tolist() == [0, 1]


def test_one_common_sample_tells_nothing_and_those_not_chosen_are_left_out():
    found = judged([1, np.nan, 1], [np.nan, 2, 1], [1, np.nan, 1])
    assert found.within_one_error(every(found)).top.tolist() == [0, 2]
    assert found.within_one_error(np.array([False, True, False])).top.tolist() == [1]


def test_everybody_alike_is_one_cluster():
    found = judged([1, 2, 3], [2, 1, 3])
    screening = found.within_one_error(every(found))
    assert screening.top.tolist() == [0, 1]
    assert screening.clusters == 1


def test_classes_lose_nats():
    data = samples("classification", 3)
    outputs = torch.randn(2, len(data.validation), 3, generator=torch.Generator().manual_seed(0)).double()
    found = judge(outputs, torch.ones(outputs.shape[:2], dtype=torch.bool), data)
    expected = -outputs.log_softmax(-1)[:, data.samples.target[data.validation].bool()]
    np.testing.assert_allclose(found.rows, expected.numpy(), rtol=1e-12)


def test_networks_within_one_error_of_the_best_teach():
    """By the losses of each sample at rho = 0; a student of another kind that beats all leaves nobody near it."""
    data, planned = prepared({"a": ("identity", "pca-2", "null"), "b": ("identity", "null")}, folds=2)
    how, lesson = MutualLearning(rhos=(0.0, 1.0), screening="one-se"), course(data)
    found = learn(planned, how, lesson)
    alone, features = lesson.runs[0]["module"], {name: one.double() for name, one in data.samples.features.items()}
    outputs = alone(features, data.samples.present).detach()
    own = outputs.unflatten(0, (2, -1))[data.samples.fold, :, torch.arange(40)].transpose(0, 1)
    rows = (own - data.samples.target.double()).square().mean(-1).numpy()
    assert found.top.tolist() == Judged(rows, rows >= 0).within_one_error(np.ones(len(rows), dtype=bool)).top.tolist()
    assert learn(planned, how, course(data), judged_at([1e-9], data)).rho == 0
