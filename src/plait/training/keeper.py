"""Best weights, kept for every unit on its own: the students of one cohort come from different epochs."""

from abc import ABC, abstractmethod
from collections.abc import Mapping

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor


class Keeper(ABC):
    """The tensors that training ends with.

    Args:
        state: The live tensors by name (parameters, buffers, an optimiser's moments); read again at every update.
        owners: The unit of each row of a tensor, or of all of it. Tensors that are not listed are not kept.
        units: Number of units.
    """

    losses: Float[Tensor, " unit"]
    epochs: Int[Tensor, " unit"]
    best: Mapping[str, Tensor]

    def __init__(self, state: Mapping[str, Tensor], owners: Mapping[str, Tensor | int], units: int) -> None:
        device = next(iter(state.values())).device
        self.owners = {name: torch.as_tensor(owner, device=device) for name, owner in owners.items()}
        self.live = {name: state[name].detach() for name in self.owners}
        self.losses = torch.full((units,), torch.inf, device=device)
        self.epochs = torch.full((units,), -1, device=device)

    @property
    @abstractmethod
    def trouble(self) -> str:
        """What shows that training diverged; empty if nothing does."""

    @abstractmethod
    def update(self, losses: Float[Tensor, " unit"], epoch: int) -> None:
        """Take note of the validation losses after an epoch, and keep what is to be kept."""

    @abstractmethod
    def restore(self) -> None:
        """Write what was kept back into the live tensors."""


class BestState(Keeper):
    """The tensors with which each unit had its lowest validation loss."""

    def __init__(self, state: Mapping[str, Tensor], owners: Mapping[str, Tensor | int], units: int) -> None:
        super().__init__(state, owners, units)
        self.best = {name: tensor.clone() for name, tensor in self.live.items()}

    @property
    def trouble(self) -> str:
        return "" if bool(self.losses.isfinite().any()) else "no validation loss was finite"

    def update(self, losses: Float[Tensor, " unit"], epoch: int) -> None:
        """Keep the live tensors of the units whose loss is strictly below their best so far."""
        better = losses < self.losses
        self.losses = losses.where(better, self.losses.to(losses))
        self.epochs[better] = epoch
        if bool(better.any()):
            for name, owner in self.owners.items():
                _copy_rows(self.best[name], self.live[name], better[owner])

    def restore(self) -> None:
        """Write the best tensors back into the live ones."""
        with torch.no_grad():
            for name, best in self.best.items():
                self.live[name].copy_(best)


class LastState(Keeper):
    """The tensors as the last epoch leaves them: nothing is held out to judge by, and no loss is known (NaN)."""

    def __init__(self, state: Mapping[str, Tensor], owners: Mapping[str, Tensor | int], units: int) -> None:
        super().__init__(state, owners, units)
        self.best = self.live
        self.losses.fill_(torch.nan)

    @property
    def trouble(self) -> str:
        lost = any(bool(tensor.isnan().any()) for tensor in self.live.values())
        return "the weights are no numbers any more" if lost else ""

    def update(self, losses: Float[Tensor, " unit"], epoch: int) -> None:
        """Note the epoch."""
        self.epochs.fill_(epoch)

    def restore(self) -> None:
        """Leave everything as it is."""


def _copy_rows(best: Tensor, live: Tensor, chosen: Bool[Tensor, "*row"]) -> None:
    """Copy the chosen rows; everything, where one unit owns it all or all units are chosen."""
    if bool(chosen.all()):
        best.copy_(live)
    elif chosen.ndim:
        rows = chosen.nonzero().flatten()
        best.index_copy_(0, rows, live.index_select(0, rows))
