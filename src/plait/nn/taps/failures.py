"""What can be wrong with the taps of a sample, said of the modality and the sample, as far as these are known."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from numpy import ndarray
from torch import Tensor

_LOOK = "Look at that sample, and at the encoder's weights and number format."


class NotFiniteError(ValueError):
    """A tap holds NaN or infinity.

    Args:
        encoder: What errors call the encoder.
        tap: The tap, from 1.
        row: Row of the batch.
        read: What the encoder read of that sample: its tensor or its text; None if it was something else.
    """

    def __init__(self, encoder: str, tap: int, row: int, read: Any = None) -> None:
        super().__init__(f"Tap {tap} of encoder '{encoder}' holds NaN or infinity in row {row} of the batch. {_LOOK}")
        self.encoder, self.tap, self.row, self.read = encoder, tap, row, read
        self.modality: str | None = None

    def place(self, values: Tensor | ndarray) -> int | None:
        """The first sample that is the one the encoder failed on; None if it is not there.

        Args:
            values: Samples, numbers or texts.
        """
        if not isinstance(self.read, Tensor):
            return next((row for row, text in enumerate(values.tolist()) if text == self.read), None)
        given = values if isinstance(values, Tensor) else torch.tensor(values)
        alike = (given.to(self.read) == self.read).flatten(1).all(1)
        return int(alike.nonzero()[0]) if alike.any() else None

    def told(self, sample: Any) -> ValueError:
        """The same, said of a modality and a sample.

        Args:
            sample: Its id.
        """
        return ValueError(
            f"Modality {self.modality!r}: tap {self.tap} of its encoder holds NaN or infinity for sample {sample!r}. "
            f"{_LOOK}"
        )


@contextmanager
def of_modality(name: str) -> Iterator[None]:
    """Errors of encoders within are said of a modality.

    Raises:
        ValueError: The error, with the modality before it.
    """
    try:
        yield
    except NotFiniteError as error:
        error.modality = name
        raise
    except ValueError as error:
        raise ValueError(f"Modality {name!r}: {error}") from error


def described(values: Any) -> str:
    """Shape and number format of what an encoder reads."""
    if isinstance(values, Tensor):
        return f"a tensor of shape {tuple(values.shape)} and {values.dtype}"
    if isinstance(values, Mapping):
        return ", ".join(f"{name!r} ({described(one)})" for name, one in values.items())
    return ", ".join(map(described, values)) if isinstance(values, tuple) else f"{len(values)} texts"
