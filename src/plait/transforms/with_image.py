"""A modality made of another one: the series, and the image of the series."""

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.utils.validation import check_is_fitted

from plait.data.checks import Array
from plait.data.convert import as_modalities
from plait.data.gaps import fill_gaps, without_empty
from plait.data.missing import check_finite, present_rows
from plait.data.modalities import Modalities
from plait.data.numeric import real_numbers
from plait.transforms.gramian import GramianAngularField

Rows = npt.NDArray[np.bool_]


class WithImage(TransformerMixin, BaseEstimator):
    """Modalities with one more, which is made of one of them: a step of a pipeline before an estimator.

    The transformer is fitted on the samples that have the series, and sees no others. A sample without the series has
    no image either. Missing steps (NaN beside other values) are interpolated linearly for the image, each channel of
    each sample by itself, and stay missing in the series; where a channel has no value at all, the image is absent.

    Args:
        of: The modality that the new one is made of: samples of shape (time,) or (time, channel).
        transformer: A transformer of scikit-learn from arrays (sample, time) or (sample, time, channel) to arrays with
            one row a sample, for example one of `plait.transforms`; None is `GramianAngularField()`.
        name: Name of the new modality. It comes last.

    Attributes:
        transformer_: The fitted transformer.
        series_shape_: Shape of one series.
        image_shape_: Shape of one image.

    Examples:
        >>> import numpy as np
        >>> X = WithImage("ecg", GramianAngularField(size=8)).fit_transform({"ecg": np.random.rand(4, 20, 2)})
        >>> X
        Modalities(n=4, ecg=(20, 2), image=(2, 8, 8))
    """

    def __init__(self, of: str = "series", transformer: Any = None, name: str = "image") -> None:
        self.of = of
        self.transformer = transformer
        self.name = name

    def fit(self, X: Any, y: Any = None) -> "WithImage":
        """Fit a copy of the transformer.

        Args:
            X: `Modalities`, or what the estimators take for them.
            y: Ignored.

        Raises:
            KeyError: If there is no modality `of`.
            ValueError: If there is a modality `name` already, no sample has the series, and as the transformer.
        """
        X = as_modalities(X)
        self._check_name(X)
        rows = self._usable(X)
        if not rows.any():
            raise ValueError(f"No sample has modality {self.of!r} to fit a transformer on. Give samples that have it.")
        series = fill_gaps(X[self.of][rows])
        given = GramianAngularField() if self.transformer is None else self.transformer
        self.transformer_ = clone(given).fit(series)
        self.series_shape_ = series.shape[1:]
        self.image_shape_ = self._images(series[:1]).shape[1:]
        return self

    def transform(self, X: Any) -> Modalities:
        """The modalities and their image, with the same samples, ids and presence.

        Args:
            X: Modalities as in fit; that of the series may be None.

        Raises:
            KeyError: If there is no modality `of`.
            ValueError: If there is a modality `name` already, the series have another shape than in fit, and as the
                transformer.
        """
        check_is_fitted(self)
        X = as_modalities(X)
        self._check_name(X)
        rows = self._usable(X)
        images = self._spread(X[self.of], rows)
        check_finite(self.name, images, rows, X.ids)
        present = np.column_stack([X.present, rows & present_rows(images)])
        new = Modalities.trusted({**X, self.name: images}, X.ids, present, X.columns, own_ids=X.own_ids)
        new.account = X.account
        return new

    def _spread(self, series: Array, rows: Rows) -> Array:
        """Images of these rows, and NaN in all others."""
        if not rows.any():
            return np.full((len(rows), *self.image_shape_), np.nan)
        if series.shape[1:] != self.series_shape_:
            raise ValueError(
                f"A sample of modality {self.of!r} had shape {self.series_shape_} in fit, now it has "
                f"{series.shape[1:]}. Give series of that shape."
            )
        images = self._images(fill_gaps(series if rows.all() else series[rows]))
        if rows.all():
            return images
        spread = np.full((len(rows), *images.shape[1:]), np.nan, dtype=images.dtype)
        spread[rows] = images
        return spread

    def _images(self, series: Array) -> Array:
        what = f"The modality {self.name!r} that {type(self.transformer_).__name__} makes"
        images = real_numbers(what, np.asarray(self.transformer_.transform(series)))
        if images.ndim < 2 or len(images) != len(series):
            raise ValueError(
                f"{what} must have one row for each of {len(series)} sample(s) and at least two axes; it has shape "
                f"{images.shape}."
            )
        return images

    def _usable(self, X: Modalities) -> Rows:
        """Which samples have the series, with a value in every channel."""
        series = X[self.of]
        return X.present[:, X.names.index(self.of)] & without_empty(series)

    def _check_name(self, X: Modalities) -> None:
        if self.name in X:
            raise ValueError(
                f"There is a modality {self.name!r} already; the modalities are {', '.join(map(repr, X))}. "
                "Choose another name=."
            )
