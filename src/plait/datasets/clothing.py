"""Women's clothing: reviews of an online shop, with a title, a text and a few facts each."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, overload

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.utils import Bunch

from plait.data.modalities import Modalities
from plait.data.settings import check_one_of
from plait.datasets._fetch import Arrays, Folder, Source, naming
from plait.datasets._prepared import prepared
from plait.datasets._published import published

DESCR = """Women's clothing: 23,486 anonymous reviews of an online shop.

Modalities title (a text; 3810 have none), text (the review; 845 have none) and facts (age of the reviewer, how many
found the review helpful, division, department and class of the item as indicators). Target "rating": 1 to 5 stars (56 %
are 5); target "recommended": whether the reviewer recommends the item (82 % do; the rating nearly gives it away).

Source: Women's E-Commerce Clothing Reviews of Kaggle (nicapotato), as in github.com/Python-Big-Data-Science-NYC/
PythonDataScienceBootcampNYC. Licence: CC0 (by our memory of Kaggle's page); the split's repository is Apache-2.0.
Citation: Agarap, "Statistical analysis on e-commerce reviews", arXiv 1805.03687; the split is of Gu and Budhkar, "A
package for learning on tabular and text data with transformers", 2021.
Split: that of georgian-io/Multimodal-Toolkit, 18,788 rows for training and 2349 for validation, both in `train`, the
latter marked by `validation`; 2349 in `test`. Items (`groups`) are on both sides.

Published numbers: "recommended", this split, F1 / area under precision and recall (Gu and Budhkar 2021; all columns
with the rating): BERT on the text .957/.992; all columns as text .968/.995; weighted sum .962/.994. "rating", AUC of
each class against the rest, 5 random 90/10 splits of the 18,788 training rows, frozen e5-small embeddings
(MulTaBench, arXiv 2605.10616), facts / text / both: CatBoost .7799 / .8850 / .9028; TabM .7784 / .8922 / .9068;
TabPFN-v2.5 .7807 / .8948 / .9092.
"""
RECOMMENDED = """
BERT, text alone | .957 | .992
all columns as text | .968 | .995
concatenation | .958 | .992
gating | .961 | .994
weighted sum | .962 | .994
"""
RATING = """
CatBoost, facts | .7799
CatBoost, text | .8850
CatBoost, both | .9028
TabM, text | .8922
TabM, both | .9068
TabPFN-v2.5, text | .8948
TabPFN-v2.5, both | .9092
"""


class _Target(NamedTuple):
    """A column, the names of its values, and what others reached."""

    column: str
    names: tuple[str, ...]
    first: int
    published: tuple[str, tuple[str, ...], str, str]


_TARGETS: Mapping[str, _Target] = MappingProxyType(
    {
        "rating": _Target(
            "Rating",
            ("1", "2", "3", "4", "5"),
            1,
            (RATING, ("roc_auc",), "5 random 90/10 splits of the training rows, frozen e5-small", "MulTaBench"),
        ),
        "recommended": _Target(
            "Recommended IND",
            ("no", "yes"),
            0,
            (RECOMMENDED, ("f1", "pr_auc"), "this split, all columns with the rating", "Gu and Budhkar 2021"),
        ),
    }
)


@overload
def fetch_clothing(
    *,
    target: str = "rating",
    data_home: Folder = None,
    download: bool = True,
    return_X_y: Literal[False] = False,
) -> Bunch: ...
@overload
def fetch_clothing(
    *, target: str = "rating", data_home: Folder = None, download: bool = True, return_X_y: Literal[True]
) -> tuple[Modalities, NDArray[np.intp]]: ...
def fetch_clothing(
    *,
    target: str = "rating",
    data_home: Folder = None,
    download: bool = True,
    return_X_y: bool = False,
) -> Bunch | tuple[Modalities, NDArray[np.intp]]:
    """Load reviews of women's clothing: 23,486 with title, text and facts. Needs the extra `parquet`.

    Args:
        target: "rating" (five classes) or "recommended" (two). The other one is no modality.
        data_home: Folder to look in first (for womens_clothing/clothing.parquet). Then come $PLAIT_DATA and the cache.
        download: As elsewhere, but no public place holds the prepared file: if it is not on this machine, True is an
            OSError that says where it comes from.
        return_X_y: Return `(data, target)` alone; the split is lost.

    Returns:
        A Bunch with `data` (Modalities title and text, texts, absent where empty; facts, numbers), `target`,
        `target_names`, `train` and `test` (rows of the published split), `validation` (booleans: rows of `train` that
        were published for validation), `groups` (number of the item), `published` and `DESCR`.

    Raises:
        FileNotFoundError: If the data are not on this machine and `download` is False.
        OSError: If they are not, and it is True.
        ImportError: If pyarrow is not installed.
        ValueError: If there is no such target, or the file is damaged; the message names it.
    """
    check_one_of("target", target, _TARGETS)
    arrays, wanted = prepared(SOURCE, _ORIGIN, data_home, download), _TARGETS[target]
    values = arrays[wanted.column].astype(np.intp) - wanted.first
    data = _modalities(arrays)
    if return_X_y:
        return data, values
    return Bunch(
        data=data,
        target=values,
        target_names=np.array(wanted.names),
        train=np.flatnonzero(arrays["split"] != "test"),
        test=np.flatnonzero(arrays["split"] == "test"),
        validation=arrays["split"] == "val",
        groups=arrays["Clothing ID"],
        DESCR=DESCR,
        published=published(*wanted.published),
    )


def _modalities(arrays: Arrays) -> Modalities:
    facts = pd.DataFrame({name: arrays[column].astype(np.float64) for name, column in _NUMBERS.items()})
    kinds = pd.DataFrame({name: arrays[column] for name, column in _KINDS.items()})
    texts = {name: [text or None for text in arrays[column].tolist()] for name, column in _TEXTS.items()}
    return Modalities({**texts, "facts": facts.join(pd.get_dummies(kinds, dtype=np.float64))})


def _read(path: Path) -> Arrays:
    with naming(path):
        frame = pd.read_parquet(path)
        return {str(name): _array(column) for name, column in frame.items()}


def _array(column: "pd.Series[Any]") -> NDArray[Any]:
    """Whole numbers, or texts with nothing where nothing was written."""
    if pd.api.types.is_integer_dtype(column.dtype):
        return np.asarray(column, np.int64)
    return np.asarray(column.fillna(""), np.str_)


_TEXTS = {"title": "Title", "text": "Review Text"}
_NUMBERS = {"age": "Age", "positive feedback": "Positive Feedback Count"}
_KINDS = {"division": "Division Name", "department": "Department Name", "class": "Class Name"}
_ORIGIN = "the reviews of kaggle.com/datasets/nicapotato/womens-ecommerce-clothing-reviews"
_FILE = "clothing.parquet"
SOURCE = Source(
    name="womens_clothing",
    file=_FILE,
    read=_read,
    parts=(_FILE,),
    build=lambda folder: _read(folder / _FILE),
    sha256="5228b688677d2b8237c3f3028b7a8ee68d951ed1af93140e13af2ef2f0cad549",
    urls=MappingProxyType({}),
)
