"""Windows of series, with and without holes, and how they go on."""

import numpy as np

from plait import GatedFusion

SMALL = GatedFusion(width=4, encoder_hidden=(), hidden=(), dropout=0.0)


def windows(n=60, seed=0):
    """Two sines of random phase, level and scale, and how they go on."""
    draw = np.random.default_rng(seed)
    phase, level = draw.uniform(0, 6.28, (n, 1, 2)), draw.normal(0, 5, (n, 1, 2))
    time = np.arange(18)[None, :, None]
    series = level + np.sin(time * 0.7 + phase)
    return {"series": series[:, :12]}, series[:, 12:].reshape(n, -1)


def ramps(n=40, seed=0):
    """Lines of two channels with a level and slope of their own, other lines beside them, and how the first go on."""
    draw = np.random.default_rng(seed)
    lines = draw.normal(0, 5, (n, 1, 2)) + draw.normal(0, 1, (n, 1, 2)) * np.arange(12)[:, None]
    other = draw.normal(0, 5, (n, 1, 2)) + draw.normal(0, 1, (n, 1, 2)) * np.arange(8)[:, None]
    return {"series": lines[:, :8], "other": other}, lines[:, 8:].reshape(n, -1)


def holed(X, share=0.2, seed=0, names=("series",)):
    """The samples with holes between the first and the last step."""
    draw = np.random.default_rng(seed)
    inner = {name: np.where(draw.random(X[name].shape) < share, np.nan, X[name]) for name in names}
    for name, values in inner.items():
        values[:, [0, -1]] = X[name][:, [0, -1]]
    return {**X, **inner}
