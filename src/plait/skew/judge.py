"""Ridge heads on training rows, judged on others: what a search and its checks share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from jaxtyping import Float, Int, Shaped
from numpy import ndarray

from plait.skew.operators import CLOSED_FORM
from plait.skew.ridge import PENALTIES, Tap, TapFeatures, ridge_outputs
from plait.skew.scaling import TapScaling, fit_scalings, scaled
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
class Judge:
    """Scores of sets and taps by ridge heads that are fitted on training rows.

    Args:
        how: Ranks, penalties, draws.
        data: Taps and target.
        train: Rows for scalings and heads.
        validation: Rows that are judged.
        metric: What they are judged by.
    """

    how: HeadSettings
    data: TapData
    train: Int[ndarray, " train"]
    validation: Int[ndarray, " held"]
    metric: Metric
    scalings: dict[Tap, TapScaling] = field(init=False)
    seen: TapFeatures = field(init=False)
    unseen: TapFeatures = field(init=False)

    def __post_init__(self) -> None:
        whole, few = (fit_scalings(self.data.taps, self.train, rank) for rank in (self.how.rank, self.how.product_rank))
        parts = [
            TapFeatures(scaled(self.data.taps, whole, rows), scaled(self.data.taps, few, rows))
            for rows in (self.train, self.validation)
        ]
        for name, value in zip(("scalings", "seen", "unseen"), (whole, *parts), strict=True):
            object.__setattr__(self, name, value)

    def sets(self, operator: str, sets: Sequence[Pairs]) -> Scored:
        """Scores of sets of pairs by an operator."""
        return self._scored([CLOSED_FORM[operator](pairs) for pairs in sets])

    def alone(self, taps: Sequence[Tap]) -> Scored:
        """Scores of taps by themselves."""
        return self._scored([((tap,),) for tap in taps])

    def _scored(self, heads: Sequence[tuple[tuple[Tap, ...], ...]]) -> Scored:
        data, how, rows = self.data, self.how, self.validation
        outputs = ridge_outputs(self.seen, data.outputs[self.train], self.unseen, heads, how.penalties)
        return scored(self.metric, data.target[rows], outputs, data.groups[rows], how.draws, how.random_state)
