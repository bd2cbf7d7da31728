"""What heartbeat classifiers are ranked by beside accuracy."""

from typing import Any

import numpy as np
from sklearn.metrics import cohen_kappa_score, precision_score, recall_score


def j_kappa(y_true: Any, y_pred: Any, *, supraventricular: Any = 1, ventricular: Any = 2) -> float:
    """The j-kappa index of heartbeat classes: half of Cohen's kappa and an eighth of j.

    j is the sum of sensitivity and positive predictivity of the supraventricular and of the ventricular ectopic
    beats, so that both halves reach 1/2 at best (Mar et al., "Optimization of ECG classification by means of feature
    selection", 2011). A class that is never predicted has positive predictivity 0.

    Args:
        y_true: True classes, any labels.
        y_pred: Predicted classes.
        supraventricular: Label of class S; 1 as in `fetch_mitbih`.
        ventricular: Label of class V; 2 as in `fetch_mitbih`.

    Returns:
        At most 1, which only a perfect prediction reaches; 0 for the same class everywhere, below 0 if agreement is
        worse than by chance.

    Raises:
        ValueError: If one of both classes has no true beat: its sensitivity is not defined.
    """
    labels = [supraventricular, ventricular]
    absent = [label for label in labels if not np.any(np.asarray(y_true) == label)]
    if absent:
        raise ValueError(f"j-kappa needs true beats of both classes; there is none of {absent}. Give more records.")
    sensitivity = recall_score(y_true, y_pred, labels=labels, average=None, zero_division=0)
    predictivity = precision_score(y_true, y_pred, labels=labels, average=None, zero_division=0)
    return float(cohen_kappa_score(y_true, y_pred) / 2 + (sensitivity.sum() + predictivity.sum()) / 8)
