"""Women's clothing: titles, texts and facts, what was not written is absent, the published split."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pooch
import pytest

from plait.datasets import clothing, fetch_clothing
from plait.datasets._fetch import digest


@pytest.fixture
def nowhere(tmp_path, monkeypatch):
    """A machine without data."""
    monkeypatch.delenv("PLAIT_DATA", raising=False)
    monkeypatch.setattr(pooch, "os_cache", lambda name: tmp_path / "cache")
    return tmp_path


@pytest.fixture
def small(nowhere, monkeypatch):
    """Six reviews, one without a title, one without a text."""
    pytest.importorskip("pyarrow")
    table = pd.DataFrame(
        {
            "split": ["train", "train", "train", "val", "test", "test"],
            "Clothing ID": [7, 7, 8, 8, 9, 9],
            "Age": [20, 30, 40, 50, 60, 70],
            "Title": ["nice", None, "bad", "fine", "great", "so so"],
            "Review Text": ["a", "b", "c", None, "e", "f"],
            "Rating": [5, 4, 1, 3, 5, 2],
            "Recommended IND": [1, 1, 0, 1, 1, 0],
            "Positive Feedback Count": [0, 1, 2, 3, 4, 5],
            "Division Name": ["x", "x", "y", "y", None, "x"],
            "Department Name": ["d"] * 6,
            "Class Name": ["k", "l", "k", "l", "k", "l"],
        }
    )
    (nowhere / "womens_clothing").mkdir()
    path = nowhere / "womens_clothing" / "clothing.parquet"
    table.to_parquet(path)
    monkeypatch.setattr(clothing, "SOURCE", replace(clothing.SOURCE, sha256=digest(clothing.SOURCE.read(path))))
    return {"data_home": nowhere, "download": False}


def test_what_was_not_written_is_absent(small):
    """And nothing else is."""
    bunch = fetch_clothing(**small)
    assert bunch.data.names == ("title", "text", "facts")
    assert bunch.data["title"].tolist() == ["nice", None, "bad", "fine", "great", "so so"]
    assert np.argwhere(~bunch.data.present).tolist() == [[1, 0], [3, 1]]


def test_facts_are_numbers_and_indicators(small):
    """No rating and no recommendation is among them."""
    data = fetch_clothing(**small).data
    columns = (
        "age",
        "positive feedback",
        "division_",
        "division_x",
        "division_y",
        "department_d",
        "class_k",
        "class_l",
    )
    assert data.columns["facts"] == columns
    assert data["facts"][2].tolist() == [40, 2, 0, 0, 1, 1, 1, 0]


def test_targets_are_codes_of_their_names(small):
    """Ratings from 1, recommendations from no to yes; each with the public numbers of its own."""
    rating, recommended = (fetch_clothing(target=name, **small) for name in ("rating", "recommended"))
    assert rating.target_names[rating.target].tolist() == ["5", "4", "1", "3", "5", "2"]
    assert recommended.target_names[recommended.target].tolist() == ["yes", "yes", "no", "yes", "yes", "no"]
    assert set(rating.published["metric"]) == {"roc_auc"}
    assert set(recommended.published["metric"]) == {"f1", "pr_auc"}


def test_the_published_split_is_kept(small):
    """Validation rows are marked among the training rows."""
    bunch = fetch_clothing(**small)
    assert bunch.train.tolist() == [0, 1, 2, 3]
    assert bunch.test.tolist() == [4, 5]
    assert np.flatnonzero(bunch.validation).tolist() == [3]
    assert bunch.groups.tolist() == [7, 7, 8, 8, 9, 9]


def test_an_unknown_target_is_told_before_anything_is_read(nowhere):
    """A machine without data gives the same error."""
    with pytest.raises(ValueError, match="target must be one of 'rating', 'recommended'"):
        fetch_clothing(target="age")


@pytest.mark.parametrize(("download", "kind"), [(False, FileNotFoundError), (True, OSError)])
def test_without_data_the_error_says_where_the_reviews_come_from(nowhere, download, kind):
    """No download is tried, since there is none."""
    with pytest.raises(kind, match=r"clothing\.parquet in .*No public place.*kaggle\.com"):
        fetch_clothing(download=download)


def test_the_real_reviews_are_as_described():
    """Sizes of the split, stars, and how many have no title or text."""
    pytest.importorskip("pyarrow")
    try:
        bunch = fetch_clothing(download=False)
    except FileNotFoundError as error:
        pytest.skip(str(error))
    assert (len(bunch.train), bunch.validation.sum(), len(bunch.test)) == (21137, 2349, 2349)
    assert np.bincount(bunch.target).tolist() == [842, 1565, 2871, 5077, 13131]
    assert (~bunch.data.present).sum(axis=0).tolist() == [3810, 845, 0]
