"""Closed-form heads against scikit-learn's ridge, and their limits."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.preprocessing import PolynomialFeatures

from plait.skew import ridge
from plait.skew.ridge import TapFeatures
from plait.skew.ridge import ridge_outputs as outputs


def draw(n=60, widths=((3, 2), (4, 5)), seed=0):
    """Taps of two modalities, and a target of two columns."""
    rng = np.random.default_rng(seed)
    taps = {
        (name, tap): rng.normal(size=(n, width))
        for name, own in zip("ab", widths, strict=True)
        for tap, width in enumerate(own, 1)
    }
    return taps, rng.normal(size=(n, 2))


def ridge_outputs(train, target, unseen, *args):
    """With the same features by themselves and in products."""
    return outputs(TapFeatures(train, train), target, TapFeatures(unseen, unseen), *args)


def part(taps, rows):
    return {tap: values[rows] for tap, values in taps.items()}


@pytest.mark.parametrize("terms", [((("a", 1),),), ((("a", 1),), (("b", 2),)), ((("b", 2),), (("a", 2),), (("b", 1),))])
def test_taps_side_by_side_are_ridge_regression(terms):
    """The penalty is a share of the samples, the intercept is free."""
    taps, target = draw()
    train, unseen = part(taps, slice(0, 40)), part(taps, slice(40, 60))
    found = ridge_outputs(train, target[:40] + 3, unseen, [terms], (0.2, 1.0))[0]
    design = np.hstack([taps[tap] for (tap,) in terms])
    expected = Ridge(alpha=0.2 * 40).fit(design[:40], target[:40] + 3).predict(design[40:])
    np.testing.assert_allclose(found, expected, atol=1e-10)


def test_products_of_two_taps_are_all_products():
    """A bilinear form is found exactly when nothing is penalised, and scikit-learn's interactions agree."""
    taps, _ = draw(n=200)
    form = np.random.default_rng(1).normal(size=(3, 5))
    target = np.einsum("ni,ij,nj->n", taps["a", 1], form, taps["b", 2])[:, None]
    terms = ((("a", 1), ("b", 2)),)
    found = ridge_outputs(taps, target, part(taps, slice(0, 9)), [terms], (1.0, 1e-12))[0]
    np.testing.assert_allclose(found, target[:9], atol=1e-6)
    both = PolynomialFeatures(2, interaction_only=True, include_bias=False).fit_transform(
        np.hstack([taps["a", 1], taps["b", 2]])
    )
    names = PolynomialFeatures(2, interaction_only=True, include_bias=False).fit(np.zeros((1, 8))).powers_
    crossed = both[:, (names[:, :3].sum(1) == 1) & (names[:, 3:].sum(1) == 1)]
    expected = Ridge(alpha=0.3 * 200).fit(crossed, target).predict(crossed[:9])
    found = ridge_outputs(taps, target, part(taps, slice(0, 9)), [terms], (1.0, 0.3))[0]
    np.testing.assert_allclose(found.ravel(), expected.ravel(), atol=1e-8)


def test_taps_and_products_have_penalties_of_their_own():
    """Infinitely penalised products leave the ridge on the taps."""
    taps, target = draw()
    mixed = ((("a", 1),), (("a", 1), ("b", 1)))
    found = ridge_outputs(taps, target, taps, [mixed, ((("a", 1),),)], (0.1, 1e15))
    np.testing.assert_allclose(found[0], found[1], atol=1e-9)


def test_many_heads_at_once_are_each_by_itself(monkeypatch):
    """Heads of any widths, in their order, whether what they share is held or computed anew."""
    taps, target = draw()
    heads = [(((a, i),), ((b, j),)) for a, b in ("ab", "ba") for i in (1, 2) for j in (1, 2)]
    heads += [((("a", i), ("b", j)),) for i in (1, 2) for j in (1, 2)]
    together = ridge_outputs(taps, target, taps, heads)
    for row, head in enumerate(heads):
        np.testing.assert_allclose(together[row], ridge_outputs(taps, target, taps, [head])[0], atol=1e-12)
    monkeypatch.setattr(ridge, "_PASSING", 1)
    train = TapFeatures(taps, taps)
    train.blocks.room = 1
    np.testing.assert_allclose(outputs(train, target, train, heads), together, atol=1e-12)
    assert len(train.blocks.arrays) == 1


@pytest.mark.parametrize(
    "terms",
    [
        ((("a", 1), ("b", 2)), (("a", 2), ("b", 1))),
        ((("a", 1), ("b", 2)), (("b", 2),), (("a", 2),), (("a", 1), ("b", 1))),
        ((("b", 1), ("a", 2)), (("b", 1), ("b", 2)), (("a", 2), ("a", 2))),
    ],
)
def test_terms_of_any_kind_are_ridge_regression_on_all_their_features(terms):
    """Products beside products and beside taps, of unequal widths and of means that are not zero."""
    taps, target = draw()
    taps = {tap: values + 0.5 for tap, values in taps.items()}
    train, unseen = part(taps, slice(0, 50)), part(taps, slice(50, 60))
    found = ridge_outputs(train, target[:50], unseen, [terms], (0.2, 0.7))[0]
    parts = [
        taps[term[0]] if len(term) == 1 else np.einsum("ni,nj->nij", *map(taps.get, term)).reshape(60, -1)
        for term in terms
    ]
    shares = np.concatenate(
        [np.full(one.shape[1], 0.2 if len(term) == 1 else 0.7) for one, term in zip(parts, terms, strict=True)]
    )
    scaled = np.hstack(parts) / np.sqrt(shares)  # a feature with its own penalty is one of another scale
    expected = Ridge(alpha=50.0).fit(scaled[:50], target[:50]).predict(scaled[50:])
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_what_heads_share_is_computed_once(monkeypatch):
    """The heads of a second call find the blocks of the first; another target changes nothing of them."""
    taps, target = draw()
    train, heads = TapFeatures(taps, taps), [((("a", i),), (("b", j),)) for i in (1, 2) for j in (1, 2)]
    first = outputs(train, target, train, heads)
    held = dict(train.blocks.arrays)
    assert len(held) == 4 + 4  # each tap with itself, and each pair
    np.testing.assert_allclose(outputs(train, 2 * target, train, heads), 2 * first, atol=1e-12)
    assert all(train.blocks.arrays[key] is block for key, block in held.items())


def test_the_arrays_asked_for_last_are_held_as_long_as_there_is_room():
    """Never more numbers than that, but for a single larger array."""
    recent, made = ridge.Recent(20), []

    def ask(key, size):
        recent(key, lambda: made.append(key) or np.zeros((1, size)))
        return list(recent.arrays)

    assert ask("a", 10) == ["a"]
    assert ask("b", 10) == ["a", "b"]
    assert ask("a", 10) == ["b", "a"]
    assert ask("c", 5) == ["a", "c"]
    assert ask("d", 30) == ["d"]
    assert made == ["a", "b", "c", "d"]
    assert recent.held == 30


def test_an_infinite_penalty_gives_the_mean():
    """The limit: nothing is read."""
    taps, target = draw()
    found = ridge_outputs(taps, target, taps, [((("a", 1),),)], (1e15, 1.0))[0]
    np.testing.assert_allclose(found, np.tile(target.mean(0), (60, 1)), atol=1e-9)


def test_unseen_samples_change_no_head():
    """Outputs of a sample do not depend on the others that are asked for."""
    taps, target = draw()
    head = [((("a", 2),), (("b", 2),))]
    whole = ridge_outputs(part(taps, slice(0, 40)), target[:40], part(taps, slice(40, 60)), head)
    one = ridge_outputs(part(taps, slice(0, 40)), target[:40], part(taps, slice(50, 51)), head)
    np.testing.assert_allclose(one[0, 0], whole[0, 10], atol=1e-12)


def test_products_are_of_the_few_features():
    """A product reads its own, smaller, form of each tap."""
    taps, target = draw()
    few = {tap: values[:, :1] for tap, values in taps.items()}
    both = ((("a", 1),), (("a", 1), ("b", 1)))
    found = outputs(TapFeatures(taps, few), target, TapFeatures(taps, few), [both], (0.1, 0.1))[0]
    design = np.hstack([taps["a", 1], few["a", 1] * few["b", 1]])
    np.testing.assert_allclose(found, Ridge(alpha=0.1 * 60).fit(design, target).predict(design), atol=1e-10)
