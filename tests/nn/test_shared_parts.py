"""What modalities share, and what remains: canonical correlations, ranks by permutation, absent modalities."""

import numpy as np
import pytest
import torch
from sklearn.cross_decomposition import CCA
from sklearn.model_selection import train_test_split

from plait.datasets import make_data_sharing
from plait.nn.decomposition import Decomposition
from plait.nn.shared_parts import LinearPart, SharedParts


def made(samples=600, shared=2, own=(3, 2), widths=(20, 15), noise=0.1, seed=0):
    """Modalities of shared and own latents, mixed at random, with white noise."""
    generator = torch.Generator().manual_seed(seed)

    def draw(*shape):
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    common = draw(samples, shared)
    latents = [torch.cat([common, draw(samples, count)], 1) for count in own]
    mixed = [one @ draw(one.shape[1], width) for one, width in zip(latents, widths, strict=True)]
    values = {name: one + noise * draw(*one.shape) for name, one in zip("abcd", mixed, strict=False)}
    return values, common, torch.ones(samples, len(own), dtype=torch.bool)


def parts(values, present):
    """Decomposed on the samples that have a modality."""
    columns = zip(values.items(), present.T, strict=True)
    return SharedParts({name: Decomposition.of(one[here]) for (name, one), here in columns}, values, present)


def read(part: LinearPart, values):
    return (values.double() - part.mean) @ part.directions


def correlation(one, other):
    """Of each column of one with its best linear fit by the other."""
    fit = other @ torch.linalg.lstsq(other, one).solution
    return 1 - (one - fit).square().sum(0) / one.square().sum(0)


def test_eigenvalues_are_one_plus_canonical_correlations():
    """Of two modalities, as scikit-learn finds them on the same components."""
    values, _, present = made(noise=1.0)
    found = parts(values, present)
    reference = CCA(n_components=4, scale=False, tol=1e-12, max_iter=10000)
    first, second = reference.fit_transform(*(scores.numpy() for scores in found.scores))
    expected = [np.corrcoef(first[:, place], second[:, place])[0, 1] for place in range(4)]
    np.testing.assert_allclose(found.eigenvalues[:4] - 1, expected, atol=1e-6)


@pytest.mark.parametrize("shared", [0, 1, 3])
def test_the_number_of_shared_directions_is_found(shared):
    """Of two modalities with own latents beside."""
    values, _, present = made(shared=shared)
    assert parts(values, present).rank == shared


@pytest.mark.parametrize("own", [(2, 2), (3, 2, 1), (2, 2, 2, 2)])
def test_the_shared_part_is_the_common_latents(own):
    """Of two, three and four modalities; what is individual has nothing of them and is the rest."""
    values, common, present = made(own=own, widths=(20, 15, 12, 10)[: len(own)])
    found = parts(values, present)
    assert found.rank == 2
    for name, count in zip(values, own, strict=True):
        assert bool((correlation(common, read(found.shared(name, 2), values[name])) > 0.99).all())
        individual = read(found.individual(name), values[name])
        assert individual.shape[1] == count
        assert bool((correlation(common, individual) < 0.05).all())


def test_a_modality_without_part_in_a_direction_keeps_all_of_its_own():
    """The third has no part in it: its values are small, and all its components remain its own."""
    values, common, _ = made(own=(1, 1), widths=(10, 8))
    values["c"] = torch.randn(600, 2, generator=torch.Generator().manual_seed(9), dtype=torch.float64)
    values["c"] = values["c"] @ torch.ones(2, 6, dtype=torch.float64)
    values["c"] += 0.1 * torch.randn(600, 6, generator=torch.Generator().manual_seed(8), dtype=torch.float64)
    found = parts(values, torch.ones(600, 3, dtype=torch.bool))
    assert found.rank == 2
    assert [found.individual(name).size for name in "abc"] == [1, 1, 1]
    spread = {name: float(read(found.shared(name, 2), values[name]).square().mean()) for name in "abc"}
    assert spread["a"] > 1.4
    assert spread["b"] > 1.4
    assert spread["c"] < 0.1
    assert bool((correlation(common, read(found.shared("a", 2), values["a"])) > 0.99).all())


def test_values_of_the_shared_part_have_unit_variance_where_all_agree():
    """And are nearly the same numbers in both modalities."""
    values, _, present = made(noise=0.01)
    found = parts(values, present)
    one, other = (read(found.shared(name, 2), values[name]) for name in "ab")
    torch.testing.assert_close(one, other, atol=0.1, rtol=0)
    torch.testing.assert_close(one.square().mean(0), torch.ones(2, dtype=torch.float64), atol=1e-2, rtol=0)


def test_individual_values_are_uncorrelated_and_of_unit_variance():
    """And uncorrelated with the modality's shared values."""
    values, _, present = made()
    found = parts(values, present)
    own, shared = read(found.individual("a"), values["a"]), read(found.shared("a", 2), values["a"])
    torch.testing.assert_close(own.T @ own / 600, torch.eye(3, dtype=torch.float64), atol=1e-6, rtol=0)
    torch.testing.assert_close(own.T @ shared / 600, torch.zeros(3, 2, dtype=torch.float64), atol=1e-6, rtol=0)


def test_absent_modalities_are_not_looked_at():
    """A third of the samples lacks one of the two, filled with nonsense: the same parts, nearly."""
    values, common, present = made(samples=900)
    present[:150, 0], present[150:300, 1] = False, False
    values["a"][:150], values["b"][150:300] = 1e6, torch.nan
    found = parts(values, present)
    assert found.rank == 2
    here = present.all(1)
    assert bool((correlation(common[here], read(found.shared("a", 2), values["a"][here])) > 0.99).all())


def test_one_modality_shares_nothing():
    """All of it is individual."""
    values, _, present = made()
    found = parts({"a": values["a"]}, present[:, :1])
    assert found.rank == 0
    assert found.individual("a").size == 5


def test_too_many_values_are_zeros():
    """Asked for more directions than there are, as with principal components beyond the rank."""
    values, _, present = made(own=(1, 1), widths=(6, 6))
    found = parts(values, present)
    assert not read(found.shared("a", 9), values["a"])[:, 6:].any()
    assert not read(found.individual("a", 5), values["a"])[:, 1:].any()
    assert bool(read(found.individual("a", 5), values["a"])[:, 0].any())


def test_rank_is_the_same_at_every_call():
    """Permutations are always the same."""
    values, _, present = made(noise=3.0)
    assert parts(values, present).rank == parts(values, present).rank


@pytest.mark.parametrize(("setting", "rank"), [("1.1", 0), ("2.1", 20)])
def test_the_shared_ranks_of_the_paper_settings_are_found(setting, rank):
    """None in 1.1, all 20 in 2.1."""
    data = make_data_sharing(setting, random_state=1, legacy=True).data
    train, _ = train_test_split(np.arange(2000), test_size=0.2, random_state=1)
    values = {name: torch.as_tensor(np.asarray(data[name]))[train] for name in data}
    assert parts(values, torch.ones(1600, 2, dtype=torch.bool)).rank == rank
