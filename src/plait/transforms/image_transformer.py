"""What transformers of series that learn nothing from the training rows have in common."""

from abc import ABC, abstractmethod
from typing import Any

from sklearn.base import BaseEstimator, TransformerMixin

from plait.data.numeric import numeric_values
from plait.transforms.windows import Images


class ImageTransformer(TransformerMixin, BaseEstimator, ABC):
    """A transformer from series to images that looks at each series alone."""

    def fit(self, X: Any, y: Any = None) -> "ImageTransformer":
        """Check the settings on the first series; nothing is learned.

        Args:
            X: Series (sample, time) or (sample, time, channel).
            y: Ignored.

        Raises:
            ValueError: As `transform`.
        """
        self.transform(numeric_values("series", X)[:1])
        return self

    @abstractmethod
    def transform(self, X: Any) -> Images:
        """Images (sample, channel, height, width) of series."""

    def __sklearn_tags__(self) -> Any:
        """Tags of scikit-learn: series of two or three axes, and no fit is needed."""
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        tags.input_tags.three_d_array = True
        return tags
