"""AV-digits: sound decoded and cut to one length, pictures paired by take or by speaker."""

from dataclasses import replace

import numpy as np
import pooch
import pytest

from plait.datasets import av_digits, fetch_av_digits
from plait.datasets._fetch import digest
from plait.datasets.av_digits import decoded, waveforms


@pytest.fixture
def nowhere(tmp_path, monkeypatch):
    """A machine without data."""
    monkeypatch.delenv("PLAIT_DATA", raising=False)
    monkeypatch.setattr(pooch, "os_cache", lambda name: tmp_path / "cache")
    return tmp_path


@pytest.fixture
def small(nowhere, monkeypatch):
    """Two speakers, ten digits, three takes; four pictures a digit. The arrays, and where they are."""
    rng = np.random.default_rng(0)
    speaker, digit, take = (grid.ravel().astype(np.uint8) for grid in np.mgrid[:2, :10, :3])
    lengths = rng.integers(5, 40, 60).astype(np.int32)
    sound = {"audio_mulaw": rng.integers(0, 256, lengths.sum()).astype(np.uint8), "length": lengths, "digit": digit}
    sound |= {"speaker": speaker, "take": take, "speaker_names": np.array(["anna", "ben"])}
    sight = {"image": rng.integers(0, 7, (40, 16, 15)).astype(np.uint8), "image_label": np.repeat(np.arange(10), 4)}
    sight["image_label"] = sight["image_label"].astype(np.uint8)
    sight |= {"image_index": (digit * 4 + take).astype(np.int16), "is_test": take == 0}
    (nowhere / "av_digits").mkdir()
    taken = []
    for source, arrays in zip(av_digits.SOURCES, (sound, sight), strict=True):
        np.savez(nowhere / "av_digits" / source.file, **arrays)
        taken.append(replace(source, sha256=digest(arrays)))
    monkeypatch.setattr(av_digits, "SOURCES", tuple(taken))
    return sound, sight, {"data_home": nowhere, "download": False}


def test_mu_law_by_hand():
    """The ends are -1 and 1, the two middle codes are next to 0, and the law is odd and rises."""
    table = decoded(np.arange(256, dtype=np.uint8))
    assert (table[0], table[255]) == (-1, 1)
    assert table[128] == pytest.approx((256 ** (1 / 255) - 1) / 255, rel=1e-5)
    np.testing.assert_allclose(table, -table[::-1], atol=1e-7)
    assert (np.diff(table) > 0).all()


def test_recordings_are_cut_or_end_in_zeros():
    """Each begins where the one before ends."""
    codes = np.array([255, 255, 0, 0, 0, 255], np.uint8)
    found = waveforms(codes, np.array([2, 3, 1]), 2)
    assert found[..., 0].tolist() == [[1, 1], [-1, -1], [1, 0]]


def test_pictures_show_the_digit_that_is_heard(small):
    """With either pairing."""
    _, sight, options = small
    for pairing in ("takes", "speakers"):
        bunch = fetch_av_digits(pairing=pairing, length=20, **options)
        assert np.array_equal(sight["image_label"][bunch.image_rows], bunch.target)
        np.testing.assert_allclose(bunch.data["image"][:, 0], sight["image"][bunch.image_rows] / 6, rtol=1e-6)


def test_no_picture_is_with_two_speakers(small):
    """If they are paired so; each speaker has half of four pictures a digit."""
    bunch = fetch_av_digits(pairing="speakers", length=20, **small[2])
    own = [set(bunch.image_rows[bunch.groups == speaker]) for speaker in (0, 1)]
    assert not own[0] & own[1]
    assert [len(one) for one in own] == [20, 20]


def test_takes_decide_the_split(small):
    """Sizes, lengths and groups are those of the recordings."""
    sound, _, options = small
    bunch = fetch_av_digits(length=20, **options)
    assert bunch.data.sample_shapes == {"audio": (20, 1), "image": (1, 16, 15)}
    assert np.array_equal(bunch.test, np.arange(0, 60, 3))
    assert not set(bunch.train) & set(bunch.test)
    assert np.array_equal(bunch.lengths, np.minimum(sound["length"], 20))
    silent = np.arange(20)[None] >= bunch.lengths[:, None]
    assert (bunch.data["audio"][..., 0][silent] == 0).all()
    assert bunch.groups.tolist() == [0] * 30 + [1] * 30


@pytest.mark.parametrize(
    ("options", "message"), [({"pairing": "digits"}, "pairing must be"), ({"length": 0}, "length")]
)
def test_wrong_arguments_are_told_before_anything_is_read(nowhere, options, message):
    """A machine without data gives the same error."""
    with pytest.raises(ValueError, match=message):
        fetch_av_digits(**options)


@pytest.mark.parametrize(("download", "kind"), [(False, FileNotFoundError), (True, OSError)])
def test_without_data_the_error_says_where_the_digits_come_from(nowhere, download, kind):
    """No download is tried, since there is none."""
    with pytest.raises(kind, match=r"fsdd_mulaw8k\.npz in .*No public place.*free-spoken-digit-dataset"):
        fetch_av_digits(download=download)


def test_the_real_digits_are_as_described():
    """50 takes of each digit by six speakers; no picture is with two of them if paired so, nor in train and test."""
    try:
        bunch = fetch_av_digits(length=1, download=False)
    except FileNotFoundError as error:
        pytest.skip(str(error))
    assert np.bincount(bunch.target * 6 + bunch.groups).tolist() == [50] * 60
    assert (len(bunch.train), len(bunch.test)) == (2700, 300)
    assert not set(bunch.image_rows[bunch.train]) & set(bunch.image_rows[bunch.test])
    paired = fetch_av_digits(pairing="speakers", length=1, download=False)
    counts = [len(set(paired.image_rows[paired.groups == speaker])) for speaker in range(6)]
    assert sum(counts) == len(set(paired.image_rows)) == 2000
