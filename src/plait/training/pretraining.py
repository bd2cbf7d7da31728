"""Encoders that are trained alone on their modality, then frozen."""

from dataclasses import replace

import torch
from torch import Tensor

from plait.data.batches import TrainingData
from plait.data.shapes import Features, Output, Present
from plait.nn.module import FusionModule
from plait.nn.representations import Representations, SlicedEncoder
from plait.training.course import Course


class Alone(FusionModule):
    """One modality's encoder with the output layer that serves its own training.

    Args:
        modality: The modality it reads.
        encoder: The encoder.
    """

    def __init__(self, modality: str, encoder: SlicedEncoder) -> None:
        super().__init__()
        self.modality, self.encoder = modality, encoder

    def forward(self, features: Features, present: Present) -> Output:
        return self.encoder.predict(features[self.modality])


def pretrain(representations: Representations, course: Course) -> None:
    """Train every sliced encoder on the samples that have its modality, and freeze it.

    Raises:
        ValueError: If there is more than one fold (the encoders would then have seen the targets of the samples
            that validate the students), or no training or no validation sample has the modality.
    """
    for place, (name, encoder) in enumerate(representations.of_kind(SlicedEncoder)):
        if course.data.spec.folds > 1:
            raise ValueError(
                f"Modality '{name}' has sliced encoders, which are trained once, but validation asks for "
                f"{course.data.spec.folds} folds. Use one hold-out set (for example validation=0.2), or 'encoder-…'."
            )
        alone = Alone(name, encoder)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(course.stream(100 + place))
            encoder.reset()
        replace(course, data=_having(course.data, name)).run(alone, 200 + place, f"encoder of {name}")
        encoder.requires_grad_(requires_grad=False)


def _having(data: TrainingData, name: str) -> TrainingData:
    """The samples that have a modality."""
    here: Tensor = data.samples.present[:, data.spec.names.index(name)].nonzero().flatten()
    found = replace(data, samples=data.samples.rows(here))
    if not len(found.train) or not len(found.validation):
        raise ValueError(
            f"Modality '{name}' has sliced encoders, but {len(found.train)} training and {len(found.validation)} "
            "validation samples have it. Leave the modality out, or read it by 'identity'."
        )
    return found
