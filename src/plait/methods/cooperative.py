"""Cooperative learning: a network a modality, summed, and asked to agree."""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float
from torch import Tensor

from plait.data.batches import Batch
from plait.data.settings import check_real, layer_widths, strengths
from plait.data.shapes import Features, Output, Present
from plait.data.spec import DataSpec
from plait.methods.base import Fitted
from plait.methods.network import NetworkFusion
from plait.nn.agreement import disagreement, pooled
from plait.nn.averaged_net import AveragedNet
from plait.nn.copies import Copies
from plait.nn.criteria import Criterion, usable_mean
from plait.nn.encodings import Encodings
from plait.nn.layers import Rows, Stacked
from plait.training.course import Course
from plait.training.networks import learn_network


class CooperativeNet(Copies):
    """A perceptron for every modality, their outputs summed; copies at several rho, which start equal.

    Args:
        spec: Shapes, outputs and task.
        method: Hyperparameters.
        generator: Source of the initial weights.
    """

    rhos: Tensor

    def __init__(self, spec: DataSpec, method: "CooperativeFusion", generator: torch.Generator) -> None:
        path = strengths("rhos", method.rhos)
        super().__init__(spec, len(path))
        self.method, self.path = method, path
        rhos = torch.tensor(path, dtype=torch.float64).repeat_interleave(spec.folds)
        self.register_buffer("rhos", rhos, persistent=False)
        start = self._predictors(spec.folds, generator)
        self.predictors = start if self.settings == 1 else self._predictors(self.units, torch.Generator())
        _copy_units(start, torch.arange(spec.folds).repeat(self.settings), self.predictors)

    def _predictors(self, units: int, generator: torch.Generator) -> Encodings:
        """Perceptrons from the modalities to the outputs."""
        hidden, dropout = self.method.hidden, self.method.dropout
        return Encodings(self.spec, self.spec.outputs, hidden, units, generator, dropout)

    def forward(self, features: Features, present: Present) -> Output:
        return pooled(self.predictors(features, present), present)

    def objective(self, batch: Batch, criterion: Criterion) -> Float[Tensor, " unit"]:
        """Task loss of the sum plus rho times the disagreement, on the samples that the unit learns from."""
        parts = self.predictors(batch.features, batch.present)
        linked = criterion.link(pooled(parts, batch.present))
        penalty = self.rhos[:, None].to(linked) * disagreement(parts, batch.present, self.spec)
        return usable_mean(criterion.score(linked, batch.target) + penalty, self.taught(batch))

    def at_setting(self, place: int) -> "CooperativeNet":
        """The copies at one rho."""
        method = replace(self.method, rhos=(self.path[place],))
        alone = CooperativeNet(self.spec, method, torch.Generator()).to(next(self.parameters()))
        _copy_units(self.predictors, torch.arange(self.spec.folds) + place * self.spec.folds, alone.predictors)
        return alone


def _copy_units(source: Encodings, rows: Rows, to: Encodings) -> None:
    """Overwrite all units by those at `rows` of the same perceptrons."""
    layers = ([part for part in whole.modules() if isinstance(part, Stacked)] for whole in (source, to))
    for theirs, mine in zip(*layers, strict=True):
        mine.copy_rows(theirs, rows, torch.arange(len(rows)))


@dataclass(repr=False, eq=False)
class CooperativeFusion(NetworkFusion):
    """Every modality has a network of its own; their sum predicts, and a penalty asks them to agree.

    After Ding, Li, Narasimhan and Tibshirani, "Cooperative learning for multiview analysis" (2022), with perceptrons
    (or the user's encoders below them), any number of modalities, and absent ones. The paper minimises
    (y - sum f_m)^2 / 2 + rho / 2 * (the sum over pairs of (f_m - f_k)^2), here doubled: the squared error plus rho
    times the squared differences, so that rho means the same. For classes the f_m are centred logits; with two classes
    it is the paper's binomial form, cross-entropy plus rho / 2 times the squared differences of the log-odds.

    A sample that lacks some modalities is predicted by the mean of the f_m of the others, times the number of
    modalities: exact as far as they agree. All rho are trained side by side from the same weights, and that with the
    lowest validation loss is kept; the table "rho_path" tells the losses of all.

    Args:
        rhos: Strengths of agreement to choose from, >= 0. 0 is additive training without agreement. 1 is, for squared
            error, late fusion: the networks do not feel each other, and each predicts its share of the target, y / M.
            Beyond, they are drawn to what all of them can tell.
        hidden: Widths of the hidden layers of every modality's network; () is linear.
        dropout: Share of hidden units dropped in training, in [0, 1).
    """

    joins: ClassVar[str] = "predictions"

    rhos: tuple[float, ...] = (0.0, 0.1, 0.5, 1.0, 3.0)
    hidden: tuple[int, ...] = (128, 64)
    dropout: float = 0.2

    @property
    def forecasts(self) -> bool:
        """Its students have no channels of a series to themselves."""
        return False

    def network(self, spec: DataSpec, generator: torch.Generator) -> CooperativeNet:
        """The copies of the network, at every rho.

        Raises:
            ValueError: If a hyperparameter is out of its range.
        """
        check_real("dropout", self.dropout, 0.0, 1.0)
        layer_widths("hidden", self.hidden)
        return CooperativeNet(spec, self, generator)

    def build(self, spec: DataSpec) -> AveragedNet:
        """The network with fresh weights (at the first rho, where it is still to be chosen)."""
        return AveragedNet(self.network(spec, torch.Generator().manual_seed(0)).at_setting(0))

    def fit(self, course: Course) -> Fitted:
        """Train at every rho, and return the method with the best of them."""
        path = self.network(course.data.spec, course.generator())
        learned = learn_network(AveragedNet(path), course, type(self).__name__)
        chosen = path.at_setting(learned.best)
        net = AveragedNet(chosen).to(learned.net.prior.dtype).eval()
        net.prior.copy_(learned.net.prior)
        table = pd.DataFrame(
            {
                "rho": path.path,
                "validation_loss": learned.losses,
                "chosen": np.arange(path.settings) == learned.best,
            }
        )
        return Fitted(chosen.method, net, learned.result.history, {"rho_path": table}, learned.outputs)
