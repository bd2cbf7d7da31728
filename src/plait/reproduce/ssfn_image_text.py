"""Skew-pair fusion of the picture and the name of an emoji."""

from collections.abc import Mapping, Sequence
from functools import partial

import torch
from torch.nn.functional import avg_pool2d

from plait import datasets
from plait.nn.taps import SmallImageNet
from plait.reproduce.ssfn_encoders import Pretrained, trained_on_the_spot
from plait.reproduce.ssfn_real import PairProtocol, study_of
from plait.reproduce.ssfn_tasks import Fold, Part, Reading, Task, every, nothing_published
from plait.reproduce.study import Request, Study

_LONGEST = 32


def study(request: Request) -> Study:
    """All runs."""
    return study_of(TASK, request, PairProtocol(encoder_epochs=20))


def folds() -> Mapping[str, Sequence[Fold]]:
    """Pictures by Twitter, halved to 16 x 16 pixels, and names, of all emoji but flags."""
    bunch = datasets.fetch_emoji()
    train, validation, test = bunch.split
    own, target = every(bunch.target), bunch.target
    part = Part(target, len(bunch.target_names), train, validation, test, own, own)
    readings = {
        "image": Reading(avg_pool2d(torch.from_numpy(bunch.data["twitter"]), 2), partial(trained_on_the_spot, _net)),
        "text": Pretrained(_LONGEST).reading(bunch.data["name"]),
    }
    return {"emoji": [Fold("", readings, part)]}


def _net(classes: int) -> SmallImageNet:
    return SmallImageNet(3, classes, width=8)


TASK = Task(
    "image-text",
    ("image", "text"),
    {"emoji": "8 categories; random split by category, 56 % training, 14 % validation, 30 % test"},
    folds,
    "accuracy",
    "Pictures pass a network of six blocks that is trained on the training rows, names the six blocks of a pretrained "
    "sentence encoder. The same split for all seeds; always guessing the largest category is right for 24 %.",
    {"data": "emoji without flags, pictures by Twitter, 16 x 16", "longest": _LONGEST},
    nothing_published,
)
