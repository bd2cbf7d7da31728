"""From fresh copies of a network to trained ones that predict as one."""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from plait.data.batches import TrainingData
from plait.nn.averaged_net import AveragedNet
from plait.nn.copies import Copies
from plait.nn.module import evaluate
from plait.training.course import Course
from plait.training.ensembling import check_finite, prior_output
from plait.training.trainer import TrainingResult


@dataclass(frozen=True)
class LearnedNetwork:
    """A trained network.

    Args:
        net: The module that predicts.
        result: Losses and epochs of the copies, and the history.
        outputs: Output for every validation sample, by the copy that was not trained on it.
    """

    net: AveragedNet
    result: TrainingResult
    outputs: Float[Tensor, "validation out"]


def learn_network(net: AveragedNet, course: Course, phase: str) -> LearnedNetwork:
    """Train the copies of a network on cached representations.

    Args:
        net: The module, with fresh weights; trained in place.
        course: Data, trainer and seed.
        phase: Name shown beside the progress bar and in the history.
    """
    course.trainer.check()
    course = replace(course, data=course.data.to(torch.device("cpu"), course.trainer.dtype))
    net.to(course.trainer.dtype)
    data = course.data.with_features(net.representations)
    check_finite(data)
    result = replace(course, data=data).run(net.net, 1, phase)
    net.net.cpu()
    net.prior.copy_(prior_output(data))
    return LearnedNetwork(net.eval(), result, own_outputs(net.net, data))


def own_outputs(net: Copies, data: TrainingData) -> Float[Tensor, "validation out"]:
    """Output for every validation sample, by the copy (at the first setting) of its fold."""
    batch = data.samples.rows(data.validation)
    outputs = evaluate(net, batch.features, batch.present)[: data.spec.folds]
    return outputs[batch.fold, torch.arange(len(batch))]
