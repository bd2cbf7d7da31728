"""Whole fits: what they take of time and memory."""

import gc
import json
import subprocess
import sys
import time

import numpy as np
import torch

from benchmarks import peaks
from benchmarks.cohorts import SETTING_1_1
from benchmarks.timing import table
from plait.data.modalities import Modalities
from plait.datasets.synthetic import make_data_sharing
from plait.estimators import FusionClassifier, FusionRegressor
from plait.methods import MetaFusion
from plait.training.trainer import Trainer

_RHOS = (0.0, 0.99, 3.0)


def by_time(samples: int, epochs: int) -> None:
    """Seconds of a default fit on data of the shapes of HTAD."""
    data, target = _like_htad(samples)
    start = time.perf_counter()
    model = FusionClassifier(trainer=Trainer(epochs=epochs), random_state=0).fit(data, target)
    took = time.perf_counter() - start
    header = ("samples", "students", "epochs of the chosen head", "seconds")
    row = (samples, len(model.cohort_), len(model.history_), f"{took:.1f}")
    table("A default fit on data of the shapes of HTAD", header, [row])


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
    """Peak memory and seconds of a fit of setting 1.1 with three rhos, measured in a process of its own."""
    if not peaks.are_known():
        print("\nPeak memory is read from /proc, which this system does not have.")
        return
    command = [sys.executable, "-m", "benchmarks.fits", str(samples), str(epochs), str(int(narrow))]
    found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    own = found["peak"] - found["data"]
    values = (found["peak"], found["data"], found["alive"], own / found["alive"], found["together"])
    row = [f"{value:.1f}" for value in (*values, own / found["together"], found["seconds"])]
    header = (
        "peak, MB",
        "data, MB",
        "students at all three rhos, MB",
        "(peak - data) / these",
        "students at the two trained at once, MB",
        "(peak - data) / these",
        f"seconds of {epochs} epochs a rho, one thread",
    )
    table("A whole fit of setting 1.1 with rho 0, 0.99 and 3", header, [row])


def _measure(samples: int, epochs: int, *, narrow: bool) -> dict[str, float]:
    """Megabytes above what the process had before, with all code of a fit loaded by a small fit."""
    _fit(100, 2, narrow=True)
    bunch = make_data_sharing("1.1", samples)
    gc.collect()
    peaks.begin_anew()
    before, start = peaks.megabytes("VmRSS"), time.perf_counter()
    one = 4 * _fit(samples, epochs, narrow=narrow) / 2**20
    took = time.perf_counter() - start
    data = sum(bunch.data[name].nbytes for name in bunch.data.names) / 2**20
    peak = peaks.megabytes("VmHWM") - before
    return {"peak": peak, "data": data, "alive": len(_RHOS) * one, "together": 2 * one, "seconds": took}


def _fit(samples: int, epochs: int, *, narrow: bool) -> int:
    """Parameters of the students at one rho."""
    widths = {"m0": (500, 4, 0), "m1": (400, 0)} if narrow else SETTING_1_1.widths
    labels = {name: [SETTING_1_1.label(name, width) for width in chosen] for name, chosen in widths.items()}
    alone = {"learners": (), "halvings": 0, "screening": "exact", "ensemble": "greedy"}
    method = MetaFusion(labels, hidden=(128, 64), rhos=_RHOS, dropout=0.0, max_students=None, **alone)
    bunch = make_data_sharing("1.1", samples)
    model = FusionRegressor(method, trainer=Trainer(epochs=epochs), random_state=0).fit(bunch.data, bunch.target)
    return sum(parameter.numel() for parameter in model.module_.cohort.parameters())


if __name__ == "__main__":
    torch.set_num_threads(1)
    print(json.dumps(_measure(int(sys.argv[1]), int(sys.argv[2]), narrow=sys.argv[3] == "1")))
