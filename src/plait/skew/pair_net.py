"""The sparsest skew-pair network: operators on the taps of a few pairs, and a linear head; a copy for every fold."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Bool
from torch import Tensor

from plait.data.shapes import Features, Output, Present
from plait.data.spec import DataSpec
from plait.nn.copies import Copies
from plait.nn.layers import Rows
from plait.skew.bank import TapBank, tap_names
from plait.skew.heads import TAPS, PairHeads
from plait.skew.ridge import Tap
from plait.skew.selection import Pairs
from plait.skew.space import Pair
from plait.skew.stacked import dense


@dataclass(frozen=True)
class Joint:
    """What a network joins, and how.

    Args:
        pairs: The pairs; () is one tap by itself.
        tap: The tap that is read where there are no pairs.
        operator: A trained operator by name.
        width: Size of a joint vector.
        dropout: Share of a joint vector (or tap) dropped in training, in [0, 1).
    """

    pairs: Pairs
    tap: Tap
    operator: str
    width: int
    dropout: float

    @property
    def taps(self) -> tuple[Tap, ...]:
        """The taps that are read, each once."""
        both = [tap for pair in self.pairs for tap in ((pair.first, pair.i), (pair.second, pair.j))]
        return tuple(dict.fromkeys(both)) or (self.tap,)

    @property
    def modalities(self) -> tuple[str, ...]:
        """The modalities that are read, each once."""
        return tuple(dict.fromkeys(name for name, _ in self.taps))


class PairCopies(Copies):
    """A network on the taps of some pairs, or on one tap, for every fold.

    Args:
        spec: Shapes, outputs, task and folds.
        joint: What is joined.
        bank: What the taps come from.
        generator: Source of the initial weights.
    """

    def __init__(self, spec: DataSpec, joint: Joint, bank: TapBank, generator: torch.Generator) -> None:
        super().__init__(spec)
        places = [spec.names.index(name) for name in joint.modalities]
        self.places: Tensor
        self.register_buffer("places", torch.tensor(places), persistent=False)
        build = _pair_heads if joint.pairs else _tap_heads
        self.heads = build(joint, bank, spec, generator)

    def forward(self, features: Features, present: Present) -> Output:
        found: Tensor = self.heads(features, present)
        return found

    def readable(self, present: Present) -> Bool[Tensor, " batch"]:
        """The samples that have a modality that is read."""
        return present[:, self.places].any(1)

    def owners(self) -> Mapping[str, Rows | int]:
        """The copy of every row."""
        return {f"heads.{name}": rows for name, rows in self.heads.owners().items()}


class TapHeads(PairHeads):
    """A linear head on one tap, for every fold."""

    def __init__(self, joint: Joint, bank: TapBank, spec: DataSpec, generator: torch.Generator) -> None:
        torch.nn.Module.__init__(self)
        self.units, self.dropout = spec.folds, joint.dropout
        self.head = dense(spec.folds, bank.tokens * bank.read, spec.outputs, generator)

    def forward(self, features: Features, present: Present) -> Output:
        """Outputs of all folds."""
        return self.decided(features[TAPS].transpose(0, 1))


def _pair_heads(joint: Joint, bank: TapBank, spec: DataSpec, generator: torch.Generator) -> PairHeads:
    folds = range(spec.folds)
    sets = [tuple(_of_fold(pair, fold) for pair in joint.pairs) for fold in folds]
    taps = tap_names(bank.taps, spec.folds)
    read = bank.tokens * bank.read
    settings = (joint.operator, joint.width, joint.dropout, bank.tokens)
    return PairHeads(sets, taps, read, spec.outputs, *settings, generator=generator)


def _tap_heads(joint: Joint, bank: TapBank, spec: DataSpec, generator: torch.Generator) -> TapHeads:
    return TapHeads(joint, bank, spec, generator)


def _of_fold(pair: Pair, fold: int) -> Pair:
    return Pair(f"{fold}/{pair.first}", pair.i, f"{fold}/{pair.second}", pair.j)
