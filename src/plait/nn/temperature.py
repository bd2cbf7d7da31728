"""Temperature scaling: one number that makes class probabilities mean what they say."""

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

COLDEST, HOTTEST = 0.05, 20.0
"""The temperatures between which the best is sought."""
_LEAST = np.log(np.finfo(np.float64).tiny)


def temperature(outputs: Float[ndarray, "sample out"], target: Int[ndarray, " sample"]) -> float:
    """The T that makes softmax(outputs / T) most likely (Guo, Pleiss, Sun and Weinberger, 2017).

    The order of the classes, and so the accuracy, stays. Fit it on samples that the model has not seen.

    Args:
        outputs: Logits or log probabilities; -inf is taken as the logarithm of the smallest number there is.
        target: Code of the true class of each sample.

    Returns:
        A number from 0.05 to 20: above 1 if the model was too sure of itself, 1 if its probabilities were right, near
        0.05 if all samples are classified rightly, 1 if there is no sample.
    """
    if len(target) == 0:
        return 1.0
    logits = np.maximum(outputs.astype(np.float64) - outputs.max(axis=1, keepdims=True), _LEAST)
    rows = np.arange(len(target))

    def loss(log_temperature: float) -> float:
        """Nats a sample: convex in 1 / T, so that a minimum is the minimum."""
        return -float(log_softmax(logits / np.exp(log_temperature), axis=1)[rows, target].mean())

    found = minimize_scalar(loss, bounds=(np.log(COLDEST), np.log(HOTTEST)), method="bounded")
    return float(np.exp(found.x))
