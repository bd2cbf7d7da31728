"""The random numbers of a simulation: independent streams, or the published generator's single stream."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from plait.datasets.settings import Array, SharingSetting


class Draws(NamedTuple):
    """All that is random in one data set, block by block (modalities first, the shared block last)."""

    coefficients: list[Array]
    positions: NDArray[np.intp]
    products: Array
    mixing: list[Array]
    latents: list[Array]
    noise: list[Array]


def _mixing_shapes(setting: SharingSetting) -> list[tuple[int, int]]:
    *own, shared = setting.latents
    return [(q + shared, d) for q, d in zip(own, setting.widths, strict=True)]


def clean_draws(setting: SharingSetting, n: int, streams: list[np.random.SeedSequence]) -> Draws:
    """Draw coefficients, mixtures, latents and noise from four streams, each split once more by block.

    Rows do not depend on `n`: a longer data set of the same seed begins with the shorter one.
    """
    blocks = len(setting.latents)
    coefficients, mixing, latents, noise = (
        [np.random.default_rng(seed) for seed in stream.spawn(blocks + 1)] for stream in streams
    )
    bound, count = setting.bound, int(setting.interactions * setting.products)
    products = coefficients[-1]
    return Draws(
        [rng.uniform(-bound, bound, q) for rng, q in zip(coefficients, setting.latents, strict=False)],
        products.choice(setting.products, count, replace=False).astype(np.intp),
        products.uniform(-bound, bound, count),
        [rng.standard_normal(shape) for rng, shape in zip(mixing, _mixing_shapes(setting), strict=False)],
        [rng.standard_normal((n, q)) for rng, q in zip(latents, setting.latents, strict=False)],
        [rng.standard_normal((n, d)) for rng, d in zip(noise, setting.widths, strict=False)],
    )


def legacy_draws(setting: SharingSetting, n: int, seed: int) -> Draws:
    """Draw as the published generator does, its faults included.

    One Mersenne Twister, seeded again with the same seed before the latents, so that latents repeat the
    numbers of the coefficients and mixtures; coefficients of products fall into an integer array and are cut
    towards zero.
    """
    rng, bound = np.random.RandomState(seed), setting.bound
    coefficients = [rng.uniform(-bound, bound, q) for q in setting.latents]
    count = int(setting.interactions * setting.products)
    positions = rng.choice(setting.products, count, replace=False).astype(np.intp)
    products = np.trunc(rng.uniform(-bound, bound, count))
    mixing = [rng.normal(size=shape) for shape in _mixing_shapes(setting)]
    rng = np.random.RandomState(seed)
    latents = [rng.normal(size=(n, q)) for q in setting.latents]
    noise = [rng.normal(size=(n, d)) for d in setting.widths]
    return Draws(coefficients, positions, products, mixing, latents, noise)
