"""What every fusion network is to the training loop and to the estimators."""

from abc import ABC, abstractmethod
from collections.abc import Mapping

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from plait.data.batches import Batch
from plait.data.shapes import Features, Output, Present
from plait.nn.criteria import Criterion


class FusionModule(nn.Module, ABC):
    """A network over several modalities.

    Values of an absent modality must not influence the output, and samples must not influence each other
    at prediction (`eval()` mode).
    """

    units = 1

    @abstractmethod
    def forward(self, features: Features, present: Present) -> Output:
        """Predict: real values, or unnormalised log-probabilities of the classes."""

    def objective(self, batch: Batch, criterion: Criterion) -> Float[Tensor, " unit"]:
        """The loss to minimise: by default the task's.

        A module of several independent networks returns one value a network (a *unit*): the trainer
        minimises their sum and keeps the best weights of each.
        """
        return criterion.loss(self(batch.features, batch.present), batch.target).reshape(1)

    def judged(self, batch: Batch) -> Bool[Tensor, "unit batch"] | None:
        """Which of the validation samples each unit is judged on; None is all of them."""
        return None

    def taught(self, batch: Batch) -> Bool[Tensor, "unit batch"] | None:
        """Which of the training samples each unit learns from; None is all of them."""
        return None

    def owners(self) -> Mapping[str, Int[Tensor, " row"] | int]:
        """The unit that owns each row of a parameter or buffer (or all of it, for a plain number).

        Names that are not listed belong to no unit and are left alone by the keeper of best weights. The
        default gives everything to the only unit.
        """
        return dict.fromkeys(self.state_dict(), 0)


@torch.no_grad()
def evaluate(module: nn.Module, features: Features, present: Present, rows: int = 512) -> Output:
    """A module's outputs in evaluation mode, computed for so many samples at a time."""
    module.eval()
    parts = torch.arange(len(present), device=present.device).split(rows)  # type: ignore[no-untyped-call]
    chunks = [({name: values[part] for name, values in features.items()}, present[part]) for part in parts]
    return torch.cat([module(*chunk) for chunk in chunks], dim=-2)
