"""Best weights, kept for every unit on its own: the students of one cohort come from different epochs."""

from collections.abc import Mapping

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor


class BestState:
    """The tensors with which each unit had its lowest validation loss.

    Args:
        state: The live tensors by name (parameters, buffers, an optimiser's moments); read again at every update.
        owners: The unit of each row of a tensor, or of all of it. Tensors that are not listed are not kept.
        units: Number of units.
    """

    losses: Float[Tensor, " unit"]
    epochs: Int[Tensor, " unit"]

    def __init__(self, state: Mapping[str, Tensor], owners: Mapping[str, Tensor | int], units: int) -> None:
        device = next(iter(state.values())).device
        self.owners = {name: torch.as_tensor(owner, device=device) for name, owner in owners.items()}
        self.live = {name: state[name].detach() for name in self.owners}
        self.best = {name: tensor.clone() for name, tensor in self.live.items()}
        self.losses = torch.full((units,), torch.inf, device=device)
        self.epochs = torch.full((units,), -1, device=device)

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


def _copy_rows(best: Tensor, live: Tensor, chosen: Bool[Tensor, "*row"]) -> None:
    """Copy the chosen rows; everything, where one unit owns it all or all units are chosen."""
    if bool(chosen.all()):
        best.copy_(live)
    elif chosen.ndim:
        rows = chosen.nonzero().flatten()
        best.index_copy_(0, rows, live.index_select(0, rows))
