"""Temperature scaling: one number that makes class probabilities mean what they say."""

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

COLDEST, HOTTEST = 0.05, 20.0
"""The temperatures between which the best is sought."""
_LEAST = np.log(np.finfo(np.float64).tiny)


def temperature(outputs: Float[ndarray, "sample out"], target: Int[ndarray, " sample"], *, doubt: float = 0.0) -> float:
    """The T that makes softmax(outputs / T) most likely (Guo, Pleiss, Sun and Weinberger, 2017).

    The order of the classes, and so the accuracy, stays. Fit it on samples that the model has not seen.

    Args:
        outputs: Logits or log probabilities; -inf is taken as the logarithm of the smallest number there is.
        target: Code of the true class of each sample.
        doubt: A sample of a class that has n counts as (n + doubt) / (n + 2 doubt) of it, and in equal parts as the
            others. With 1 and two classes these are the targets of Platt ("Probabilistic outputs for support vector
            machines", 1999): few samples, all classified rightly, do not make a model certain. 0 is as they are.

    Returns:
        A number from 0.05 to 20: above 1 if the model was too sure of itself, 1 if its probabilities were right, near
        0.05 if all samples are classified rightly, 1 if there is no sample.
    """
    if len(target) == 0:
        return 1.0
    logits = np.maximum(outputs.astype(np.float64) - outputs.max(axis=1, keepdims=True), _LEAST)
    shares = _doubted(target, logits.shape[1], doubt)

    def loss(log_temperature: float) -> float:
        """Nats a sample: convex in 1 / T, so that a minimum is the minimum."""
        return -float((shares * log_softmax(logits / np.exp(log_temperature), axis=1)).sum(axis=1).mean())

    found = minimize_scalar(loss, bounds=(np.log(COLDEST), np.log(HOTTEST)), method="bounded")
    return float(np.exp(found.x))


def own_share(target: Int[ndarray, " sample"], doubt: float = 1.0) -> Float[ndarray, " sample"]:
    """As how much of its own class each sample counts, (n + doubt) / (n + 2 doubt) where n samples are of the class.

    Args:
        target: Code of the class of each sample.
        doubt: As of `temperature`; 1 is that of Platt.
    """
    counts = np.bincount(target)[target]
    return np.asarray((counts + doubt) / (counts + 2 * doubt))


def _doubted(target: Int[ndarray, " sample"], classes: int, doubt: float) -> Float[ndarray, "sample out"]:
    """What each sample counts as: of its own class and of the others."""
    share = own_share(target, doubt)[:, None]
    return np.asarray(np.where(np.eye(classes)[target] > 0, share, (1 - share) / max(classes - 1, 1)))
