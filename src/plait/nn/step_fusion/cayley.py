"""Rotations of the feature space: orthogonal by construction, solved once."""

from abc import ABC, abstractmethod

import torch
from jaxtyping import Float
from torch import Tensor, nn

from plait.nn.step_fusion.starting import Start

Square = Float[Tensor, "width width"]


class Rotation(nn.Module, ABC):
    """A static linear map of the features."""

    @abstractmethod
    def forward(self) -> Square | None:
        """The matrix R of x -> R x; None is the identity."""


class NoRotation(Rotation):
    """No rotation."""

    def forward(self) -> Square | None:
        return None


class DenseRotation(Rotation):
    """Any matrix, the identity at start.

    Args:
        width: Number of features.
        start: Source of the initial weights.
    """

    def __init__(self, width: int, start: Start) -> None:
        super().__init__()
        self.change = start.parameter(width, width)

    def forward(self) -> Square | None:
        return torch.eye(len(self.change), dtype=self.change.dtype, device=self.change.device) + self.change


class CayleyRotation(Rotation):
    """R = (I + A)^-1 (I - A) with A = U - U^T: orthogonal with determinant 1 for every U, the identity for U = 0.

    In evaluation without gradients the matrix is kept until the weights change, in whatever way, or the mode.

    Args:
        width: Number of features.
        start: Source of the initial weights.
    """

    def __init__(self, width: int, start: Start) -> None:
        super().__init__()
        self.free = start.parameter(width, width)
        self._kept: tuple[Tensor, Tensor] | None = None

    def forward(self) -> Square | None:
        if self.training or torch.is_grad_enabled() or torch.compiler.is_compiling():
            return cayley(self.free)
        if self._kept is None or not _same(self._kept[0], self.free):
            self._kept = self.free.detach().clone(), cayley(self.free)
        return self._kept[1]

    def train(self, mode: bool = True) -> "CayleyRotation":
        """Training or evaluation; forgets the matrix."""
        self._kept = None
        return super().train(mode)


def _same(one: Tensor, other: Tensor) -> bool:
    """Whether two tensors are alike in every way: a count of changes misses those made through `.data`."""
    return one.device == other.device and one.dtype == other.dtype and torch.equal(one, other)


def cayley(free: Square) -> Square:
    """The rotation (I + A)^-1 (I - A), A = U - U^T; solved in single precision at least.

    I + A is always invertible, for the eigenvalues of a skew matrix are imaginary.

    Args:
        free: U, any square matrix.
    """
    with torch.autocast(free.device.type, enabled=False):
        precise = free.to(torch.promote_types(free.dtype, torch.float32))
        skew = precise - precise.T
        one = torch.eye(len(free), dtype=skew.dtype, device=skew.device)
        solved: Tensor = torch.linalg.solve_ex(one + skew, one - skew)[0]
        return solved.to(free.dtype)


def angles(rotation: Square) -> Float[Tensor, " plane"]:
    """The angles of a rotation in radians, in [0, pi], one for each pair of eigenvalues, in falling order."""
    precise = rotation.detach().to(torch.promote_types(rotation.dtype, torch.float32))
    found: Tensor = torch.linalg.eigvals(precise).angle().abs()
    return found.sort(descending=True).values[: 2 * (len(rotation) // 2) : 2].to(rotation.dtype)


_ROTATIONS = {"cayley": CayleyRotation, "dense": DenseRotation}


def rotation(kind: str, width: int, start: Start) -> Rotation:
    """The rotation of a step: "cayley", "dense" or "none"."""
    return _ROTATIONS[kind](width, start) if kind in _ROTATIONS else NoRotation()
