"""No modality at all: what every method has to beat."""

import time
from dataclasses import dataclass
from typing import ClassVar

import pandas as pd
import torch
from jaxtyping import Float
from torch import Tensor

from plait.data.batches import Batch
from plait.data.spec import DataSpec
from plait.methods.base import Fitted, Method
from plait.nn.criteria import Criterion, criterion_for
from plait.nn.prior import PriorNet
from plait.training.course import Course


@dataclass(repr=False, eq=False)
class Baseline(Method):
    """Predict the class frequencies (so the most frequent class), or the mean target, whatever the sample.

    There is nothing to select, so that all samples of the fit count, also those held out for validation. It is
    scikit-learn's `DummyClassifier(strategy="prior")` or `DummyRegressor()`.
    """

    joins: ClassVar[str] = "nothing"

    @property
    def folds_allowed(self) -> bool:
        """A fold is predicted by the prior of the others."""
        return True

    @property
    def validation_needed(self) -> bool:
        """There is nothing to select."""
        return False

    def build(self, spec: DataSpec) -> PriorNet:
        """The module, with a prior of zeros."""
        return PriorNet(spec.outputs)

    def fit(self, course: Course) -> Fitted:
        """Count the classes, or average the target."""
        start = time.perf_counter()
        data, criterion = course.data, criterion_for(course.data.spec)
        net = self.build(data.spec)
        target = data.samples.target.double()
        net.prior.copy_(criterion.output_of(target.mean(0)))
        outputs = _blind(data.samples.rows(data.validation), data.samples, criterion)
        losses = [criterion.loss(net.prior.expand_as(target), target), criterion.loss(outputs, target[data.validation])]
        return Fitted(self, net.eval(), _history(losses, start), validation=outputs)


def _blind(validation: Batch, samples: Batch, criterion: Criterion) -> Float[Tensor, "validation out"]:
    """For every validation sample the prior of the samples outside its fold."""
    outputs = torch.empty_like(validation.target, dtype=torch.float64)
    for fold in torch.unique(validation.fold):
        others = samples.target[samples.fold != fold].double()
        outputs[validation.fold == fold] = criterion.output_of(others.mean(0))
    return outputs


def _history(losses: list[Tensor], start: float) -> pd.DataFrame:
    """One row, with the columns of a training."""
    training, validation = map(float, losses)
    row = {"phase": "Baseline", "epoch": 0, "training_loss": training, "validation_loss": validation}
    return pd.DataFrame([row | {"best_validation_loss": validation, "seconds": time.perf_counter() - start}])
