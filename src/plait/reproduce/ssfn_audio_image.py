"""Skew-pair fusion of a spoken and a written digit, for voices that were never heard."""

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray
from torch import Tensor

from plait import datasets
from plait.datasets.av_digits import RATE
from plait.nn.taps import SmallAudioNet, SmallImageNet
from plait.reproduce.ssfn_encoders import trained_on_the_spot
from plait.reproduce.ssfn_real import PairProtocol, study_of
from plait.reproduce.ssfn_tasks import Fold, Part, Reading, Task, every, nothing_published
from plait.reproduce.ssfn_trained import HeadTraining
from plait.reproduce.study import Request, Study

_SECONDS = 0.6
_NOISE, _HIDDEN = 0.6, 6


def study(request: Request) -> Study:
    """All runs."""
    protocol = PairProtocol(encoder_epochs=5, heads=HeadTraining(copies=2, most=12, epochs=20))
    return study_of(TASK, request, protocol)


def folds() -> Mapping[str, Sequence[Fold]]:
    """One speaker tests, the next one chooses, the four others train; no picture is with two speakers."""
    bunch = datasets.fetch_av_digits(pairing="speakers", length=round(_SECONDS * RATE))
    audio = Reading(torch.from_numpy(bunch.data["audio"][..., 0]), partial(trained_on_the_spot, _audio_net))
    images = {"clean": bunch.data["image"], "degraded": degraded(bunch.data["image"])}
    parts = _parts(bunch.target, bunch.groups)
    readings = {name: {"audio": audio, "image": _pictures(one)} for name, one in images.items()}
    names = [str(name) for name in bunch.group_names]
    return {
        variant: [Fold(name, both, part) for name, part in zip(names, parts, strict=True)]
        for variant, both in readings.items()
    }


def degraded(images: Float[ndarray, "n 1 row column"]) -> Float[ndarray, "n 1 row column"]:
    """A square of 6 x 6 pixels hidden at a random place, and normal noise of standard deviation 0.6 on every pixel."""
    random = np.random.default_rng(0)
    found = images.copy()
    places = random.integers(0, [size - _HIDDEN + 1 for size in images.shape[2:]], (len(images), 2))
    for image, (row, column) in zip(found, places, strict=True):
        image[:, row : row + _HIDDEN, column : column + _HIDDEN] = 0
    noise: ndarray = random.normal(scale=_NOISE, size=found.shape).astype(found.dtype)
    return np.asarray(found + noise)


def _parts(target: ndarray, speakers: ndarray) -> list[Part]:
    number = np.unique(speakers)
    found = []
    for place, tested in enumerate(number):
        chooses = number[(place + 1) % len(number)]
        rest = np.flatnonzero((speakers != tested) & (speakers != chooses))
        held, test = (np.flatnonzero(speakers == one) for one in (chooses, tested))
        found.append(Part(target, 10, rest, held, test, every(target), speakers))
    return found


def _pictures(images: Float[ndarray, "n 1 row column"]) -> Reading:
    values: Tensor = torch.from_numpy(images)
    return Reading(values, partial(trained_on_the_spot, _image_net))


def _audio_net(classes: int) -> SmallAudioNet:
    return SmallAudioNet(classes, RATE, width=16)


def _image_net(classes: int) -> SmallImageNet:
    return SmallImageNet(1, classes, width=8)


_PROTOCOL = "10 digits; leave one of 6 speakers out, another one for validation; intervals over speakers"
TASK = Task(
    "audio-image",
    ("audio", "image"),
    {
        "clean": f"{_PROTOCOL}; pictures as they are",
        "degraded": f"{_PROTOCOL}; pictures with a hidden square of 6 x 6 of 16 x 15 pixels and noise of sd {_NOISE}",
    },
    folds,
    "accuracy",
    "Both encoders have six blocks and are trained on the training speakers, anew in every fold. Each fold chooses "
    "for itself, on one speaker, whose recordings are resampled there; test intervals resample the six speakers, "
    "which are few. A clean picture says nearly all by itself, so it is the degraded ones that leave room for fusion.",
    {"seconds": _SECONDS, "noise": _NOISE, "hidden": _HIDDEN, "pairing": "speakers"},
    nothing_published,
)
