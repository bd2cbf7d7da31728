"""From fresh copies of a network to trained ones that predict as one."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray
from torch import Tensor

from plait.data.batches import TrainingData
from plait.nn.averaged_net import AveragedNet
from plait.nn.copies import Copies
from plait.nn.module import evaluate
from plait.training.course import Course
from plait.training.ensembling import check_finite, prior_output, prior_outputs
from plait.training.trainer import TrainingResult


@dataclass(frozen=True)
class LearnedNetwork:
    """A trained network.

    Args:
        net: The module that predicts.
        result: Losses and epochs of the copies, and the history.
        losses: Validation loss of every setting, mean over the samples; NaN where nothing is held out.
        by_setting: Output for every validation sample, by the copy that was not trained on it, at every setting.
    """

    net: AveragedNet
    result: TrainingResult
    losses: Float[ndarray, " setting"]
    by_setting: Float[Tensor, "setting validation out"]

    @property
    def best(self) -> int:
        """Place of the setting with the lowest validation loss; the first of equals."""
        return int(self.losses.argmin())

    @property
    def outputs(self) -> Float[Tensor, "validation out"]:
        """The outputs at the best setting."""
        return self.by_setting[self.best]


def learn_network(net: AveragedNet, course: Course, phase: str) -> LearnedNetwork:
    """Train the copies of a network on cached representations.

    Args:
        net: The module, with fresh weights; trained in place.
        course: Data, trainer and seed.
        phase: Name shown beside the progress bar and in the history.

    Raises:
        ValueError: If a setting of the trainer is out of range, there are several settings to choose from and nothing
            is held out to choose by, or training failed.
    """
    course.trainer.check()
    if net.net.settings > 1 and not len(course.data.validation):
        raise ValueError(
            f"{phase} chooses one of {net.net.settings} settings by validation samples, but validation=0 holds none "
            "out. Give one setting, or a share, for example validation=0.2."
        )
    course = replace(course, data=course.data.to(torch.device("cpu"), course.trainer.dtype))
    net.to(course.trainer.dtype)
    data = course.data.with_features(net.representations)
    check_finite(data)
    result = replace(course, data=data).run(net.net, 1, phase)
    net.net.cpu()
    net.prior.copy_(prior_output(data))
    return LearnedNetwork(net.eval(), result, setting_losses(net.net, result, data), own_outputs(net.net, data))


def own_outputs(copies: Copies, data: TrainingData) -> Float[Tensor, "setting validation out"]:
    """Output for every validation sample by the copy of its fold, at every setting; the prior if nothing is read."""
    batch = data.samples.rows(data.validation)
    if not len(batch):
        return batch.target.expand(copies.settings, *batch.target.shape)
    outputs = evaluate(copies, batch.features, batch.present)
    by_fold: Tensor = outputs.reshape(copies.settings, copies.spec.folds, *outputs.shape[1:])
    own = by_fold[:, batch.fold, torch.arange(len(batch))]
    return own.where(copies.readable(batch.present)[:, None], prior_outputs(data).to(own))


def setting_losses(net: Copies, result: TrainingResult, data: TrainingData) -> Float[ndarray, " setting"]:
    """Best validation loss of every setting: the mean over its folds, by the numbers of samples they are judged on.

    NaN where nothing is held out.
    """
    batch = data.samples.rows(data.validation)
    readable = batch.fold[net.readable(batch.present)]
    sizes = torch.bincount(readable, minlength=net.spec.folds).double().numpy()
    losses = result.losses.double().numpy().reshape(net.settings, net.spec.folds)
    if not len(batch):
        return np.asarray(losses.mean(1))
    return np.asarray(np.average(np.where(sizes > 0, losses, 0.0), axis=1, weights=sizes))
