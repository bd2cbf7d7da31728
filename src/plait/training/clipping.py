"""Gradients held within a norm, each unit's by itself."""

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.linalg import vector_norm

from plait.nn.module import FusionModule

_LEAST = 1e-6  # added to a norm, as torch does


class Clipping:
    """Scales the gradient of every unit down to a norm.

    Units are independent networks: what one of them is scaled by depends on its own gradient alone. It is
    `torch.nn.utils.clip_grad_norm_` for each of them, without a loop over units. Parameters that belong to no unit
    are left alone.

    Args:
        module: The module, on its device; its `owners()` say whose the rows of a parameter are.
        limit: The largest Euclidean norm of a unit's gradient, > 0.
    """

    def __init__(self, module: FusionModule, limit: float) -> None:
        self.limit, self.units, owners = limit, module.units, module.owners()
        self.parts = [
            (parameter, torch.as_tensor(owners[name], device=parameter.device))
            for name, parameter in module.named_parameters()
            if parameter.requires_grad and parameter.numel() and name in owners
        ]

    @torch.no_grad()
    def __call__(self) -> None:
        """Scale the gradients that there are."""
        found = [(parameter.grad, owner) for parameter, owner in self.parts if parameter.grad is not None]
        if not found:
            return
        owners = torch.cat([owner.reshape(-1) for _, owner in found])
        norms = torch.cat([_norms(grad, owner) for grad, owner in found])
        squared = norms.new_zeros(self.units).index_add_(0, owners, norms.square())
        shares = (self.limit / (squared.sqrt() + _LEAST)).clamp(max=1)[owners]
        parts = shares.split([owner.numel() for _, owner in found])  # type: ignore[no-untyped-call]
        for (grad, owner), share in zip(found, parts, strict=True):
            grad.mul_(share.view((*owner.shape, *(1,) * (grad.ndim - owner.ndim))))


def _norms(grad: Float[Tensor, "..."], owner: Int[Tensor, "*row"]) -> Float[Tensor, " owner"]:
    """The norm of every row; of everything, where one unit owns it all."""
    norms: Tensor = vector_norm(grad.reshape(owner.numel(), -1), dim=-1)
    return norms
