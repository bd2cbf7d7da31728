"""Stand-ins for the data sets of Step Fusion: a few windows of sines, a few beats of four classes."""

import numpy as np
from sklearn.utils import Bunch

from plait.data.modalities import Modalities
from plait.datasets._ett_numbers import ett_published
from plait.datasets._mitbih_numbers import mitbih_published

PARTS = {"train+validation": slice(0, 36), "test": slice(36, 44)}
VALIDATION = 10  # the last so many windows of the fitted part


def fetch_ett(name="ETTh1", lookback=96, horizon=96, split="train", *, modalities=("series",), variables="all"):
    """As the real one, on seven sines; the OT is the last."""
    steps = np.arange(lookback + horizon + 44)
    table = np.sin(steps[:, None] / (3.0 + np.arange(7)) + np.arange(7)).astype(np.float32)
    rows = np.arange(44)[PARTS.get(split, slice(0, 1))]
    kept = table if variables == "all" else table[:, -1:]
    sources = {"series": kept, "temperature": table[:, -1:], "loads": table[:, :-1], "calendar": table[:, :4]}
    length = {"calendar": lookback + horizon}
    arrays = {
        one: np.stack([sources[one][row : row + length.get(one, lookback)] for row in rows]) for one in modalities
    }
    target = np.stack([kept[row + lookback : row + lookback + horizon].ravel() for row in rows])
    held = np.arange(len(rows)) >= len(rows) - VALIDATION
    return Bunch(data=Modalities(arrays), target=target, validation=held, published=ett_published())


def fetch_mitbih(protocol="inter", *, modalities=("lead1", "lead2", "rr", "image"), image_size=24, relative_to="beat"):
    """As the real one: 160 beats of eight records, whose class shows in the intervals."""
    rng = np.random.default_rng(0)
    target = np.repeat([0, 1, 2, 3], 40)[rng.permutation(160)]
    series = rng.normal(size=(160, 128, 2)).astype(np.float32)
    everything = {
        "lead1": series[..., :1],
        "lead2": series[..., 1:],
        "rr": (rng.normal(size=(160, 3)) + 3 * target[:, None]).astype(np.float32),
        "image": rng.normal(size=(160, 1, image_size, image_size)).astype(np.float32),
    }
    records = np.repeat(np.arange(8), 20)
    split = {"train": np.flatnonzero(records < 4), "test": np.flatnonzero(records >= 4)}
    held = {"validation": records == 1} if protocol == "inter" else {}
    data = Modalities({name: everything[name] for name in modalities})
    names = np.array(["N", "S", "V", "F"])
    return Bunch(data=data, target=target, target_names=names, published=mitbih_published(), **split, **held)
