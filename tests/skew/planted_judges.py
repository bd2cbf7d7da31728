"""Judges of planted pairs, for the tests of searches."""

from functools import partial

import numpy as np

from plait.datasets import make_planted_taps
from plait.skew.judge import HeadSettings, Judge, Split, TapData
from plait.skew.searches.tried import closed_scan
from plait.statistics.metrics import metric_by_name

ACCURACY, R2 = metric_by_name("classification", "accuracy"), metric_by_name("regression", "r2")


def planted(task, size="tiny", seed=0, draws=50, **kwargs):
    """A judge of a planted task, and the task."""
    bunch = make_planted_taps(task, size, random_state=seed, **kwargs)
    outputs = np.eye(bunch.target.max() + 1)[bunch.target]
    data = TapData(bunch.taps, bunch.target, outputs, np.arange(len(outputs)))
    return Judge(HeadSettings(draws=draws), [Split(data, bunch.train, bunch.validation)], ACCURACY), bunch


def noise(depths, width=3, n=30, seed=0, draws=20, widths=None):
    """A judge of pure noise in two classes: modalities of these depths, all taps of one width or of `widths`."""
    rng = np.random.default_rng(seed)
    sizes = widths or dict.fromkeys(depths, width)
    taps = {name: [rng.normal(size=(n, sizes[name])) for _ in range(depth)] for name, depth in depths.items()}
    target = np.arange(n) % 2
    data = TapData(taps, target, np.eye(2)[target], np.arange(n))
    half = np.arange(n // 2)
    return Judge(HeadSettings(draws=draws), [Split(data, half, half + n // 2)], ACCURACY)


def values(scale=1.0, shift=0.0, n=400, seed=0):
    """A judge of values: y = u + 2 v times `scale` plus `shift`, u clear in tap 2 of "a" and v in tap 1 of "b"."""
    rng = np.random.default_rng(seed)
    codes = rng.normal(size=(2, n))
    taps = {"a": [rng.normal(size=(n, 3)) for _ in range(3)], "b": [rng.normal(size=(n, 4)) for _ in range(2)]}
    taps["a"][1][:, 0], taps["b"][0][:, 1] = codes
    target = (codes[0] + 2 * codes[1]) * scale + shift
    data = TapData(taps, target, target[:, None], np.arange(n))
    rows = np.arange(n)
    return Judge(HeadSettings(draws=20), [Split(data, rows[: n // 2], rows[n // 2 :])], R2)


def closed(judge, operator):
    """A scan in closed form."""
    return partial(closed_scan, judge, operator=operator)


def numbers(pairs):
    """Pairs as the benchmark writes them."""
    return {(pair.first, pair.i, pair.second, pair.j) for pair in pairs}
