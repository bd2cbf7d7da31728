"""Whether a linear classifier can tell which modality a row of features comes from."""

from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from plait.alignment.features import MOST_SAMPLES, drawn, paired_alike
from plait.data.settings import check_whole, seed_from


def modality_probe(X: Any, Y: Any, folds: int = 5, samples: int = MOST_SAMPLES, random_state: Any = None) -> float:
    """Cross-validated accuracy of a logistic regression that tells the modality: 0.5 is aligned, 1 is apart.

    Features are standardised within each fold; both modalities of a sample lie in the same fold, so chance is 0.5.

    Args:
        X: One modality, (sample, feature).
        Y: The other, of the same width; row i is the same sample.
        folds: Number of folds, >= 2; fewer samples than that are one a fold.
        samples: At most so many samples, drawn at random, are looked at.
        random_state: Seed of the draw and of the folds.

    Returns:
        Mean accuracy over the folds, in [0, 1].

    Raises:
        ValueError: For other ranks or widths, numbers that are not finite, rows of different number, or fewer than 2
            folds or samples.
    """
    one, other = paired_alike(X, Y)
    check_whole("folds", folds, 2)
    draw = np.random.default_rng(seed_from(random_state))
    rows = drawn(len(one), samples, draw)
    splits = GroupKFold(min(folds, len(rows)), shuffle=True, random_state=int(draw.integers(2**31)))
    probe = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    values, modality = np.concatenate([one[rows], other[rows]]), np.repeat([0, 1], len(rows))
    scores = cross_val_score(probe, values, modality, groups=np.tile(rows, 2), cv=splits, scoring="accuracy")
    return float(scores.mean())
