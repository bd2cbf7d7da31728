"""Ridge regression with its whole path of penalties at once, on features or on all their products.

One eigendecomposition of the samples gives the fit for every penalty, and what each fit would say of every sample were
it left out (Allen, "The Relationship between Variable Selection and Data Augmentation", 1974: PRESS), alone or with all
others of its block.
"""

from collections.abc import Sequence
from dataclasses import replace

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from plait.nn.closed_path import ClosedPath, Fit, Lessons

PENALTIES = tuple(10.0 ** (place / 2) for place in range(-12, 7))
"""Penalties that are tried, per sample, for features of unit variance."""
_STRIDE = 4
_FREE = 1e-14  # the least share of a sample's own error that is left when it is fitted


class RidgePath(ClosedPath):
    """Samples, decomposed once; many targets can be fitted.

    Features are standardised (those without variance count as 0). With products the squares x_i^2 / sqrt(2) and the
    products x_i x_j enter beside the features x_i, all with the same penalty: the kernel x.z + (x.z)^2 / 2. Where there
    are more of them than samples the kernel is decomposed instead of the features; the result is the same.

    Args:
        values: Features of the training samples.
        products: Whether products of two features enter.
    """

    def __init__(self, values: Float[Tensor, "sample width"], *, products: bool) -> None:
        values = values.double()
        self.products, (count, width) = products, values.shape
        self.mean, spread = values.mean(0), values.std(0, correction=0)
        self.scale = torch.where(spread > 1e-12 * values.abs().amax(0).clamp(min=1e-300), spread, torch.inf)
        self.rows = (values - self.mean) / self.scale
        features = None
        if (width * (width + 3) // 2 if products else width) <= count:
            features = _with_products(self.rows) if products else self.rows
        self.squares, self.vectors = self._decomposed(features)

    def _decomposed(
        self, features: Float[Tensor, "sample feature"] | None
    ) -> tuple[Float[Tensor, " direction"], Float[Tensor, "sample direction"]]:
        """Squared singular values of the centred features (None: by their kernel), and left singular vectors."""
        if features is None:
            gram = self.rows @ self.rows.T
            gram = gram + gram.square() / 2 if self.products else gram
            gram = gram - gram.mean(0)
            squares, vectors = torch.linalg.eigh(gram - gram.mean(1, keepdim=True))
        else:
            centred = features - features.mean(0)
            squares, right = torch.linalg.eigh(centred.T @ centred)
            vectors = centred @ right / squares.clamp(min=1e-300).sqrt()
        kept = squares > squares.max().clamp(min=1e-300) * _RANK if len(squares) else squares > 0
        return squares[kept], vectors[:, kept]

    def fit(
        self,
        target: Float[Tensor, "sample out"],
        blocks: Int[Tensor, " sample"] | None = None,
        penalty: float | None = None,
    ) -> Fit:
        """The fit whose errors of what is left out are smallest, in the mean over samples and outputs.

        Args:
            target: What is fitted.
            blocks: Who is left out together; -1 is alone. None: all alone.
            penalty: The penalty per sample; None tries `PENALTIES`, every fourth and then those beside the best.
        """
        target = target.double()
        blocks = torch.full((len(target),), -1) if blocks is None else blocks
        errors: dict[float, Tensor] = {}

        def lost(tried: float) -> float:
            if tried not in errors:
                errors[tried] = self.errors(target, tried, blocks)
            return float(errors[tried].square().mean())

        if penalty is None:
            coarse = PENALTIES.index(min(PENALTIES[::_STRIDE], key=lost))
            penalty = min(PENALTIES[max(coarse - _STRIDE + 1, 0) : coarse + _STRIDE], key=lost)
        lost(penalty)
        parts = self.vectors.T @ (target - target.mean(0))
        dual = self.vectors @ (parts / (self.squares + len(target) * penalty)[:, None])
        return self.function(dual, target.mean(0), penalty, target - errors[penalty])

    def errors(
        self, target: Float[Tensor, "sample out"], penalty: float, blocks: Int[Tensor, " sample"]
    ) -> Float[Tensor, "sample out"]:
        """The target minus what is said of samples left out, at a penalty per sample; blocks as in `fit`."""
        root, centred = self._root(penalty), target - target.mean(0)
        return _without_blocks(root, centred - root @ (root.T @ centred), blocks)

    def left_out(
        self,
        target: Float[Tensor, "sample out"],
        blocks: Int[Tensor, " sample"],
        penalty: float,
        without: Bool[Tensor, " sample"],
    ) -> Float[Tensor, "kept out"]:
        root, target = self._root(penalty), target.double()
        gone, own = root[without], root[~without]
        less = (1 + _FREE) * torch.eye(root.shape[1], dtype=root.dtype) - gone.T @ gone
        own = torch.linalg.solve_triangular(torch.linalg.cholesky(less), own.T, upper=False).T
        kept = target[~without]
        return kept - _without_blocks(own, kept - own @ (own.T @ kept), blocks[~without])

    def drawn(self, alone: Fit, lessons: Lessons, rhos: Sequence[float]) -> list[Fit]:
        fold, penalty = lessons.fold, alone.penalty
        whole = self.fit(lessons.said[0], lessons.blocks.where(fold < 0, -1), penalty)
        left_out = whole.left_out.clone()
        for place, heard in enumerate(lessons.said[1:]):
            own = fold == place
            left_out[own] = (heard - self.errors(heard, penalty, own.long() - 1))[own]
        lesson = replace(whole, left_out=left_out)
        return [alone.towards(lesson, rho) for rho in rhos]

    def _root(self, penalty: float) -> Float[Tensor, "sample direction"]:
        """A root of the matrix that takes targets to fits: root root'; its last column is for the mean."""
        share = (self.squares / (self.squares + len(self.rows) * penalty)).sqrt()
        mean = torch.full((len(self.rows), 1), len(self.rows) ** -0.5, dtype=torch.float64)
        return torch.cat([self.vectors * share, mean], 1)

    def function(
        self, dual: Float[Tensor, "sample out"], middle: Float[Tensor, " out"], penalty: float, left_out: Tensor
    ) -> Fit:
        """The fit of weights of samples (whose sum is 0), with the mean of its outputs, for features as they came."""
        linear, products = self.rows.T @ dual / self.scale[:, None], None
        bias = middle - self.mean @ linear
        if self.products:
            standard = torch.einsum("si,so,sj->oij", self.rows, dual, self.rows) / 2
            middles = torch.einsum("oij,ij->o", standard, self.rows.T @ self.rows / len(self.rows))
            products = standard / self.scale / self.scale[:, None]
            shift = 2 * torch.einsum("oij,j->io", products, self.mean)
            bias = bias - middles + torch.einsum("i,oij,j->o", self.mean, products, self.mean)
            linear = linear - shift
        return Fit(linear, products, bias, penalty, left_out)


def _without_blocks(
    root: Float[Tensor, "sample direction"], errors: Float[Tensor, "sample out"], blocks: Int[Tensor, " sample"]
) -> Float[Tensor, "sample out"]:
    """Errors of the fits without a sample or block: (I - H)^-1 times the errors of the fit, where H = root root'."""
    found, alone = errors.clone(), blocks < 0
    free = 1 - root[alone].square().sum(1, keepdim=True)
    found[alone] = errors[alone] / free.clamp(min=_FREE)
    for block in set(blocks[~alone].tolist()):
        rows = blocks == block
        found[rows] = _solved(root[rows], errors[rows])
    return found


def _solved(own: Float[Tensor, "row direction"], errors: Float[Tensor, "row out"]) -> Float[Tensor, "row out"]:
    """(I - own own')^-1 errors, by the smaller of two systems; ever so little is added where it has no inverse."""
    few = min(own.shape)
    less = (1 + _FREE) * torch.eye(few, dtype=own.dtype)
    if len(own) == few:
        found: Tensor = torch.linalg.solve(less - own @ own.T, errors)
    else:
        found = errors + own @ torch.linalg.solve(less - own.T @ own, own.T @ errors)
    return found


def _with_products(rows: Float[Tensor, "sample width"]) -> Float[Tensor, "sample feature"]:
    """Features, squares over sqrt(2) and products."""
    one, other = torch.triu_indices(rows.shape[1], rows.shape[1])
    products = rows[:, one] * rows[:, other]
    return torch.cat([rows, torch.where(one == other, products / 2**0.5, products)], 1)


_RANK = 1e-12
