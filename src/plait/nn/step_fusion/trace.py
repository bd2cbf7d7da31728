"""What happened in a step block: where every modality stood after each step, and what moved it."""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from plait.data.shapes import Present


@dataclass(frozen=True)
class StepRecord:
    """What one step did to one target.

    Args:
        step: Number of the step, counted from 1.
        target: Place of the modality that was moved.
        zoom: Factor of every feature; 1 where nothing is zoomed.
        angles: Rotation angles in radians, in [0, pi], one for each of the planes, in falling order.
        displacement: Length of the global displacement of each sample.
        local: Root mean square length of the local displacements of the sample's tokens.
    """

    step: int
    target: int
    zoom: Float[Tensor, "batch width"]
    angles: Float[Tensor, " plane"]
    displacement: Float[Tensor, " batch"]
    local: Float[Tensor, " batch"]


@dataclass(frozen=True)
class Trace:
    """The way of the modalities through the steps; nothing here carries gradients.

    Args:
        names: The modalities, in order.
        pooled: Global features of every modality before the first step and after each step; zero where absent.
        present: Which modalities each sample has.
        records: One record for every step and target, in order.
    """

    names: tuple[str, ...]
    pooled: Float[Tensor, "moment batch modality width"]
    present: Present
    records: tuple[StepRecord, ...]
