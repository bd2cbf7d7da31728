"""Agreement of predictors that are summed: how far apart those of single modalities are."""

import math
from collections.abc import Callable

from jaxtyping import Float
from torch import Tensor

from plait.data.shapes import Present
from plait.data.spec import DataSpec

Parts = Float[Tensor, "unit batch modality out"]


def pooled(parts: Parts, present: Present) -> Float[Tensor, "unit batch out"]:
    """The sum of the modalities' predictors; the mean of those present times the number of modalities, where some lack.

    Args:
        parts: A predictor of every modality, zero where it is absent.
        present: Who is present.
    """
    factor = present.shape[1] / present.sum(1).clamp(min=1)
    return parts.sum(2) * factor[:, None].to(parts.dtype)


def disagreement(parts: Parts, present: Present, spec: DataSpec) -> Float[Tensor, "unit batch"]:
    """Squared difference of the predictors of two modalities, summed over all pairs that are present.

    For a regression it is averaged over the outputs, as the squared error is. For classes it is that of the *centred*
    logits, summed over the classes: with two classes this is half the squared difference of the log-odds.

    Args:
        parts: A predictor of every modality.
        present: Who is present.
        spec: The task.
    """
    here = present[None, :, :, None].to(parts.dtype)
    scaled, count = _ON_SCALE[spec.task](parts) * here, here.sum(2)
    # sum over pairs of |a - b|^2 = n sum |a|^2 - |sum a|^2 = n sum |a - mean|^2
    spread = (scaled - (scaled.sum(2) / count.clamp(min=1))[:, :, None]) * here
    return spread.square().sum((2, 3)) * count[..., 0]


def _values(parts: Parts) -> Parts:
    return parts / math.sqrt(parts.shape[-1])


def _centred_logits(parts: Parts) -> Parts:
    return parts - parts.mean(-1, keepdim=True)


_ON_SCALE: dict[str, Callable[[Tensor], Tensor]] = {"regression": _values, "classification": _centred_logits}
