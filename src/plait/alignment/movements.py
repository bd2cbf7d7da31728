"""What every step did to the modality that it moved: zoom, rotation, displacement."""

from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float
from numpy import ndarray
from torch import Tensor

from plait.nn.step_fusion.trace import StepRecord, Trace

QUANTILES = (5, 25, 50, 75, 95)

COLUMNS = (
    "step", "target", "samples", "zoom", "zoom_spread", *(f"zoom_{q:02d}" for q in QUANTILES), "angle",
    "displacement", "local", "distance",
)  # fmt: skip


def movements(trace: Trace) -> pd.DataFrame:
    """What every step did to every modality that it moved, over the samples that have it.

    Returns:
        One row a step and target. `step` counts from 1; `samples` have the target. `zoom` is the geometric mean of
        the factors of all samples and features (1 leaves them as they are), `zoom_spread` the standard deviation of
        their logarithm, `zoom_05` to `zoom_95` their percentiles. `angle` is the mean rotation angle of the planes in
        radians, in [0, pi]; 0 where nothing is rotated. The rest are root mean square lengths relative to that of the
        target's global features before the step: `displacement` of the learned offset that all tokens share, `local`
        of that of each token, and `distance` of the way that the global features went by all of this together, the
        pull towards the guides among it. NaN where no sample has the target or its global features are 0.
    """
    return pd.DataFrame([_row(trace, record) for record in trace.records], columns=list(COLUMNS))


def _row(trace: Trace, record: StepRecord) -> dict[str, Any]:
    there = trace.present[:, record.target]
    before, after = (_numbers(trace.pooled[moment, there, record.target]) for moment in (record.step - 1, record.step))
    length = _root_mean_square(np.linalg.norm(before, axis=-1))
    lengths = {
        "displacement": _numbers(record.displacement[there]),
        "local": _numbers(record.local[there]),
        "distance": np.linalg.norm(after - before, axis=-1),
    }
    return {
        "step": record.step,
        "target": trace.names[record.target],
        "samples": int(there.sum()),
        **_zooms(_numbers(record.zoom[there])),
        "angle": float(record.angles.double().mean()) if len(record.angles) else 0.0,
        **{name: _ratio(_root_mean_square(values), length) for name, values in lengths.items()},
    }


def _numbers(values: Tensor) -> ndarray:
    return np.asarray(values.detach().double().cpu().numpy())


def _zooms(factors: Float[ndarray, "sample width"]) -> dict[str, float]:
    if not factors.size:
        return {}
    logarithms = np.log(factors)
    quantiles = zip(QUANTILES, np.percentile(factors, QUANTILES), strict=True)
    return {
        "zoom": float(np.exp(logarithms.mean())),
        "zoom_spread": float(logarithms.std()),
        **{f"zoom_{q:02d}": float(value) for q, value in quantiles},
    }


def _root_mean_square(lengths: Float[ndarray, " sample"]) -> float:
    return float(np.sqrt(np.square(lengths).mean())) if len(lengths) else float("nan")


def _ratio(length: float, reference: float) -> float:
    return length / reference if reference > 0 else float("nan")
