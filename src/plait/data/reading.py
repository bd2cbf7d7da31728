"""What fit and predict are given, as modalities; for one table also what scikit-learn asks of an estimator."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.utils.validation import validate_data

from plait.data.checks import listed
from plait.data.convert import as_modalities, is_table
from plait.data.matching import matched
from plait.data.modalities import Modalities
from plait.data.tables import Groups, check_groups


def read_samples(estimator: BaseEstimator, X: Any, groups: Any) -> Modalities:
    """The samples of a fit; one table sets the estimator's `n_features_in_` (and `feature_names_in_`).

    Args:
        estimator: Who reads.
        X: Anything that holds modalities.
        groups: Columns of each modality, where X is one table.

    Raises:
        ValueError: If the input cannot be used; the message names modality, row or column, and what to do.
        TypeError: If it is no array of numbers at all.
    """
    if groups is not None:
        check_groups(groups)
    modalities = as_modalities(X, groups)
    for name in ("n_features_in_", "feature_names_in_"):
        if hasattr(estimator, name):
            delattr(estimator, name)
    if is_table(X):
        validate_data(estimator, X, skip_check_array=True)
    return _checked(modalities)


def read_new_samples(
    estimator: BaseEstimator,
    X: Any,
    groups: Groups | None,
    shapes: Mapping[str, tuple[int, ...]],
    columns: Mapping[str, tuple[str, ...]],
) -> Modalities:
    """New samples with the modalities and columns of the fit, in its order.

    Columns of a DataFrame are found by name wherever the fit knew names, whatever their order; columns that no
    modality reads are left out where the fit divided them by groups.

    Args:
        estimator: Who reads.
        X: Anything that holds modalities.
        groups: Columns of each modality in fit, where X is one table.
        shapes: Shape of a sample of each modality in fit.
        columns: Names of the columns in fit, where they are known.

    Raises:
        ValueError: If a modality or a column is unknown or missing, a shape differs, or a sample has no modality.
        TypeError: If it is no array of numbers at all.
    """
    if groups is not None and isinstance(X, Modalities):
        groups = None  # divided already
    named = isinstance(X, pd.DataFrame) and len(columns) == len(shapes)
    if named and groups is not None:
        groups = {name: list(columns[name]) for name in shapes}
    modalities = as_modalities(X, groups)
    if is_table(X) and not named:
        validate_data(estimator, X, reset=False, skip_check_array=True)
    return _checked(matched(modalities, shapes, columns))


def _checked(modalities: Modalities) -> Modalities:
    """The modalities of at least one sample, none of which lacks them all."""
    if not len(modalities):
        raise ValueError("Found 0 sample(s) while a minimum of 1 is required: the choice of rows was empty.")
    empty = ~modalities.present.any(1)
    if empty.any():
        raise ValueError(
            f"{empty.sum()} sample(s) have no modality at all: ids {listed(modalities.ids[empty])}. "
            "Nothing can be learned from or said of them; leave them out, for example X[X.present.any(1)]."
        )
    return modalities
