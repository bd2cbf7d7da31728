"""Zoom, rotation and displacement of tokens, forwards and back: pure functions."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

Tokens = Float[Tensor, "batch token width"]
Matrix = Float[Tensor, "width width"] | None


@dataclass(frozen=True)
class Coefficients:
    """How a target is moved, alike for all its tokens: x -> kept * R (zoom * x) + shift.

    Args:
        zoom: Factor s of every feature.
        kept: What is kept of the zoomed and rotated features, 1 - beta; None is 1.
        shift: What is added to them.
        displacement: The learned offset delta, which is in the shift.
    """

    zoom: Float[Tensor, "batch width"]
    kept: Float[Tensor, "rows features"] | None
    shift: Float[Tensor, "batch width"]
    displacement: Float[Tensor, "batch width"]


def moved(tokens: Tokens, by: Coefficients, matrix: Matrix, local: Tokens | None = None) -> Tokens:
    """The tokens zoomed, rotated and shifted.

    Args:
        tokens: The target's tokens.
        by: Zoom and shift of each sample.
        matrix: The rotation R; None is the identity.
        local: A displacement of every token; None is none.
    """
    shift = by.shift[:, None] if local is None else local + by.shift[:, None]
    if matrix is None:
        return tokens * (by.zoom if by.kept is None else by.zoom * by.kept)[:, None] + shift
    if tokens.shape[1] > len(matrix):  # one matrix for each sample costs less than another pass over the tokens
        maps = by.zoom[..., None] * (matrix.T if by.kept is None else matrix.T * by.kept[:, None])
        return torch.baddbmm(shift, tokens, maps)
    zoomed = tokens * by.zoom[:, None]
    if by.kept is None or len(by.kept) == 1:  # alike for all samples
        return zoomed @ (matrix.T if by.kept is None else matrix.T * by.kept) + shift
    return zoomed @ matrix.T * by.kept[:, None] + shift


def moved_back(tokens: Tokens, by: Coefficients, matrix: Matrix) -> Tokens:
    """The tokens that `moved` would bring to these, for an orthogonal R: x = (R^T (y - shift) / kept) / zoom."""
    found = tokens - by.shift[:, None]
    found = found if by.kept is None else found / by.kept[:, None]
    return (found if matrix is None else found @ matrix) / by.zoom[:, None]


def log_volume(by: Coefficients) -> Float[Tensor, " batch"]:
    """Logarithm of the factor by which `moved` changes volumes, for one token and an orthogonal R."""
    grown = by.zoom.log().sum(1)
    return grown if by.kept is None else grown + by.kept.expand_as(by.zoom).log().sum(1)
