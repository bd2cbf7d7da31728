"""Encoders that show what each of their blocks gives, and what all of them have in common."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from plait.data.settings import check_whole
from plait.nn.taps.failures import NotFiniteError, described
from plait.nn.taps.inputs import count


@dataclass(frozen=True)
class Tapped:
    """What one block of an encoder gives for a batch: tokens of one width, or a single vector a sample.

    Args:
        values: The tokens, or the vectors.
        here: Which tokens are there; the others are padding, whose values mean nothing. None if all of them are.

    Raises:
        ValueError: If `here` does not say of every token whether it is there.
    """

    values: Float[Tensor, "batch token width"] | Float[Tensor, "batch width"]
    here: Bool[Tensor, "rows tokens"] | None = None

    def __post_init__(self) -> None:
        if self.here is not None and self.here.shape != self.values.shape[:-1]:
            raise ValueError(
                f"`here` has the shape {tuple(self.here.shape)}, the tokens {tuple(self.values.shape[:-1])} (without "
                "their width). Say of every token whether it is there; a vector has no tokens, so pass None."
            )


class LayeredEncoder(ABC):
    """A frozen encoder of one modality with taps: tap l, from 1 to L, is the output of its block l.

    Tap 0, the embedding before the first block, is never used. Blocks are always read in evaluation mode and without
    gradients, and what is wrapped stays as it was: weights, training flags and hooks, after an error too.

    Args:
        name: What errors and progress bars call the encoder.
        taps: Number of taps L, at least 1.

    Attributes:
        name: What errors and progress bars call the encoder.
        taps: Number of taps L.
    """

    def __init__(self, name: str, taps: int) -> None:
        check_whole("taps", taps, 1)
        self.name, self.taps = name, taps

    def read(self, values: Any) -> list[Tapped]:
        """Taps 1 to L of a batch.

        Args:
            values: What the encoder reads of at least one sample, on the device of its weights: a tensor, a tuple or
                a dictionary of tensors, each with the samples along its first axis, or a list of texts.

        Raises:
            NotFiniteError: If a tap holds NaN or infinity outside of padding (a ValueError too).
            ValueError: If there is no sample; if a tap is not one row a sample, or has other axes than the first tap;
                or if the encoder cannot read the values.
        """
        rows = count(values)
        if rows == 0:
            raise ValueError(f"The batch for encoder '{self.name}' has no samples. Give it at least one.")
        try:
            found = self._tapped(values)
        except torch.cuda.OutOfMemoryError:
            raise
        except (RuntimeError, IndexError) as error:
            raise ValueError(
                f"Encoder '{self.name}' cannot read {described(values)}: {error}. Give it the shape and the number "
                "format that it was made for, or bring its weights to that of the values (module.float())."
            ) from error
        for tap, tapped in enumerate(found, start=1):
            self._check_shape(tap, tapped, found[0], rows)
            self._check_finite(tap, tapped, values)
        return found

    @abstractmethod
    def truncated(self, tap: int) -> "LayeredEncoder":
        """The encoder up to one tap, with the same weights: blocks above it do not run.

        Args:
            tap: The highest tap that is left, from 1 to L.

        Raises:
            ValueError: If there is no such tap, or if the encoder cannot be cut there.
        """

    @abstractmethod
    def fingerprint(self) -> str:
        """SHA-256 of weights, settings and preprocessing, in hexadecimal digits; equal only if the taps are."""

    @abstractmethod
    def _tapped(self, values: Any) -> list[Tapped]:
        """All taps of a batch that has samples."""

    def check_tap(self, tap: Any) -> None:
        """Raise ValueError if the encoder has no such tap."""
        check_whole("tap", tap, 1)
        if tap > self.taps:
            raise ValueError(f"Encoder '{self.name}' has no tap {tap}. Ask for one from 1 to {self.taps}.")

    def _check_shape(self, tap: int, tapped: Tapped, first: Tapped, rows: int) -> None:
        shape = tuple(tapped.values.shape)
        if shape[0] != rows:
            raise ValueError(
                f"Tap {tap} of encoder '{self.name}' has the shape {shape} for {rows} samples. Blocks must have the "
                "samples along their first axis (batch_first=True in many modules)."
            )
        if len(shape) != first.values.ndim:
            raise ValueError(
                f"The taps of encoder '{self.name}' are of varying rank: tap 1 has the shape "
                f"{tuple(first.values.shape)}, tap {tap} {shape}. Choose blocks that all give tokens, or all vectors."
            )

    def _check_finite(self, tap: int, tapped: Tapped, values: Any) -> None:
        wrong = (~tapped.values.isfinite()).any(-1)
        wrong = wrong if tapped.here is None else wrong & tapped.here
        if wrong.any():
            row = int(wrong.reshape(len(wrong), -1).any(1).nonzero()[0])
            read = values[row] if isinstance(values, Tensor | list) else None
            raise NotFiniteError(self.name, tap, row, read)
