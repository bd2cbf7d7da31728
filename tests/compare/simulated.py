"""Outcomes with a known truth, without a fit."""

import numpy as np

from plait.compare.outcomes import Outcomes, Predicted, Truth


def truth(n=200, folds=5, repeats=1, classes=2, groups=None, seed=0, test=None):
    """A target of `classes` (0 is a regression) and random folds; `test` is the share of one published test set."""
    random = np.random.default_rng(seed)
    target = random.integers(classes, size=n) if classes else random.normal(size=n)
    if test is None:
        fold = np.stack([random.permutation(np.arange(n) % folds) for _ in range(repeats)])
        train = np.stack([[int((row != one).sum()) for one in range(folds)] for row in fold])
    else:
        fold = np.where(np.arange(n) < round(test * n), 0, -1)[None]
        train = np.array([[int((fold < 0).sum())]])
    task = "classification" if classes else "regression"
    names = tuple(f"class {code}" for code in range(classes))
    return Truth(task, target, names, np.arange(n) if groups is None else groups, fold, train)


def right(truth, accuracy, seed, seeds=1):
    """Class probabilities that are right with some probability, sample by sample."""
    random = np.random.default_rng(seed)
    classes = len(truth.classes)
    shape = (seeds, *truth.fold.shape)
    hit = random.random(shape) < accuracy
    other = (truth.target + random.integers(1, classes, size=shape)) % classes
    guess = np.where(hit, truth.target, other)
    confidence = random.uniform(0.55, 0.95, size=(*shape, 1))
    outputs = np.where(np.arange(classes) == guess[..., None], confidence, (1 - confidence) / (classes - 1))
    return np.where((truth.fold >= 0)[..., None], outputs, np.nan)


def near(truth, noise, seed, seeds=1):
    """Predicted values that are off by normal noise."""
    shape = (seeds, *truth.fold.shape)
    error = noise * np.random.default_rng(seed).normal(size=shape)
    return np.where(truth.fold >= 0, truth.target + error, np.nan)[..., None]


def contender(truth, label, kind, outputs, joins=None, reads=(), failure=""):
    """A contender whose fits took a second each."""
    usual = "predictions" if kind in {"fusion", "control"} else "nothing"
    seconds = np.where(truth.train > 0, 1.0, np.nan)[None].repeat(len(outputs), 0)
    return Predicted(label, kind, joins or usual, outputs, seconds, tuple(reads), failure)


def outcomes(truth, *contenders):
    """Contenders by label."""
    seeds = len(contenders[0].outputs)
    return Outcomes(truth, {one.label: one for one in contenders}, tuple(range(seeds)))


def race(accuracies, seed=0, seeds=1, **of_truth):
    """Contenders given as {label: (kind, accuracy or noise, joins)}, the last optional; singles read themselves."""
    data = truth(seed=seed, **of_truth)
    predict = right if data.classes else near
    found = []
    for place, (label, entry) in enumerate(accuracies.items()):
        kind, quality, joins = (*entry, None)[:3]
        outputs = predict(data, quality, 1000 * seed + place + 1, seeds)
        found.append(contender(data, label, kind, outputs, joins, (label,) if kind == "single" else ()))
    return outcomes(data, *found)
