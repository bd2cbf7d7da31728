"""Ridge heads on training rows, judged on others: what a search and its checks share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float, Int, Shaped
from numpy import ndarray

from plait.skew.operators import CLOSED_FORM
from plait.skew.ridge import PENALTIES, Tap, TapFeatures, Terms, ridge_outputs
from plait.skew.scaling import fit_scalings, scaled
from plait.skew.selection import Pairs
from plait.skew.space import TapSpace
from plait.skew.uncertainty import Scored, scored
from plait.statistics.metrics import Metric


@dataclass(frozen=True)
class TapData:
    """Taps of layered encoders and what is to be predicted from them.

    Args:
        taps: By modality, one array (sample, feature) a tap.
        target: Codes of classes, or values.
        outputs: What heads are fitted to: an indicator a class, or the values.
        groups: Group of each sample, which the uncertainty is about; np.arange(n) where samples are independent.
    """

    taps: Mapping[str, Sequence[Float[ndarray, "_ _"]]]
    target: Shaped[ndarray, "sample *column"]
    outputs: Float[ndarray, "sample out"]
    groups: Int[ndarray, " sample"]

    @property
    def space(self) -> TapSpace:
        """All pairs of the taps."""
        return TapSpace({name: len(own) for name, own in self.taps.items()})


@dataclass(frozen=True)
class HeadSettings:
    """Of heads in closed form and of how they are judged.

    Args:
        rank: Principal components of a tap that are read by themselves, at least 1; None is all features.
        product_rank: Those that are read in products, whose number is the square of it.
        penalties: Penalty of a feature and of a product, as shares of the training samples, above 0.
        draws: Draws of the bootstrap.
        random_state: Seed of the draws.
    """

    rank: int | None = 64
    product_rank: int | None = 16
    penalties: tuple[float, float] = PENALTIES
    draws: int = 2000
    random_state: int = 0


@dataclass(frozen=True)
class Split:
    """Rows that heads are fitted on, and others that are judged.

    Args:
        data: Taps and target.
        train: Rows for scalings and heads.
        validation: Rows that are judged.
    """

    data: TapData
    train: Int[ndarray, " train"]
    validation: Int[ndarray, " held"]


@dataclass(frozen=True)
class Judge:
    """Scores of sets and taps by ridge heads, each fitted on the training rows of a split and judged on its others.

    Args:
        how: Ranks, penalties, draws.
        splits: One, or one a fold; what is judged is judged once. All have the same taps, of whatever values.
        metric: What they are judged by.

    Attributes:
        target: Target of the judged samples, split by split.
        groups: Their groups.
        taps: All taps, in order.
    """

    how: HeadSettings
    splits: Sequence[Split]
    metric: Metric
    _features: list[tuple[TapFeatures, TapFeatures]] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_features", [self._read(split) for split in self.splits])

    @property
    def target(self) -> Shaped[ndarray, "held *column"]:
        """Target of the judged samples."""
        return np.concatenate([split.data.target[split.validation] for split in self.splits])

    @property
    def groups(self) -> Int[ndarray, " held"]:
        """Groups of the judged samples."""
        return np.concatenate([split.data.groups[split.validation] for split in self.splits])

    @property
    def taps(self) -> tuple[Tap, ...]:
        """All taps, modality by modality."""
        return tuple(self._features[0][0].whole)

    @property
    def space(self) -> TapSpace:
        """All pairs of the taps."""
        return self.splits[0].data.space

    def sets(self, operator: str, sets: Sequence[Pairs]) -> Scored:
        """Scores of sets of pairs by an operator."""
        return self.scored(self.outputs([CLOSED_FORM[operator](pairs) for pairs in sets]))

    def alone(self, taps: Sequence[Tap]) -> Scored:
        """Scores of taps by themselves."""
        return self.scored(self.outputs([((tap,),) for tap in taps]))

    def outputs(self, heads: Sequence[Terms]) -> Float[ndarray, "head held out"]:
        """What heads put out for the judged samples, split by split."""
        found = []
        for split, (seen, unseen) in zip(self.splits, self._features, strict=True):
            target = split.data.outputs[split.train]
            found.append(ridge_outputs(seen, target, unseen, heads, self.how.penalties))
        return np.concatenate(found, axis=1)

    def scored(self, outputs: Float[ndarray, "head held out"]) -> Scored:
        """Scores of outputs for the judged samples, whatever they come from, on the same draws."""
        return scored(self.metric, self.target, outputs, self.groups, self.how.draws, self.how.random_state)

    def _read(self, split: Split) -> tuple[TapFeatures, TapFeatures]:
        """Taps of the rows that heads are fitted on, and of those that are judged."""
        taps, how = split.data.taps, self.how
        whole, few = (fit_scalings(taps, split.train, rank) for rank in (how.rank, how.product_rank))
        seen, unseen = (
            TapFeatures(scaled(taps, whole, rows), scaled(taps, few, rows)) for rows in (split.train, split.validation)
        )
        return seen, unseen
