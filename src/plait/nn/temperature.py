"""Temperature scaling: one number that makes class probabilities mean what they say."""

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

COLDEST, HOTTEST = 0.05, 20.0
"""The temperatures between which the best is sought."""
PLUS_FOUR = 2.0
"""The doubt of few samples."""
_LEAST = np.log(np.finfo(np.float64).tiny)


def temperature(outputs: Float[ndarray, "sample out"], target: Int[ndarray, " sample"], *, doubt: float = 0.0) -> float:
    """The T that makes softmax(outputs / T) most likely (Guo, Pleiss, Sun and Weinberger, 2017).

    The order of the classes, and so the accuracy, stays. Fit it on samples that the model has not seen.

    Args:
        outputs: Logits or log probabilities; -inf is taken as the logarithm of the smallest number there is.
        target: Code of the true class of each sample.
        doubt: How many samples that are of their class are added, and as many that are not (`own_share`); what a sample
            is not of its own class it is of the others in equal parts. Few samples that are all classified rightly then
            do not make a model certain. 0 is none.

    Returns:
        A number from 0.05 to 20: above 1 if the model was too sure of itself, 1 if its probabilities were right, near
        0.05 if all samples are classified rightly and there is no doubt, 1 if there is no sample.
    """
    if len(target) == 0:
        return 1.0
    logits = np.maximum(outputs.astype(np.float64) - outputs.max(axis=1, keepdims=True), _LEAST)
    share, classes = own_share(len(target), doubt), logits.shape[1]
    shares = np.where(np.eye(classes)[target] > 0, share, (1 - share) / max(classes - 1, 1))

    def loss(log_temperature: float) -> float:
        """Nats a sample: convex in 1 / T, so that a minimum is the minimum."""
        return -float((shares * log_softmax(logits / np.exp(log_temperature), axis=1)).sum(axis=1).mean())

    found = minimize_scalar(loss, bounds=(np.log(COLDEST), np.log(HOTTEST)), method="bounded")
    return float(np.exp(found.x))


def own_share(samples: int, doubt: float = PLUS_FOUR) -> float:
    """As how much of its own class each sample counts, and as the rest of the others: (n + doubt) / (n + 2 doubt).

    With 2 it is the share of right answers of Agresti and Coull ("Approximate is better than 'exact'", 1998) for n
    right ones of n, and in two classes of equal size the target of Platt ("Probabilistic outputs for support vector
    machines", 1999).

    Args:
        samples: How many there are, n.
        doubt: How many are added to those that are of their class, and to those that are not.
    """
    return (samples + doubt) / (samples + 2 * doubt)
