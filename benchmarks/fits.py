"""Whole fits: what they take of time and memory."""

import gc
import json
import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import torch

from benchmarks.cohorts import SETTING_1_1
from benchmarks.timing import table
from plait.data.modalities import Modalities
from plait.datasets.synthetic import make_data_sharing
from plait.estimators import FusionClassifier, FusionRegressor
from plait.methods import MetaFusion
from plait.training.trainer import Trainer

_STATUS = Path("/proc/self/status")
_PEAK = Path("/proc/self/clear_refs")
_RHOS = (0.0, 0.99, 3.0)


def by_time(samples: int, epochs: int) -> None:
    """Seconds of a default fit on data of the shapes of HTAD."""
    data, target = _like_htad(samples)
    start = time.perf_counter()
    model = FusionClassifier(trainer=Trainer(epochs=epochs), random_state=0).fit(data, target)
    took = time.perf_counter() - start
    epochs_run = len(model.history_)
    header = ("samples", "students", "epochs of the chosen head", "seconds")
    table(
        "A default fit on data of the shapes of HTAD",
        header,
        [(samples, len(model.cohort_), epochs_run, f"{took:.1f}")],
    )


def _like_htad(samples: int) -> tuple[Modalities, np.ndarray]:
    """Seven classes that 36 and 16 noisy features tell apart."""
    draw = np.random.default_rng(0)
    hidden = draw.standard_normal((samples, 7))
    read = {"audio": (36, 0.5), "accelerometer": (16, 0.8)}
    arrays = {
        name: np.tanh(hidden @ draw.standard_normal((7, width))) + noise * draw.standard_normal((samples, width))
        for name, (width, noise) in read.items()
    }
    return Modalities(arrays), (hidden + 0.5 * draw.standard_normal(hidden.shape)).argmax(1)


def by_memory(samples: int, epochs: int, *, narrow: bool = False) -> None:
    """Peak memory of a fit of setting 1.1 with three rhos, measured in a process of its own."""
    if not _PEAK.exists():
        print("\nPeak memory is read from /proc, which this system does not have.")
        return
    command = [sys.executable, "-m", "benchmarks.fits", str(samples), str(epochs), str(int(narrow))]
    found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    free, alive, together = (found[name] for name in ("peak", "alive", "together"))
    row = [f"{value:.1f}" for value in (free, found["data"], alive, (free - found["data"]) / alive, together)]
    row.append(f"{(free - found['data']) / together:.1f}")
    header = (
        "peak, MB",
        "data, MB",
        "all students, MB",
        "(peak - data) / all students",
        "those trained at once, MB",
        "(peak - data) / those",
    )
    table("Peak memory of a fit: setting 1.1, rho 0, 0.99 and 3", header, [row])


def _measure(samples: int, epochs: int, *, narrow: bool) -> dict[str, float]:
    """Megabytes above what the process had before, with all code of a fit loaded by a small fit."""
    _fit(100, 2, narrow=True)
    bunch = make_data_sharing("1.1", samples)
    gc.collect()
    _PEAK.write_text("5")  # the peak begins anew
    before = _megabytes("VmRSS")
    parameters = _fit(samples, epochs, narrow=narrow)
    data = sum(bunch.data[name].nbytes for name in bunch.data.names) / 2**20
    one = 4 * parameters / 2**20
    return {"peak": _megabytes("VmHWM") - before, "data": data, "alive": len(_RHOS) * one, "together": 2 * one}


def _fit(samples: int, epochs: int, *, narrow: bool) -> int:
    """Parameters of the students at one rho."""
    widths = {"m0": (500, 4, 0), "m1": (400, 0)} if narrow else SETTING_1_1.widths
    labels = {name: [SETTING_1_1._label(name, width) for width in chosen] for name, chosen in widths.items()}
    method = MetaFusion(labels, hidden=(128, 64), rhos=_RHOS, dropout=0.0, max_students=None)
    bunch = make_data_sharing("1.1", samples)
    model = FusionRegressor(method, trainer=Trainer(epochs=epochs), random_state=0).fit(bunch.data, bunch.target)
    return sum(parameter.numel() for parameter in model.module_.cohort.parameters())


def _megabytes(name: str) -> float:
    return int(re.search(rf"{name}:\s+(\d+)", _STATUS.read_text())[1]) / 1024


if __name__ == "__main__":
    torch.set_num_threads(1)
    print(json.dumps(_measure(int(sys.argv[1]), int(sys.argv[2]), narrow=sys.argv[3] == "1")))
