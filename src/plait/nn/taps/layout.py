"""What a block gives, whatever its axes, as tokens of one width or as one vector a sample."""

import torch
from jaxtyping import Float
from torch import Tensor

from plait.data.settings import check_whole

_MAP = 4  # axes of an image's map: batch, channel, height, width


def check_width_axis(axis: int | None) -> None:
    """Raise ValueError if an axis cannot be that of a token."""
    if axis is not None:
        check_whole("width_axis", axis, 1)


def as_tokens(
    name: str, block: str, output: Tensor | None, width_axis: int | None
) -> Float[Tensor, "batch token width"] | Float[Tensor, "batch width"]:
    """The tokens of a block's output, or its vectors where there is no other axis.

    Args:
        name: The encoder.
        block: What errors call the block.
        output: What it gave, the samples along the first axis; None if it held no tensor.
        width_axis: The axis of a token; None is the last, or 1 if there are four or more axes. The remaining axes
            count the tokens, the last one fastest.

    Raises:
        ValueError: If there is no tensor of real numbers, or it has no such axis.
    """
    if output is None or not output.is_floating_point() or output.is_nested:
        what = "no tensor" if output is None else f"a tensor of {output.dtype}, nested: {output.is_nested}"
        raise ValueError(f"Block '{block}' of encoder '{name}' gave {what}. A tap is a dense tensor of real numbers.")
    axis = (1 if output.ndim >= _MAP else output.ndim - 1) if width_axis is None else width_axis
    if not 0 < axis < output.ndim:
        raise ValueError(
            f"Block '{block}' of encoder '{name}' gave the shape {tuple(output.shape)}, which has no axis {axis or 1} "
            "for the width of a token. A tap has the axes (batch, width), (batch, token, width) or more."
        )
    last = torch.movedim(output, axis, -1)
    return last.contiguous() if last.ndim == 2 else last.flatten(1, -2).contiguous()
