"""Modules whose prediction is that of several predictors, and how far these are apart."""

from abc import abstractmethod
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from plait.data.shapes import Features, Output, Present
from plait.data.spec import Task
from plait.nn.module import FusionModule


@dataclass(frozen=True)
class Voices:
    """What each of several predictors says by itself.

    Args:
        outputs: Output of each predictor: values, or unnormalised log-probabilities of the classes. What a predictor
            without a share says of a sample may be anything.
        shares: Weight of each predictor for each sample; they sum to 1, or are all 0 where nobody can read the sample.
    """

    outputs: Float[Tensor, "voice batch out"]
    shares: Float[Tensor, "voice batch"]


class Committee(FusionModule):
    """A module that predicts by the mean of several predictors: students, and the copies of each, one a fold."""

    @property
    @abstractmethod
    def seats(self) -> int:
        """How many predictors there are; in a sample some may have no share."""

    @abstractmethod
    def voices(self, features: Features, present: Present) -> Voices:
        """What each predictor says of each sample."""


class Disagreement(nn.Module):
    """How far the predictors of a committee are apart, sample by sample.

    Of classes the mutual information between class and predictor, in nats; of values the standard deviation of each
    output. 0 where a single predictor has a share, NaN where none has, infinite where one said something infinite.

    Args:
        committee: The module.
        task: What it predicts.
    """

    def __init__(self, committee: Committee, task: Task) -> None:
        super().__init__()
        self.committee, self.measure = committee, _MEASURES[task]

    def forward(self, features: Features, present: Present) -> Output:
        voices = self.committee.voices(features, present)
        heard = (voices.shares > 0).any(0)[:, None]
        return self.measure(voices).nan_to_num(nan=torch.inf).where(heard, torch.nan)


def mutual_information(voices: Voices) -> Float[Tensor, "batch 1"]:
    """I(class; predictor) = H(sum_j w_j p_j) - sum_j w_j H(p_j) in nats, from 0 to the logarithm of the classes.

    What is not known of the class because it is not known who is right: Houlsby, Huszar, Ghahramani and Lengyel,
    "Bayesian Active Learning for Classification and Preference Learning" (2011). It is the generalised Jensen-Shannon
    divergence of the predictors.
    """
    said = _heard(voices).softmax(-1)
    mean = torch.einsum("vb,vbo->bo", voices.shares, said)
    each = torch.einsum("vb,vb->b", voices.shares, torch.special.entr(said).sum(-1))
    known: Tensor = torch.special.entr(mean).sum(-1) - each
    return known.clamp(min=0)[:, None]


def spread(voices: Voices) -> Float[Tensor, "batch out"]:
    """Standard deviation of the predictors, sqrt(sum_j w_j (y_j - sum_i w_i y_i)^2), of each output."""
    said = _heard(voices)
    mean = torch.einsum("vb,vbo->bo", voices.shares, said)
    return torch.einsum("vb,vbo->bo", voices.shares, (said - mean).square()).sqrt()


def _heard(voices: Voices) -> Float[Tensor, "voice batch out"]:
    """The outputs, 0 where there is no share: a predictor that diverged says NaN, with share 0."""
    return voices.outputs.where(voices.shares[..., None] > 0, 0)


_MEASURES = {"classification": mutual_information, "regression": spread}
