"""A linear score of every modality, summed: the module of linear cooperative learning."""

from typing import TypeVar

import torch
from numpy import ndarray
from torch import Tensor, nn

from plait.data.shapes import Features, Output, Present
from plait.data.spec import DataSpec
from plait.nn.encodings import whole_readers
from plait.nn.module import FusionModule
from plait.nn.representations import Representations

Numbers = TypeVar("Numbers", Tensor, ndarray)


def fill_factor(present: Numbers, modalities: int, rho: float) -> Numbers:
    """What the sum of so many present scores is multiplied by, to stand for the sum over all modalities.

    An absent score is filled in where 1/2 f^2 + rho/2 sum_m (f - f_m)^2 is smallest, m over the other modalities: drawn
    to its mean, which is 0, by one unit, and to each of the others by rho. With k of M present, the sum of all is then
    (1 + rho M) / (1 + rho k) times the sum of the present: 1 at rho = 0, where nothing is known of an absent score,
    and M / k as rho grows, where all scores of a sample agree.

    Args:
        present: Number of modalities that each sample has.
        modalities: Number of modalities.
        rho: Strength of the agreement, >= 0.
    """
    factor: Numbers = (1 + rho * modalities) / (1 + rho * present)
    return factor


class AdditiveNet(FusionModule):
    """Intercept plus the linear scores of the present modalities, which fill in for absent ones (`fill_factor`).

    A sample that has no modality is predicted by the prior.

    Args:
        spec: Shapes, outputs and task; the user's encoders must be frozen.
        rho: Strength of the agreement that the scores were fitted with, >= 0.
    """

    prior: Tensor

    def __init__(self, spec: DataSpec, rho: float) -> None:
        super().__init__()
        (reader,) = whole_readers(spec)
        self.rho = rho
        self.keys = [f"{name}/{extractor.source}" for name, extractor in reader.reads]
        self.representations = Representations(spec, (reader,))
        widths = [extractor.width(name, spec) for name, extractor in reader.reads]
        self.weights = nn.ParameterList(torch.zeros(width, spec.outputs) for width in widths)
        self.offsets = nn.Parameter(torch.zeros(len(widths), spec.outputs))
        self.intercept = nn.Parameter(torch.zeros(spec.outputs))
        self.register_buffer("prior", torch.zeros(spec.outputs))

    def scores(self, features: Features, present: Present) -> Output:
        """The score of each modality (leading axis), zero where absent; 0 is also its mean over the samples fitted."""
        read = self.representations(features, present)
        parts = [read[key].flatten(1) @ weight for key, weight in zip(self.keys, self.weights, strict=True)]
        here = present.T[..., None]
        return (torch.stack(parts) + self.offsets[:, None]).where(here, 0)

    def forward(self, features: Features, present: Present) -> Output:
        count = present.sum(1, keepdim=True)
        total = self.scores(features, present).sum(0)
        output = self.intercept + fill_factor(count.to(total), present.shape[1], self.rho) * total
        return output.where(count > 0, self.prior.to(output))
