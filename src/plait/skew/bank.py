"""Taps as the network of pairs reads them: standardised, rotated to few dimensions, of one width."""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from plait.data.batches import TrainingData
from plait.data.shapes import Features, Present
from plait.skew.heads import TAPS
from plait.skew.ridge import Tap
from plait.skew.scaling import TapScaling
from plait.skew.sources import Sources


class Scaling(nn.Module):
    """Standardisation and rotation of a tap, with numbers that are learned from training samples.

    Args:
        width: Width of a token of the tap.
        read: Dimensions it is brought to; a tap of fewer is filled up with zeros.
    """

    mean: Tensor
    scale: Tensor
    rotation: Tensor

    def __init__(self, width: int, read: int) -> None:
        super().__init__()
        self.read = read
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("scale", torch.ones(width))
        self.register_buffer("rotation", torch.eye(width, read))

    def fit(self, tokens: Float[Tensor, "token width"]) -> None:
        """Learn from the tokens of training samples."""
        found = TapScaling.fitted(tokens.double().numpy(), min(self.read, len(self.mean)))
        self.mean.copy_(torch.from_numpy(found.mean))
        self.scale.copy_(torch.from_numpy(found.scale))
        if found.rotation is not None:
            self.rotation.zero_()
            self.rotation[:, : found.rotation.shape[1]] = torch.from_numpy(np.ascontiguousarray(found.rotation))

    def forward(self, tokens: Float[Tensor, "batch token width"]) -> Float[Tensor, "batch token read"]:
        return ((tokens - self.mean) / self.scale) @ self.rotation


class TapBank(nn.Module):
    """The taps that some pairs read, of every fold; zero (the mean) where a modality is absent.

    Args:
        sources: Where taps come from.
        taps: Those that are read.
        rank: Most dimensions of a token.
        tokens: Tokens that a tap is made of, side by side.
    """

    def __init__(self, sources: Sources, taps: Sequence[Tap], rank: int, tokens: int) -> None:
        super().__init__()
        self.sources, self.taps, self.tokens = sources, tuple(taps), tokens
        self.highest = highest_taps(taps, sources.names)
        widths = [[sources.of(name, fold).widths[tap - 1] // tokens for name, tap in taps] for fold in self.folds]
        self.read = min(rank, max(widths[0]))
        self.scalings = nn.ModuleList(Scaling(width, self.read) for own in widths for width in own)

    @property
    def folds(self) -> range:
        """Numbers of the folds."""
        return range(self.sources.folds)

    def fit(self, data: TrainingData) -> None:
        """Learn scalings from the training samples of each fold that have the modality."""
        raw = data.with_features(self._raw).samples
        names = data.spec.names
        for fold in self.folds:
            trained = (raw.fold != fold) if data.spec.folds > 1 else (raw.fold != 0)
            for name, tap in self.taps:
                rows = trained & raw.present[:, names.index(name)]
                values = self._tokens(raw.features[_key(fold, (name, tap))][rows])
                self._scaling(fold, (name, tap)).fit(values.flatten(0, 1))

    def forward(self, features: Features, present: Present) -> Features:
        """All taps, fold by fold: (batch, fold and tap, tokens times read)."""
        raw, found = self._raw(features, present), []
        for fold in self.folds:
            for tap in self.taps:
                scaled = self._scaling(fold, tap)(self._tokens(raw[_key(fold, tap)])).flatten(1)
                here = present[:, self.sources.names.index(tap[0])]
                found.append(scaled.where(here[:, None], 0))
        return {TAPS: torch.stack(found, 1)}

    def _raw(self, features: Features, present: Present) -> Features:
        """The taps as they come, by fold, modality and number."""
        read = self.sources.read(features, present, self.highest)
        return {_key(fold, tap): taps[tap] for fold, taps in enumerate(read) for tap in self.taps}

    def _tokens(self, values: Float[Tensor, "batch width"]) -> Float[Tensor, "batch token each"]:
        return values.reshape(len(values), self.tokens, -1)

    def _scaling(self, fold: int, tap: Tap) -> Scaling:
        found: Scaling = self.scalings[fold * len(self.taps) + self.taps.index(tap)]  # type: ignore[assignment]
        return found


def highest_taps(taps: Sequence[Tap], names: Sequence[str]) -> dict[str, int]:
    """The highest tap of every modality that is read; 0 where none is."""
    return {name: max((tap for own, tap in taps if own == name), default=0) for name in names}


def tap_names(taps: Sequence[Tap], folds: int) -> list[Tap]:
    """All taps of a bank in order, each named by its fold too."""
    return [(f"{fold}/{name}", tap) for fold in range(folds) for name, tap in taps]


def _key(fold: int, tap: Tap) -> str:
    return f"{fold}/{tap[0]}@{tap[1]}"
