"""Skew-pair fusion of what is said in a video and how it sounds."""

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
import pandas as pd
import torch
from sklearn.preprocessing import StandardScaler

from plait import datasets
from plait.nn.taps import SmallVectorNet
from plait.reproduce.ssfn_encoders import Pretrained, trained_on_the_spot
from plait.reproduce.ssfn_real import PairProtocol, study_of
from plait.reproduce.ssfn_tasks import Fold, Part, Reading, Task
from plait.reproduce.study import Request, Study

_LONGEST = 128


def study(request: Request) -> Study:
    """All runs."""
    return study_of(TASK, request, PairProtocol(encoder_epochs=30))


def folds() -> Mapping[str, Sequence[Fold]]:
    """Transcripts and openSMILE features of the utterances of CMU-MOSI."""
    bunch = datasets.fetch_mosi()
    videos = np.unique(bunch.groups, return_inverse=True)[1]
    train = bunch.train[~bunch.validation[bunch.train]]
    part = Part(bunch.target, 2, train, np.flatnonzero(bunch.validation), bunch.test, videos, videos)
    audio = StandardScaler().fit(bunch.data["audio"][train]).transform(bunch.data["audio"])
    net = partial(_net, audio.shape[1])
    readings = {
        "text": Pretrained(_LONGEST).reading(bunch.data["transcript"]),
        "audio": Reading(torch.from_numpy(audio.astype(np.float32)), partial(trained_on_the_spot, net)),
    }
    return {"mosi": [Fold("", readings, part)]}


def _net(features: int, classes: int) -> SmallVectorNet:
    return SmallVectorNet(features, classes)


def _published() -> pd.DataFrame:
    public: pd.DataFrame = datasets.fetch_mosi().published
    return public.assign(group="mosi", heads="")


TASK = Task(
    "text-audio",
    ("text", "audio"),
    {"mosi": "negative or positive; official split by video, a fifth of the training videos for validation"},
    folds,
    "accuracy",
    "Transcripts pass the six blocks of a pretrained sentence encoder, 73 openSMILE features (chosen by others on "
    "training rows) six blocks that are trained on the spot. One utterance at a time, without its neighbours; "
    "intervals resample whole videos. Always guessing the larger class is right for 62 % of the test utterances.",
    {"data": "CMU-MOSI of bc-LSTM", "longest": _LONGEST},
    _published,
)
