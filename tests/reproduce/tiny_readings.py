"""Stand-ins for the data sets and the pretrained encoder of skew-pair fusion: a few samples, taps of letters."""

import numpy as np
import pandas as pd
import torch
from sklearn.utils import Bunch

from plait.data.modalities import Modalities
from plait.datasets import Split
from plait.nn.taps.base import LayeredEncoder, Tapped

WORDS = np.array(["aaaa", "bbbb", "cccc"])


class Letters(LayeredEncoder):
    """Two taps of a text: how often each of six letters is there, and the square of it."""

    def __init__(self, *, longest=8, name="letters"):
        super().__init__(name, 2)
        self.longest = longest

    def truncated(self, tap):
        raise NotImplementedError

    def fingerprint(self):
        return "letters"

    def _tapped(self, values):
        counts = torch.tensor([[float(text[: self.longest].count(letter)) for letter in "abcdef"] for text in values])
        return [Tapped(counts), Tapped(counts.square())]


def texts(target, seed):
    """The word of the class, with letters that say nothing."""
    rng = np.random.default_rng(seed)
    return [f"{WORDS[code]}{''.join(rng.choice(list('abcdef'), 3))}" for code in target]


def codes(n, classes, seed=0):
    return np.random.default_rng(seed).permutation(np.arange(n) % classes)


def fetch_emoji():
    """As the real one: 90 pictures of three categories, whose colour shows in the picture."""
    target = codes(90, 3)
    pictures = np.random.default_rng(1).normal(size=(90, 3, 8, 8)).astype(np.float32)
    pictures[np.arange(90), target] += 1
    rows = np.arange(90)
    return Bunch(
        data=Modalities({"twitter": pictures, "name": texts(target, 2)}),
        target=target,
        target_names=WORDS,
        split=Split(rows[:50], rows[50:70], rows[70:]),
    )


def fetch_av_digits(*, pairing, length):
    """As the real one: three speakers, ten digits, two takes."""
    speaker, digit, _ = (grid.ravel() for grid in np.mgrid[:3, :10, :2])
    rng = np.random.default_rng(0)
    sound = rng.normal(size=(60, length, 1)).astype(np.float32)
    images = rng.normal(size=(60, 1, 16, 15)).astype(np.float32)
    images[np.arange(60), 0, digit] += 2
    return Bunch(
        data=Modalities({"audio": sound, "image": images}),
        target=digit,
        groups=speaker,
        group_names=np.array(["anna", "ben", "cleo"]),
    )


def fetch_mosi():
    """As the real one: 15 videos of six utterances."""
    target, videos = codes(90, 2), np.repeat([f"v{one}" for one in range(15)], 6)
    sound = np.random.default_rng(1).normal(size=(90, 5)) + target[:, None]
    return Bunch(
        data=Modalities({"transcript": texts(target, 2), "audio": sound.astype(np.float32)}),
        target=target,
        groups=videos,
        train=np.arange(66),
        test=np.arange(66, 90),
        validation=(np.arange(90) >= 42) & (np.arange(90) < 66),
        published=published("accuracy"),
    )


def fetch_clothing(*, target):
    """As the real one: 120 reviews of three ratings, some without a title."""
    found = codes(120, 3)
    titles = [None if row % 10 == 9 else text for row, text in enumerate(texts(found, 1))]
    rows = np.arange(120)
    return Bunch(
        data=Modalities({"title": titles, "text": texts(found, 2), "facts": np.ones((120, 1))}),
        target=found,
        target_names=np.array(["1", "2", "3"]),
        train=rows[:90],
        test=rows[90:],
        validation=(rows >= 60) & (rows < 90),
        published=published("roc_auc"),
    )


def published(metric):
    return pd.DataFrame(
        [("theirs", metric, 0.8, float("nan"), "another split", "a paper")],
        columns=["method", "metric", "value", "sd", "protocol", "source"],
    )
