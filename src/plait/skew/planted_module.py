"""A layered module whose signals emerge at known blocks, to test how taps are read, kept and cut off."""

from math import sqrt

import torch
from jaxtyping import Float
from torch import Tensor, nn


class PlantedBlock(nn.Module):
    """One block: it writes noise before a signal emerges, multiplies its shares where it does, and fades it above.

    What goes in and out is a rotation of (signals, shares times sign, signs, nuisance), each block with its own.

    Args:
        block: Number of the block, from 1.
        emerging: Block at which each signal emerges.
        correlations: Correlation of each signal at neighbouring blocks.
        sigma: Standard deviation of a signal.
        rotations: Rotation of what comes in, and of what goes out.
    """

    def __init__(
        self,
        block: int,
        emerging: tuple[int, ...],
        correlations: tuple[float, ...],
        sigma: float,
        rotations: tuple[Float[Tensor, "width width"], Float[Tensor, "width width"]],
    ) -> None:
        super().__init__()
        self.signals = len(emerging)
        kept = [rho if block > own else 0.0 for own, rho in zip(emerging, correlations, strict=True)]
        here = [float(block == own) for own in emerging]
        noise = [sigma * sqrt(1 - rho**2) * (1 - now) for rho, now in zip(kept, here, strict=True)]
        for name, values in {"kept": kept, "here": here, "noise": noise}.items():
            self.register_buffer(name, torch.tensor(values, dtype=rotations[0].dtype))
        self.register_buffer("enter", rotations[0])
        self.register_buffer("leave", rotations[1])

    kept: Tensor
    here: Tensor
    noise: Tensor
    enter: Tensor
    leave: Tensor

    def forward(
        self, x: Float[Tensor, "batch width"], bank: Float[Tensor, "batch signal"]
    ) -> Float[Tensor, "batch width"]:
        """The tap of this block, from the one below and this block's noise."""
        k = self.signals
        r, product, sign, nuisance = torch.tensor_split(x @ self.enter, (k, 2 * k, 3 * k), dim=1)
        r = self.kept * r + self.noise * bank + self.here * product * sign
        left = 1 - self.here
        return torch.hstack([r, left * product, left * sign, nuisance]) @ self.leave.T


class PlantedBlocks(nn.Module):
    """Layers over inputs of `planted_inputs`: noise, then a clear signal, then one that fades from tap to tap.

    Tap k is the output of `layers[k - 1]`, the result that of the last. Nothing is trained and nothing is random but
    the rotations, so that the same input always gives the same taps; `layers` may be cut short, lower taps stay.

    Args:
        depth: Number of blocks, at least 1.
        width: Width of every tap, at least 1 and three times the number of signals.
        emerging: Block of each signal, 1 to `depth`; () is a module of mere noise.
        correlations: Correlation of each signal at neighbouring blocks above its own, above 0 and below 1.
        amplitude: A signal is amplitude * code + N(0, 1) where it emerges; above 0.
        random_state: Seed of the rotations.

    Raises:
        ValueError: If an argument is out of its range.
    """

    def __init__(
        self,
        depth: int,
        width: int,
        emerging: tuple[int, ...],
        correlations: tuple[float, ...],
        amplitude: float = 2.0,
        random_state: int = 0,
    ) -> None:
        super().__init__()
        _check(depth, width, emerging, correlations, amplitude)
        self.signals, self.width = len(emerging), width
        generator = torch.Generator().manual_seed(random_state)
        turns = [torch.eye(width)]
        turns += [nn.init.orthogonal_(torch.empty(width, width), generator=generator) for _ in range(depth)]
        sigma = sqrt(amplitude**2 + 1)
        self.layers = nn.ModuleList(
            PlantedBlock(k, emerging, correlations, sigma, (turns[k - 1], turns[k])) for k in range(1, depth + 1)
        )
        self.input_width = width + (depth - 1) * self.signals

    def forward(self, x: Float[Tensor, "batch input"]) -> Float[Tensor, "batch width"]:
        """The last tap of these inputs.

        Raises:
            ValueError: If the inputs are not as wide as this module reads.
        """
        if x.shape[1] != self.input_width:
            raise ValueError(f"Expected inputs of width {self.input_width}, got {x.shape[1]}.")
        state, noise = x[:, : self.width - self.signals], x[:, self.width - self.signals :]
        state = torch.hstack([x.new_zeros(len(x), self.signals), state])
        for k, layer in enumerate(self.layers):
            state = layer(state, noise[:, k * self.signals : (k + 1) * self.signals])
        return state


def _check(
    depth: int, width: int, emerging: tuple[int, ...], correlations: tuple[float, ...], amplitude: float
) -> None:
    least = max(1, 3 * len(emerging))
    checks = {
        f"`depth` must be at least 1, got {depth}.": depth >= 1,
        f"`width` must be at least {least} for {len(emerging)} signals, got {width}.": width >= least,
        f"`emerging` must be blocks from 1 to {depth}, got {emerging}.": all(1 <= own <= depth for own in emerging),
        f"`correlations` must be {len(emerging)} numbers, got {correlations}.": len(correlations) == len(emerging),
        f"`correlations` must lie between 0 and 1, got {correlations}.": all(0 < rho < 1 for rho in correlations),
        f"`amplitude` must be above 0, got {amplitude}.": amplitude > 0,
    }
    for message, holds in checks.items():
        if not holds:
            raise ValueError(message)
