"""A small method that keeps the contract, and ones that each break a promise."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import torch
from torch import nn

from plait.data.spec import DataSpec
from plait.methods.base import Fitted, Method
from plait.nn.module import FusionModule, evaluate
from plait.training.ensembling import prior_output


class SumNet(FusionModule):
    """The sum of a linear map of every modality that is there; the prior where none is."""

    def __init__(self, spec: DataSpec, method: "SumFusion") -> None:
        super().__init__()
        self.names = spec.names
        self.parts = nn.ModuleList(nn.Linear(spec.width(name), spec.outputs) for name in spec.names)
        self.register_buffer("prior", torch.zeros(spec.outputs))

    def read(self, features, present) -> Iterator[torch.Tensor]:
        for place, (name, part) in enumerate(zip(self.names, self.parts, strict=True)):
            here = present[:, place, None]
            yield part(features[name].flatten(1).where(here, 0)).where(here, 0)

    def join(self, encoded, present):
        return encoded.sum(0)

    def forward(self, features, present):
        joint = self.join(torch.stack(list(self.read(features, present))), present)
        return joint.where(present.any(1)[:, None], self.prior.to(joint))


@dataclass(repr=False, eq=False)
class SumFusion(Method):
    """Keeps every promise; trains one network."""

    scale: float = 1.0
    net = SumNet

    def build(self, spec):
        if spec.encoders:
            raise ValueError(f"Encoders are not read (there is one for '{next(iter(spec.encoders))}').")
        return self.net(spec, self)

    def fit(self, course):
        fitted = super().fit(course)
        fitted.module.prior.copy_(prior_output(course.data))
        held = course.data.samples.rows(course.data.validation)
        return replace(fitted, validation=evaluate(fitted.module, held.features, held.present))


# Predictions


class ProductNet(SumNet):
    def read(self, features, present):
        for place, (name, part) in enumerate(zip(self.names, self.parts, strict=True)):
            yield part(features[name].flatten(1) * present[:, place, None])


class ReadsAbsent(SumFusion):
    net = ProductNet


class LearnsFromAbsent(SumFusion):
    def fit(self, course):
        fitted = super().fit(course)
        shift = sum(values.nan_to_num().sum() for values in course.data.samples.features.values())
        with torch.no_grad():
            fitted.module.parts[0].bias += shift
        return fitted


class CentredNet(SumNet):
    def join(self, encoded, present):
        return (encoded - encoded.mean(1, keepdim=True)).sum(0)


class CentresOnTheBatch(SumFusion):
    net = CentredNet


class NoPriorNet(SumNet):
    def forward(self, features, present):
        return self.join(torch.stack(list(self.read(features, present))), present)


class ForgetsThePrior(SumFusion):
    net = NoPriorNet


class MeanNet(NoPriorNet):
    def join(self, encoded, present):
        return encoded.sum(0) / present.sum(1, keepdim=True)


class DividesByNothing(SumFusion):
    net = MeanNet


class ForgetsTheGuard(DividesByNothing):
    def fit(self, course):
        rows = course.data.samples
        somebody = replace(rows, present=rows.present | ~rows.present.any(1, keepdim=True))
        return super().fit(replace(course, data=replace(course.data, samples=somebody)))


class SpreadNet(SumNet):
    def join(self, encoded, present):
        return encoded.sum(0) / (present.sum(1, keepdim=True) - 2).abs().clamp(max=1)


class DividesByTwoOfThree(SumFusion):
    net = SpreadNet

    def fit(self, course):
        everything = torch.ones_like(course.data.samples.present)
        data = replace(course.data, samples=replace(course.data.samples, present=everything))
        return super().fit(replace(course, data=data))


class ForgetsThePriorOnTheWay(SumFusion):
    def fit(self, course):
        fitted = super().fit(course)
        prior = fitted.module.prior.clone()
        fitted.module.prior.zero_()
        held = course.data.samples.rows(course.data.validation)
        blind = evaluate(fitted.module, held.features, held.present)
        fitted.module.prior.copy_(prior)
        return replace(fitted, validation=blind)


# Fitting


class UnbiasedNet(SumNet):
    def join(self, encoded, present):
        return encoded.sum(0) / (len(encoded) - 1)


class NeedsTwoModalities(SumFusion):
    net = UnbiasedNet

    def fit(self, course):
        if len(course.data.spec.names) > 1:
            return super().fit(course)
        return Fitted(self, self.build(course.data.spec), pd.DataFrame())


class LeadingNet(SumNet):
    def forward(self, features, present):
        return super().forward(features, present)[None]


class LeavesAnAxis(SumFusion):
    net = LeadingNet

    def fit(self, course):
        return Method.fit(self, course)


class ReportsTooMuch(SumFusion):
    def fit(self, course):
        fitted = super().fit(course)
        every = course.data.samples
        return replace(fitted, validation=evaluate(fitted.module, every.features, every.present))


class HasSeenTheSet(SumFusion):
    def fit(self, course):
        fitted = super().fit(course)
        held = course.data.samples.rows(course.data.validation)
        return replace(fitted, validation=fitted.validation + held.target.mean(0))


class TouchesTheGlobalState(SumFusion):
    def fit(self, course):
        torch.rand(1)
        return super().fit(course)


class TouchesNumpysState(SumFusion):
    def fit(self, course):
        np.random.rand()
        return super().fit(course)


class IsNeverTheSame(SumFusion):
    def fit(self, course):
        return super().fit(replace(course, seed=int(np.random.default_rng().integers(2**31))))


class HasOneSeed(SumFusion):
    def fit(self, course):
        return super().fit(replace(course, seed=0))


class HasSeenTheFold(SumFusion):
    """One network for all folds."""

    folds_allowed = True

    def fit(self, course):
        if course.data.spec.folds == 1:
            return super().fit(course)
        single = replace(course.data.spec, folds=1)
        rows = course.data.samples
        fold = torch.where(torch.arange(len(rows)) < 8, 0, -1)
        fitted = super().fit(replace(course, data=replace(course.data, spec=single, samples=replace(rows, fold=fold))))
        seen = rows.rows(course.data.validation)
        return replace(fitted, validation=evaluate(fitted.module, seen.features, seen.present))


class ReportsNoFolds(HasSeenTheFold):
    def fit(self, course):
        return replace(super().fit(course), validation=None)


class IgnoresFolds(HasSeenTheFold):
    folds_allowed = False


# What is kept


@dataclass(repr=False, eq=False)
class ConvertsItsParameters(SumFusion):
    def __post_init__(self):
        self.scale = [self.scale]


@dataclass(repr=False, eq=False)
class ResolvesItself(SumFusion):
    def fit(self, course):
        self.scale = 2.0
        return super().fit(course)


@dataclass(eq=False)
class HasItsOwnRepr(SumFusion):
    def __repr__(self):
        return "a method"


class RememberingNet(SumNet):
    shift = 0.0

    def forward(self, features, present):
        return super().forward(features, present) + self.shift


class HidesWhatItLearned(SumFusion):
    net = RememberingNet

    def fit(self, course):
        fitted = super().fit(course)
        fitted.module.shift = 1.0
        return replace(fitted, validation=fitted.validation + 1)


class HidesItsSize(SumFusion):
    def fit(self, course):
        fitted = super().fit(course)
        fitted.module.extra = nn.Parameter(torch.zeros(3))
        return fitted


# Modules of the user


class IgnoresEncoders(SumFusion):
    def build(self, spec):
        return self.net(spec, self)


class RefusesWithoutAName(SumFusion):
    def build(self, spec):
        if spec.encoders:
            raise ValueError("No encoders.")
        return self.net(spec, self)


class EncoderNet(SumNet):
    def __init__(self, spec, method):
        super().__init__(spec, method)
        self.given = nn.ModuleDict({name: method.taken(module) for name, module in spec.encoders.items()})

    def read(self, features, present):
        yield from super().read(features, present)
        for place, name in enumerate(self.names):
            if name in self.given:
                read = self.given[name](features[name]).sum(1, keepdim=True)
                yield read.where(present[:, place, None], 0).expand(-1, len(self.prior))


class TrainsTheOriginal(IgnoresEncoders):
    net = EncoderNet

    def taken(self, module):
        return module


class FreezesEverything(IgnoresEncoders):
    net = EncoderNet

    def taken(self, module):
        return copied(module).requires_grad_(requires_grad=False)


class TrainsEverything(IgnoresEncoders):
    net = EncoderNet

    def taken(self, module):
        return copied(module).requires_grad_(requires_grad=True)


def copied(module):
    """A copy of a user's module."""
    other = type(module)(module.dense.in_features)
    other.load_state_dict(module.state_dict())
    return other
