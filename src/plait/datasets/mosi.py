"""CMU-MOSI: whether what is said in a video is positive or negative, from words, voice and face."""

from typing import Literal, overload

import numpy as np
import pandas as pd
from jaxtyping import Shaped
from numpy import ndarray
from numpy.typing import NDArray
from sklearn.model_selection import GroupShuffleSplit
from sklearn.utils import Bunch

from plait.data.modalities import Modalities
from plait.data.settings import check_real
from plait.datasets._fetch import Folder
from plait.datasets._prepared import archive, prepared, table
from plait.datasets._published import published

DESCR = """CMU-MOSI: utterances of video reviews, positive or negative, with the features of bc-LSTM.

2199 utterances of 93 videos, one speaker each; modalities transcript (the words, a text), text (100 features of a
convolutional network on them), audio (73 of openSMILE), video (100 of a 3-D convolutional network). Target: 0
negative, 1 positive. Caution: the features text, audio and video were made by networks trained on the training rows,
so that what they say of these is too good to be true; the transcripts are raw.

Source: bc-LSTM/data of github.com/declare-lab/multimodal-deep-learning. Licence: the repository is MIT (Copyright 2021
DeCLaRe Lab); the videos are YouTube's, and only features and transcripts of them are here.
Citation: Zadeh, Zellers, Pincus and Morency, "MOSI", IEEE Intelligent Systems 31 (2016); Poria et al.,
"Context-dependent sentiment analysis in user-generated videos", ACL 2017.
Split: the one of bc-LSTM, by speaker, 62 videos (1447 utterances) in `train` and 31 (752) in `test`. None is published
for validation: `validation` marks whole videos of `train`, drawn by us.

Published numbers: accuracy on this split .803 (bc-LSTM, all three modalities, reading the utterances around each one;
Poria et al. 2017, as quoted by NLP-progress). Others use other features, other splits or other counts of utterances.
Ours, for scale (one utterance at a time, random forests): text .767, audio .588, video .515, all .761.
"""


@overload
def fetch_mosi(
    *,
    validation_share: float = 0.2,
    random_state: int = 0,
    data_home: Folder = None,
    download: bool = True,
    return_X_y: Literal[False] = False,
) -> Bunch: ...
@overload
def fetch_mosi(
    *,
    validation_share: float = 0.2,
    random_state: int = 0,
    data_home: Folder = None,
    download: bool = True,
    return_X_y: Literal[True],
) -> tuple[Modalities, NDArray[np.intp]]: ...
def fetch_mosi(
    *,
    validation_share: float = 0.2,
    random_state: int = 0,
    data_home: Folder = None,
    download: bool = True,
    return_X_y: bool = False,
) -> Bunch | tuple[Modalities, NDArray[np.intp]]:
    """Load CMU-MOSI: 2199 utterances of 93 videos, positive or negative.

    Args:
        validation_share: Share of the training videos that `validation` marks, above 0 and below 1.
        random_state: Seed of which videos these are.
        data_home: Folder to look in first (for mosi_bclstm/features.npz and utterances.csv.gz). Then come $PLAIT_DATA
            and the cache.
        download: As elsewhere, but no public place holds the prepared files: if they are not on this machine, True is
            an OSError that says where they come from.
        return_X_y: Return `(data, target)` alone; split and videos are lost.

    Returns:
        A Bunch with `data` (Modalities transcript, texts; text (100), audio (73), video (100)), `target` (0 negative, 1
        positive), `target_names`, `train` and `test` (rows of the published split), `validation` (booleans: training
        rows to tune on), `groups` (video of each utterance, as text), `published` and `DESCR`.

    Raises:
        FileNotFoundError: If the data are not on this machine and `download` is False.
        OSError: If they are not, and it is True.
        ValueError: If the share is out of its range, or a file is damaged; the message names it.
    """
    check_real("validation_share", validation_share, 0.0, 1.0, above=True)
    features, told = (prepared(source, _ORIGIN, data_home, download) for source in SOURCES)
    data = Modalities({"transcript": told["transcript"].tolist(), **{one: features[one] for one in _FEATURES}})
    target = features["label"].astype(np.intp)
    if return_X_y:
        return data, target
    train, videos = np.flatnonzero(~features["is_test"]), told["video"]
    return Bunch(
        data=data,
        target=target,
        target_names=np.array(["negative", "positive"]),
        train=train,
        test=np.flatnonzero(features["is_test"]),
        validation=_whole(videos, train, validation_share, random_state),
        groups=videos,
        DESCR=DESCR,
        published=_published(),
    )


def _whole(
    videos: Shaped[ndarray, " row"], train: NDArray[np.intp], share: float, random_state: int
) -> NDArray[np.bool_]:
    """Which rows are of a share of the training videos."""
    drawn = GroupShuffleSplit(n_splits=1, test_size=share, random_state=random_state)
    _, held = next(drawn.split(train, groups=videos[train]))
    return np.isin(np.arange(len(videos)), train[held])


def _published() -> pd.DataFrame:
    protocol = "official split of bc-LSTM (62/31 videos); reads neighbouring utterances; text + audio + video"
    source = "Poria et al. 2017, as quoted by NLP-progress"
    return published("bc-LSTM | .803", ("accuracy",), protocol, source)


_FEATURES = ("text", "audio", "video")
_ORIGIN = "bc-LSTM/data of github.com/declare-lab/multimodal-deep-learning"
SOURCES = (
    archive("mosi_bclstm", "features.npz", "54c8a50493030df0d6ec1dc89f57aa7bd79ec0fa5f66feb1fe361309b62eb237"),
    table("mosi_bclstm", "utterances.csv.gz", "7b95476de2605ccfeda0e385a105cd95ed868ba4b5363657f273e7be365e7a9b"),
)
