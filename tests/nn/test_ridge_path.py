"""Ridge regression in closed form: against scikit-learn and against fits that really leave a sample out."""

import numpy as np
import pytest
import torch
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import Ridge, RidgeCV

from plait.nn import ridge_path
from plait.nn.ridge_path import PENALTIES, RidgePath


def drawn(samples, width, outputs=2, seed=0):
    """Features of unequal means and scales, and a quadratic response."""
    draw = np.random.default_rng(seed)
    values = draw.normal(size=(samples, width)) * draw.uniform(0.5, 3, width) + draw.normal(size=width)
    target = (
        values @ draw.normal(size=(width, outputs)) + (values**2)[:, :outputs] + draw.normal(size=(samples, outputs))
    )
    return torch.as_tensor(values), torch.as_tensor(target)


def standardised(values, of):
    return ((values - of.mean(0)) / of.std(0, correction=0)).numpy()


def in_blocks(samples, width, products):
    """A path, its target and its features, and three blocks beside single samples."""
    values, target = drawn(samples, width)
    path = RidgePath(torch.as_tensor(standardised(values, values)), products=products)
    blocks = torch.arange(samples) % 3
    blocks[::5] = -1
    return path, target, (ridge_path._with_products(path.rows) if products else path.rows).numpy(), blocks


@pytest.mark.parametrize(("samples", "width"), [(40, 6), (20, 50)])
def test_the_fit_is_the_ridge_of_scikit_learn(samples, width):
    """With the same penalty on standardised features: more samples than features, and more features than samples."""
    values, target = drawn(samples, width)
    new, _ = drawn(7, width, seed=1)
    found = RidgePath(values, products=False).fit(target)
    reference = Ridge(found.penalty * samples).fit(standardised(values, values), target.numpy())
    np.testing.assert_allclose(found(new), reference.predict(standardised(new, values)), rtol=1e-8)


def test_the_penalty_is_that_of_leaving_out():
    """As scikit-learn's RidgeCV chooses it among the same penalties."""
    values, target = drawn(40, 12)
    found = RidgePath(values, products=False).fit(target[:, :1])
    reference = RidgeCV(np.array(PENALTIES) * 40).fit(standardised(values, values), target[:, 0].numpy())
    assert found.penalty * 40 == pytest.approx(reference.alpha_)


@pytest.mark.parametrize(("samples", "width"), [(60, 4), (20, 12)])
def test_products_are_the_quadratic_kernel(samples, width):
    """x.z + (x.z)^2 / 2 with centred features, from features or from the kernel."""
    values, target = drawn(samples, width)
    new, _ = drawn(7, width, seed=1)
    found = RidgePath(values, products=True).fit(target)

    def kernel(one, other):
        """Centred, as is the target: an intercept without a penalty."""
        inner = [standardised(rows, values) @ standardised(values, values).T for rows in (one, other)]
        first, second = (each + each**2 / 2 for each in inner)
        return first - first.mean(1, keepdims=True) - second.mean(0) + second.mean()

    middle = target.mean(0).numpy()
    reference = KernelRidge(alpha=found.penalty * samples, kernel="precomputed")
    reference.fit(kernel(values, values), target.numpy() - middle)
    np.testing.assert_allclose(found(new), reference.predict(kernel(new, values)) + middle, rtol=1e-6)


@pytest.mark.parametrize("products", [False, True])
def test_kernel_and_features_agree(products):
    """The same function whichever is decomposed."""
    values, target = drawn(60, 5)
    one = RidgePath(values, products=products)
    expected = one.fit(target)
    one.squares, one.vectors = one._decomposed(None)
    found = one.fit(target)
    torch.testing.assert_close(found(values), expected(values), rtol=1e-8, atol=1e-8)
    torch.testing.assert_close(found.left_out, expected.left_out, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("products", [False, True])
def test_what_is_said_of_a_sample_left_out(products):
    """The closed form is a fit to the other samples, with the same features and penalty (in absolute terms)."""
    values, target = drawn(30, 4)
    values = torch.as_tensor(standardised(values, values))
    path = RidgePath(values, products=products)
    found = path.fit(target)
    features = ridge_path._with_products(path.rows) if products else path.rows
    for row in (0, 17):
        others = np.arange(30) != row
        reference = Ridge(found.penalty * 30).fit(features[others].numpy(), target[others].numpy())
        np.testing.assert_allclose(
            found.left_out[row], reference.predict(features[row : row + 1].numpy())[0], rtol=1e-8
        )


@pytest.mark.parametrize("products", [False, True])
@pytest.mark.parametrize(("samples", "width"), [(60, 4), (40, 30)])
def test_what_is_said_of_a_block_left_out(products, samples, width):
    """The closed form is a fit to all others, whichever is smaller, the block or the number of directions."""
    path, target, features, blocks = in_blocks(samples, width, products)
    found = path.fit(target, blocks)
    for block in range(3):
        own = (blocks == block).numpy()
        reference = Ridge(found.penalty * samples, solver="svd").fit(features[~own], target[~own].numpy())
        np.testing.assert_allclose(found.left_out[own], reference.predict(features[own]), rtol=1e-5, atol=1e-6)
    single = np.arange(samples) != 0
    reference = Ridge(found.penalty * samples, solver="svd").fit(features[single], target[single].numpy())
    expected = reference.predict(features[:1])[0]
    np.testing.assert_allclose(found.left_out[0], expected, rtol=1e-6)


@pytest.mark.parametrize("products", [False, True])
@pytest.mark.parametrize(("samples", "width"), [(60, 4), (40, 20)])
def test_what_is_said_without_certain_others(products, samples, width):
    """Fits without a block, or a single sample, and without the others: as if they were never there."""
    path, target, features, blocks = in_blocks(samples, width, products)
    without = torch.arange(samples) % 7 == 2
    found = torch.zeros_like(target)
    found[~without] = path.left_out(target, blocks, 0.1, without)

    def expected(gone):
        seen = ~(gone | without).numpy()
        model = Ridge(0.1 * samples, solver="svd").fit(features[seen], target[seen].numpy())
        return model.predict(features)

    for block in range(3):
        rows = (blocks == block) & ~without
        np.testing.assert_allclose(found[rows], expected(blocks == block)[rows.numpy()], rtol=1e-6, atol=1e-8)
    single = torch.arange(samples) == 10
    np.testing.assert_allclose(found[10], expected(single)[10], rtol=1e-6)


def test_the_penalty_is_chosen_for_what_is_left_out():
    """Every sample is there four times: left out alone its copies tell it, left out together they do not."""
    values, target = drawn(12, 8)
    values, target = values.repeat(4, 1), torch.randn(12, 1, generator=torch.Generator().manual_seed(0)).repeat(4, 1)
    path = RidgePath(values, products=False)
    assert path.fit(target, torch.arange(12).repeat(4)).penalty > 10 * path.fit(target).penalty


def test_a_quadratic_response_is_found_by_products_alone():
    """Products of latents: a linear fit has nothing to go by."""
    draw = torch.Generator().manual_seed(0)
    values = torch.randn(400, 6, generator=draw)
    target = (values[:, :1] * values[:, 1:2]) + values[:, 2:3] ** 2
    train, test = slice(0, 300), slice(300, 400)
    errors = {}
    for products in (False, True):
        fit = RidgePath(values[train], products=products).fit(target[train])
        errors[products] = float((fit(values[test].double()) - target[test]).square().mean() / target[test].var())
    assert errors[False] > 0.9
    assert errors[True] < 1e-6


def test_constant_features_and_targets():
    """Count as nothing; a constant target is fitted by its mean."""
    values, target = drawn(20, 3)
    values[:, 1] = 7.0
    found = RidgePath(values, products=True).fit(target)
    assert not found.linear[1].any()
    assert bool(found(values).isfinite().all())
    constant = RidgePath(torch.ones(6, 2), products=False).fit(torch.full((6, 1), 3.0))
    torch.testing.assert_close(constant(torch.ones(2, 2, dtype=torch.float64)), torch.full((2, 1), 3.0).double())


def test_one_sample_is_its_own_mean():
    """No variance, no error."""
    found = RidgePath(torch.ones(1, 2), products=True).fit(torch.full((1, 1), 5.0))
    assert float(found(torch.zeros(1, 2, dtype=torch.float64))) == pytest.approx(5.0)
