"""What a method is: hyperparameters that build a module, and how they are found."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import pandas as pd
from jaxtyping import Float
from sklearn.base import BaseEstimator
from torch import Tensor

from plait.data.spec import DataSpec
from plait.nn.module import FusionModule
from plait.training.course import Course
from plait.training.splits import MANY


@dataclass(frozen=True)
class Fitted:
    """What fitting a method gives.

    Args:
        method: The resolved method: nothing is left to search, `method.build(spec)` has the module's shape.
        module: The trained module.
        history: One row an epoch.
        tables: Further findings; the estimator shows each under its name with an underscore behind it.
        validation: The output for every validation sample, in their order, by a model that was not trained on it;
            None if the method has none.
    """

    method: "Method"
    module: FusionModule
    history: pd.DataFrame
    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    validation: Float[Tensor, "validation out"] | None = None


class Method(BaseEstimator, ABC):
    """A fusion strategy: a dataclass of hyperparameters beside a plain torch module.

    Hyperparameters are scikit-learn's: `get_params`, `set_params` and `clone` work, so that a grid search can
    go over `method__width` as well as over `method=[...]`.

    Attributes:
        joins: Where the modalities meet, in one word: "nothing" (no fusion), "features", "representations",
            "predictions", or "all" (the method chooses among these).
        folds_below: Number of samples below which several folds are held out by default, where they may be; from it on
            one set is.
    """

    joins: ClassVar[str] = "representations"
    folds_below: ClassVar[int] = MANY

    @property
    def folds_allowed(self) -> bool:
        """Whether copies of the model can be validated on a fold each; if not, one set is held out by default."""
        return False

    @property
    def validation_needed(self) -> bool:
        """Whether something is chosen by validation samples; if not, `validation=0` may hold out nothing."""
        return True

    @property
    def forecasts(self) -> bool:
        """Whether it can continue a series channel by channel (see `plait.Forecast`)."""
        return False

    @property
    def tap_pooling(self) -> str | None:
        """How tokens of a layered encoder's taps become vectors, if the method reads all taps; else None.

        Where it is None, a modality with a layered encoder is the last tap, the mean of its tokens.
        """
        return None

    def highest_taps(self, spec: DataSpec) -> Mapping[str, int] | None:
        """Of a resolved method that reads taps: the highest tap of each modality that a prediction needs."""
        return None

    @abstractmethod
    def build(self, spec: DataSpec) -> FusionModule:
        """A module with fresh weights; of a resolved method, one that saved weights fit into."""

    def fit(self, course: Course) -> Fitted:
        """Train on the course's data; a method that searches overrides this and returns itself resolved."""
        if course.data.spec.folds > 1:
            raise ValueError(
                f"{type(self).__name__} trains one model, which needs one set held out, but validation asks for "
                f"{course.data.spec.folds} folds. Give a share, for example validation=0.2."
            )
        with course.initial_weights():
            module = self.build(course.data.spec)
        result = course.run(module, 1, type(self).__name__)
        return Fitted(self, module, result.history)
