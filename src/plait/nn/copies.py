"""Copies of one network, trained side by side: one for every fold of the validation."""

from abc import abstractmethod
from collections.abc import Mapping

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from plait.data.batches import Batch
from plait.data.shapes import Features, Output, Present
from plait.data.spec import DataSpec
from plait.nn.criteria import Criterion, usable_mean
from plait.nn.layers import Looped, Rows
from plait.nn.module import FusionModule
from plait.nn.step_fusion.trace import Trace


class Copies(FusionModule):
    """Independent copies of a network in stacked parameters; a unit is one copy.

    There is one unit a setting and fold, in this order. The units of a fold never learn from its samples and are
    judged on them alone. Every parameter and buffer (but those of users' modules, in `Looped` layers) has one row a
    unit along its leading axis.

    Args:
        spec: Shapes, outputs, task and number of folds.
        settings: Values of a hyperparameter that are trained side by side (a path of rho), at least 1.
    """

    def __init__(self, spec: DataSpec, settings: int = 1) -> None:
        super().__init__()
        self.spec, self.settings = spec, settings

    @property
    def units(self) -> int:  # type: ignore[override]
        """Number of independent networks."""
        return self.settings * self.spec.folds

    @abstractmethod
    def forward(self, features: Features, present: Present) -> Output:
        """Outputs of all units, (unit, batch, out), for cached representations (named "modality/source")."""

    def objective(self, batch: Batch, criterion: Criterion) -> Float[Tensor, " unit"]:
        """Task loss of every unit on the samples it learns from, and what else the network asks for."""
        linked = criterion.link(self(batch.features, batch.present))
        return usable_mean(criterion.score(linked, batch.target), self.taught(batch))

    def readable(self, present: Present) -> Bool[Tensor, " batch"]:
        """The samples about which the network can say something: those that have some modality."""
        return present.any(1)

    def judged(self, batch: Batch) -> Bool[Tensor, "unit batch"] | None:
        """Each unit is judged on the readable samples of its own fold."""
        return self._chosen(batch, of_own_fold=True)

    def taught(self, batch: Batch) -> Bool[Tensor, "unit batch"] | None:
        """Each unit learns from the readable samples of all folds but its own."""
        return self._chosen(batch, of_own_fold=False)

    def _chosen(self, batch: Batch, *, of_own_fold: bool) -> Bool[Tensor, "unit batch"] | None:
        readable = self.readable(batch.present)
        if self.spec.folds == 1:
            return None if bool(readable.all()) else readable.expand(self.units, -1)
        own = torch.arange(self.spec.folds, device=batch.fold.device).repeat(self.settings)[:, None]
        return ((own == batch.fold) == of_own_fold) & readable

    def trace(self, features: Features, present: Present) -> Trace | None:
        """The way of the modalities through steps of alignment; None where there are none."""
        return None

    def owners(self) -> Mapping[str, Rows | int]:
        """The unit of every row of every parameter and buffer."""
        rows = torch.arange(self.units)
        found: dict[str, Rows | int] = dict.fromkeys(self.state_dict(), rows)
        for name, layer in self.named_modules():
            if isinstance(layer, Looped):
                found |= {f"{name}.{inner}": row for inner, row in layer.owners(rows).items()}
        return found
