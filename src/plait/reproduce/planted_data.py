"""Planted data sets as a search takes them, with the truth that it is held against."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray
from sklearn.utils import Bunch

from plait.skew.judge import TapData
from plait.skew.selection import Pairs
from plait.skew.space import Pair

Edge = tuple[str, str]
"""Two modalities, in order."""


@dataclass(frozen=True)
class Planted:
    """A planted data set.

    Args:
        data: Taps and target.
        train: Rows that heads are fitted on.
        validation: Rows by which pairs are chosen.
        test: Rows that nothing is chosen by.
        pairs: The pairs that carry the target; none where fusion is useless.
        oracles: Best possible accuracy of every pair of two modalities, at [i - 1, j - 1].
        alone: Best possible accuracy of every tap, by modality.
    """

    data: TapData
    train: Int[ndarray, " train"]
    validation: Int[ndarray, " validation"]
    test: Int[ndarray, " test"]
    pairs: Pairs
    oracles: Mapping[Edge, Float[ndarray, "i j"]]
    alone: Mapping[str, Float[ndarray, " tap"]]

    @classmethod
    def of(cls, bunch: Bunch, taps: Mapping[str, Sequence[Float[ndarray, "sample width"]]]) -> "Planted":
        """Of what `make_planted_taps` or `planted_inputs` drew, and its taps."""
        outputs = np.eye(int(bunch.target.max()) + 1)[bunch.target]
        data = TapData(taps, bunch.target, outputs, np.arange(len(outputs)))
        pairs = tuple(Pair(*one) for one in bunch.planted)
        rows = (bunch.train, bunch.validation, bunch.test)
        return cls(data, *rows, pairs, dict(bunch.oracles), dict(bunch.unimodal_oracle))

    def shallower(self, modality: str, depth: int) -> "Planted":
        """The same with the first so many taps of a modality alone: encoders of unequal depths."""
        taps = {name: own[:depth] if name == modality else own for name, own in self.data.taps.items()}
        grids = {(a, b): grid[: len(taps[a]), : len(taps[b])] for (a, b), grid in self.oracles.items()}
        alone = {name: curve[: len(taps[name])] for name, curve in self.alone.items()}
        return replace(self, data=replace(self.data, taps=taps), oracles=grids, alone=alone)

    @property
    def best_possible(self) -> Float[ndarray, " pair"]:
        """Best possible accuracy of every pair, in the order of the space."""
        return np.concatenate([self.oracles[edge].ravel() for edge in self.data.space.edges])

    @property
    def chance(self) -> float:
        """Accuracy of a guess."""
        return 1 / float(self.data.outputs.shape[1])
