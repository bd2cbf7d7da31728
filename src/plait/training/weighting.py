"""Classes weighed by how rare they are."""

from jaxtyping import Float
from torch import Tensor

from plait.data.batches import TrainingData
from plait.nn.criteria import Criterion, CrossEntropy, criterion_for

CLASS_WEIGHTS = {"balanced": 1.0, "sqrt": 0.5}
"""The power of one over a class's share, by the name of the weighting."""


def class_weights(target: Float[Tensor, "sample out"], power: float) -> Float[Tensor, " out"]:
    """What a sample of each class counts: (1 / its share) ** power, scaled so that the mean over the samples is 1.

    A class without samples, which some other sample may still be judged by, counts 1.

    Args:
        target: One row of class probabilities a sample (one-hot for a known class).
        power: 1 balances the classes, as scikit-learn's "balanced" does; 0 leaves them as they are.
    """
    share = target.double().mean(0)
    raw = share.where(share > 0, 1.0).pow(-power)
    weights = raw / (share * raw).sum()
    return weights.where(share > 0, 1.0).to(target.dtype)


def criterion_of(data: TrainingData, class_weight: str | None) -> Criterion:
    """The criterion of the task, with the weights of the classes among the training samples.

    Args:
        data: The samples.
        class_weight: A name in `CLASS_WEIGHTS`, or None.

    Raises:
        ValueError: If there are weights of classes, but no classes.
    """
    if class_weight is None:
        return criterion_for(data.spec)
    if data.spec.task != "classification":
        raise ValueError(
            f"class_weight={class_weight!r} of the trainer weighs classes, but the task is {data.spec.task}. "
            "Leave class_weight=None."
        )
    return CrossEntropy(class_weights(data.samples.target[data.train], CLASS_WEIGHTS[class_weight]))
