"""CMU-MOSI: words and features of the same utterances, split by whole videos."""

import gzip
from dataclasses import replace

import numpy as np
import pooch
import pytest

from plait.datasets import fetch_mosi, mosi
from plait.datasets._fetch import digest
from plait.datasets._prepared import read_columns


@pytest.fixture
def nowhere(tmp_path, monkeypatch):
    """A machine without data."""
    monkeypatch.delenv("PLAIT_DATA", raising=False)
    monkeypatch.setattr(pooch, "os_cache", lambda name: tmp_path / "cache")
    return tmp_path


@pytest.fixture
def small(nowhere, monkeypatch):
    """Ten videos of four utterances, seven of them for training: the arrays, and where they are."""
    folder = nowhere / "mosi_bclstm"
    folder.mkdir()
    rng = np.random.default_rng(0)
    video = np.repeat(np.arange(10), 4)
    label = rng.integers(0, 2, 40).astype(np.uint8)
    arrays = {name: rng.normal(size=(40, 3)).astype(np.float32) for name in ("text", "audio", "video")}
    arrays |= {"label": label, "is_test": video >= 7}
    np.savez(folder / "features.npz", **arrays)
    lines = [f"v{one},said {row}" for row, one in enumerate(video)]
    with gzip.open(folder / "utterances.csv.gz", "wt") as file:
        file.write("\n".join(["video,transcript", *lines]) + "\n")
    parts = (arrays, read_columns(folder / "utterances.csv.gz"))
    taken = [replace(source, sha256=digest(part)) for source, part in zip(mosi.SOURCES, parts, strict=True)]
    monkeypatch.setattr(mosi, "SOURCES", tuple(taken))
    return arrays, {"data_home": nowhere, "download": False}


def test_words_and_features_are_of_the_same_utterances(small):
    """Row by row, in the order of the files."""
    arrays, options = small
    bunch = fetch_mosi(**options)
    assert bunch.data["transcript"][7] == "said 7"
    assert np.array_equal(bunch.data["audio"], arrays["audio"])
    assert np.array_equal(bunch.target, arrays["label"])
    assert bunch.groups[7] == "v1"
    assert bunch.train.tolist() == list(range(28))
    assert bunch.test.tolist() == list(range(28, 40))


def test_validation_is_whole_videos_of_the_training_rows(small):
    """The share of them that was asked for; the seed decides which."""
    share = {"validation_share": 3 / 7}
    one, again, other = (fetch_mosi(random_state=seed, **share, **small[1]) for seed in (0, 0, 2))
    held = set(one.groups[one.validation])
    assert len(held) == 3
    assert np.array_equal(one.validation, np.isin(one.groups, list(held)))
    assert not one.validation[one.test].any()
    assert np.array_equal(one.validation, again.validation)
    assert set(other.groups[other.validation]) != held


@pytest.mark.parametrize("share", [0.0, 1.0, float("nan")])
def test_a_share_out_of_range_is_told_before_anything_is_read(nowhere, share):
    """A machine without data gives the same error."""
    with pytest.raises(ValueError, match="validation_share"):
        fetch_mosi(validation_share=share)


@pytest.mark.parametrize(("download", "kind"), [(False, FileNotFoundError), (True, OSError)])
def test_without_data_the_error_says_where_the_utterances_come_from(nowhere, download, kind):
    """No download is tried, since there is none."""
    with pytest.raises(kind, match=r"features\.npz in .*No public place.*declare-lab"):
        fetch_mosi(download=download)


def test_the_real_utterances_are_as_published():
    """62 videos and 31 others; counts of both classes; the published accuracy says of what it is."""
    try:
        bunch = fetch_mosi(download=False)
    except FileNotFoundError as error:
        pytest.skip(str(error))
    assert (len(set(bunch.groups[bunch.train])), len(set(bunch.groups[bunch.test]))) == (62, 31)
    assert np.bincount(bunch.target[bunch.train]).tolist() == [738, 709]
    assert np.bincount(bunch.target[bunch.test]).tolist() == [285, 467]
    assert len(set(bunch.groups[bunch.validation])) == 13
    assert bunch.data.sample_shapes == {"transcript": (), "text": (100,), "audio": (73,), "video": (100,)}
    assert bunch.published["value"].tolist() == [0.803]
    assert bunch.published["protocol"].str.contains("official split").all()
