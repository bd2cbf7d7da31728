"""Principal components: against scikit-learn, and how many stand out of noise."""

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA
from sklearn.model_selection import train_test_split

from plait.datasets import make_data_sharing
from plait.nn.decomposition import Decomposition, noise_threshold

# Table of Gavish and Donoho (2014), unknown noise: their approximation .56 b^3 - .95 b^2 + 1.82 b + 1.43 is within .02.
APPROXIMATE = {aspect: 0.56 * aspect**3 - 0.95 * aspect**2 + 1.82 * aspect + 1.43 for aspect in (0.05, 0.3, 0.7, 1.0)}


@pytest.mark.parametrize("shape", [(40, 7), (7, 40), (12, 12), (30, 2, 3)])
def test_components_are_those_of_scikit_learn(shape):
    """Strengths, directions (up to their sign) and scores, of tall, wide, square and image-like samples."""
    values = torch.randn(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    found, rows = Decomposition.of(values), values.flatten(1).numpy()
    count = min(rows.shape[0] - 1, rows.shape[1])
    reference = PCA(count).fit(rows)
    assert len(found.strengths) == count
    np.testing.assert_allclose(found.strengths, reference.singular_values_, rtol=1e-9)
    np.testing.assert_allclose((found.directions.T.numpy() * reference.components_).sum(1) ** 2, 1, rtol=1e-9)
    np.testing.assert_allclose(found.scores(values, count).square().mean(0), 1, rtol=1e-9)


def test_the_largest_loading_is_positive():
    """So that the same samples always give the same components."""
    values = torch.randn(30, 5, generator=torch.Generator().manual_seed(1))
    found = Decomposition.of(values).directions
    assert bool((found.gather(0, found.abs().argmax(0, keepdim=True)) > 0).all())


def test_directions_beyond_the_rank_are_left_out():
    """Seven samples of rank 2 in five features have two components."""
    generator = torch.Generator().manual_seed(0)
    found = Decomposition.of(torch.randn(7, 2, generator=generator) @ torch.randn(2, 5, generator=generator))
    assert found.directions.shape == (5, 2)
    assert found.rank == 2


@pytest.mark.parametrize("values", [torch.zeros(0, 3), torch.ones(1, 3), torch.ones(6, 3)])
def test_without_variance_there_is_no_component(values):
    """No sample, one sample, constant samples."""
    found = Decomposition.of(values)
    assert found.directions.shape == (3, 0)
    assert found.rank == 0
    assert found.scores(values, 0).shape == (len(values), 0)


@pytest.mark.parametrize(("aspect", "approximate"), APPROXIMATE.items())
def test_the_threshold_is_that_of_gavish_and_donoho(aspect, approximate):
    """Within .02 of the cubic polynomial that they give, as they say."""
    assert noise_threshold(aspect) == pytest.approx(approximate, abs=0.02)


def test_the_threshold_of_a_square_matrix():
    """2.858 times the median singular value."""
    assert noise_threshold(1.0) == pytest.approx(2.858, abs=5e-4)


@pytest.mark.parametrize(("shape", "rank"), [((200, 60), 5), ((60, 200), 5), ((300, 300), 12)])
def test_the_rank_of_a_signal_in_noise_is_found(shape, rank):
    """Low rank and white noise of any strength."""
    generator = torch.Generator().manual_seed(0)
    signal = torch.randn(shape[0], rank, generator=generator) @ torch.randn(rank, shape[1], generator=generator)
    noise = torch.randn(shape, generator=generator)
    assert Decomposition.of(1e3 * (signal + noise)).rank == rank


def test_pure_noise_has_rank_1():
    """The smallest that can be read; no component stands out."""
    assert Decomposition.of(torch.randn(100, 30, generator=torch.Generator().manual_seed(0))).rank == 1


@pytest.mark.parametrize(("setting", "ranks"), [("1.1", (20, 30)), ("2.1", (70, 50))])
def test_the_ranks_of_the_paper_settings_are_found(setting, ranks):
    """20 and 30 latents, and 50 + 20 and 30 + 20 where 20 are shared, from training samples alone."""
    made = make_data_sharing(setting, random_state=1, legacy=True)
    train, _ = train_test_split(np.arange(2000), test_size=0.2, random_state=1)
    found = tuple(Decomposition.of(torch.as_tensor(np.asarray(made.data[name]))[train]).rank for name in made.data)
    assert found == ranks
