"""Emoji: pictures and names as they are in the files, without flags, split by category."""

from dataclasses import replace

import numpy as np
import pooch
import pytest

from plait.datasets import emoji, fetch_emoji
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
    """Forty emoji of two categories and ten flags, one of which is called NA: their arrays, and where they are."""
    folder = nowhere / "emoji_image_text"
    folder.mkdir()
    rng = np.random.default_rng(0)
    images = {name: rng.integers(0, 256, (50, 32, 32, 3)).astype(np.uint8) for name in ("twitter", "google")}
    np.savez(folder / "images.npz", **images)
    kinds = ["Objects", "Symbols", "Objects", "Symbols", "Flags"] * 10
    lines = [f"{kind} {row},{kind},sub{row % 3}" for row, kind in enumerate(kinds)]
    lines[0] = "NA,Objects,sub0"
    (folder / "emoji.csv").write_text("\n".join(["name,category,subcategory", *lines]) + "\n")
    parts = (images, read_columns(folder / "emoji.csv"))
    taken = [replace(source, sha256=digest(part)) for source, part in zip(emoji.SOURCES, parts, strict=True)]
    monkeypatch.setattr(emoji, "SOURCES", tuple(taken))
    return images, {"data_home": nowhere, "download": False}


def test_flags_are_left_out_unless_asked_for(small):
    """Rows of pictures, names and categories go together."""
    images, options = small
    bunch, whole = fetch_emoji(**options), fetch_emoji(flags=True, **options)
    assert (len(bunch.data), len(whole.data)) == (40, 50)
    assert bunch.target_names.tolist() == ["Objects", "Symbols"]
    assert whole.target_names.tolist() == ["Flags", "Objects", "Symbols"]
    kept = np.arange(50) % 5 != 4
    np.testing.assert_allclose(bunch.data["google"], images["google"][kept].transpose(0, 3, 1, 2) / 255, rtol=1e-6)
    assert bunch.data["name"][4] == "Objects 5"
    assert bunch.target_names[bunch.target].tolist() == [*["Objects", "Symbols"] * 20]
    assert bunch.subcategory[4] == "sub2"


def test_a_name_that_says_na_is_a_text(small):
    """It is not taken for a missing value."""
    data, _ = fetch_emoji(return_X_y=True, **small[1])
    assert data["name"][0] == "NA"
    assert data.present.all()


def test_the_split_is_of_all_rows_by_category(small):
    """Every row once, each category in each part in its share; the seed decides which rows."""
    one, again, other = (fetch_emoji(random_state=seed, **small[1]) for seed in (0, 0, 1))
    assert sorted(np.concatenate(one.split).tolist()) == list(range(40))
    assert [len(part) for part in one.split] == [22, 6, 12]
    assert [np.bincount(one.target[part]).tolist() for part in one.split] == [[11, 11], [3, 3], [6, 6]]
    assert all(np.array_equal(a, b) for a, b in zip(one.split, again.split, strict=True))
    assert not np.array_equal(one.split.test, other.split.test)


@pytest.mark.parametrize(("download", "kind"), [(False, FileNotFoundError), (True, OSError)])
def test_without_data_the_error_says_where_the_emoji_come_from(nowhere, download, kind):
    """No download is tried, since there is none."""
    with pytest.raises(kind, match=r"images\.npz in .*Set PLAIT_DATA.*No public place.*emoji-datasource-twitter"):
        fetch_emoji(download=download)


def test_the_real_emoji_are_as_described():
    """1636 of eight categories; pictures between 0 and 1, none empty."""
    try:
        bunch = fetch_emoji(download=False)
    except FileNotFoundError as error:
        pytest.skip(str(error))
    assert np.bincount(bunch.target).tolist() == [85, 159, 131, 264, 386, 169, 224, 218]
    assert bunch.data.sample_shapes["twitter"] == (3, 32, 32)
    assert (bunch.data["twitter"].min(), bunch.data["twitter"].max()) == (0, 1)
    assert (bunch.data["google"].min(axis=(1, 2, 3)) < 0.99).all()
    assert not any(name.startswith("flag:") for name in bunch.data["name"])
    assert "emoji" in bunch.DESCR
    assert bunch.published.empty
