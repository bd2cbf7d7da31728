"""Honest predictions of validation samples that also stop the training: half of them chooses the epoch of the other.

A loss at the epoch where it is lowest is too low, the more the fewer samples and the noisier the epochs. What a network
says of a sample is therefore taken from the epoch at which it did best on the other half of its validation samples.
"""

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from plait.data.batches import TrainingData
from plait.nn.criteria import usable_mean


def halves(data: TrainingData, seed: int) -> Bool[Tensor, " row"]:
    """A random half of the validation samples of every fold (True), groups undivided.

    Args:
        data: The samples.
        seed: Of the draw.
    """
    fold = data.samples.fold[data.validation].numpy()
    groups = np.arange(len(fold)) if data.groups is None else data.groups[data.validation].numpy()
    _, firsts, group = np.unique(groups, return_index=True, return_inverse=True)
    drawn = np.random.default_rng(seed).permutation(len(firsts))
    order = drawn[np.argsort(fold[firsts][drawn], kind="stable")]  # fold by fold, in random order
    half = np.zeros(len(firsts), dtype=bool)
    half[order[::2]] = True
    return torch.from_numpy(half[group])


class CrossFit:
    """What each unit says of validation samples, at the epoch that the other half of these chooses.

    Args:
        half: To which half each validation sample belongs.
        units: Number of units.
        outputs: Outputs of each.
        dtype: Type of the outputs.
    """

    def __init__(
        self, half: Bool[Tensor, " row"], units: int, outputs: int, dtype: torch.dtype = torch.float32
    ) -> None:
        self.half = half
        self.rows = [(half == own).nonzero().flatten() for own in (False, True)]
        self.lowest = torch.full((2, units), torch.inf, dtype=dtype, device=half.device)
        self.outputs = torch.full((units, len(half), outputs), torch.nan, dtype=dtype, device=half.device)

    def update(
        self,
        outputs: Float[Tensor, "unit row out"],
        scores: Float[Tensor, "unit row"],
        judged: Bool[Tensor, "unit row"] | None,
    ) -> None:
        """Take note of an epoch.

        Args:
            outputs: What each unit says.
            scores: The losses of it.
            judged: Which of them count; None is all. Where none of a half does, the other half chooses for itself.
        """
        counted = torch.ones_like(scores, dtype=torch.bool) if judged is None else judged
        for own, rows in enumerate(self.rows):
            others = counted & (self.half != bool(own))
            losses = usable_mean(scores, torch.where(others.any(-1, keepdim=True), others, counted))
            self._keep(own, losses, torch.arange(len(scores), device=rows.device), outputs, rows)

    def take(self, part: "CrossFit", units: Int[Tensor, " unit"]) -> None:
        """Take what a part of the units said in a later run, where that was better.

        Args:
            part: Of these units, in this order.
            units: Which they are.
        """
        for own, rows in enumerate(self.rows):
            self._keep(own, part.lowest[own].to(self.lowest), units, part.outputs.to(self.outputs), rows)

    def _keep(
        self,
        own: int,
        losses: Float[Tensor, " unit"],
        units: Int[Tensor, " unit"],
        outputs: Float[Tensor, "unit row out"],
        rows: Int[Tensor, " half"],
    ) -> None:
        better = losses < self.lowest[own, units]
        self.lowest[own, units[better]] = losses[better].to(self.lowest)
        places = better.nonzero().flatten()
        self.outputs[units[better][:, None], rows] = outputs[places[:, None], rows].to(self.outputs)
