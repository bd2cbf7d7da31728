"""Linear cooperative learning: a sparse linear score of every modality, fitted to agree."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import pandas as pd
import torch
from scipy import stats

from plait.data.settings import check_one_of, check_real, check_whole, strengths
from plait.data.spec import DataSpec
from plait.methods.base import Fitted, Method
from plait.nn.additive import AdditiveNet
from plait.nn.extractors import is_frozen
from plait.training.cooperative_folds import CooperativeFolds, Losses
from plait.training.course import Course
from plait.training.progress import progress_bar


@dataclass(repr=False, eq=False)
class CooperativeLasso(Method):
    """A linear score of every modality; their sum predicts, and differences between them are penalised.

    After Ding, Li, Narasimhan and Tibshirani, "Cooperative learning for multiview analysis" (PNAS, 2022; the R package
    multiview), for any number of modalities. With scores f_m = X_m b_m it minimises

        1/n [ sum_i loss(y_i, b_0 + sum_m f_im) + rho/2 sum_i sum_{m < m'} (f_im - f_im')^2 ]
            + lambda (l1_ratio |b|_1 + (1 - l1_ratio)/2 |b|^2).

    The loss is half the squared error (each of several targets is a problem of its own, at the same rho and lambda), or
    minus the log-likelihood of the classes: binomial for two, for more the multinomial model with one linear predictor
    a class, each penalised. At rho = 0 this is the lasso on all features side by side (early fusion); at rho = 1 the
    modalities of a regression are fitted each alone; as rho grows they are made to predict alike (late fusion).

    Every pair of a rho and a lambda is judged on samples that its fit has not seen, and the best is fitted again to all
    samples. Optimality conditions hold to 5 % of lambda along the paths, and to one part in a million in the last fit
    (see `plait.training.cooperative`). Epochs, steps and patience of the trainer do not matter. The grid of lambdas is
    one for all folds, as glmnet's, and known from all samples.

    A sample that lacks a modality counts in the loss with the others, whose sum fills in for it (`fill_factor`: nothing
    at rho = 0, their mean as rho grows), in training as in prediction; pairs count where both are there.

    Args:
        rhos: Strengths of the agreement to choose from, >= 0.
        lambdas: Strengths of the penalty to choose from, >= 0, in units of the gradient of the mean loss in a feature;
            None is `n_lambdas` values, evenly spaced in their logarithm, from the smallest at which all coefficients
            are zero down to 1 % of it (0.01 % where there are more samples than features).
        n_lambdas: Number of values where none are given, at least 2.
        l1_ratio: Share of the lasso in the penalty, in (0, 1]; 1 is the lasso, below it the elastic net.
        select: "best" is the pair of the lowest validation loss; "one-se", at the same rho, the largest lambda whose
            loss is within a standard error of it: a sparser model.
    """

    joins: ClassVar[str] = "predictions"

    rhos: tuple[float, ...] = (0.0, 0.1, 0.25, 0.5, 1.0, 3.0, 9.0)
    lambdas: tuple[float, ...] | None = None
    n_lambdas: int = 50
    l1_ratio: float = 1.0
    select: Literal["best", "one-se"] = "best"

    @property
    def folds_allowed(self) -> bool:
        """There is a fit for every fold."""
        return True

    def build(self, spec: DataSpec) -> AdditiveNet:
        """The module with zero weights (at the first rho, where it is still to be chosen).

        Raises:
            ValueError: If a hyperparameter is out of its range, or an encoder of the user's is to be trained.
        """
        rhos = self._check()
        for name, encoder in spec.encoders.items():
            if not is_frozen(encoder):
                raise ValueError(
                    f"{type(self).__name__} fits linear scores and cannot train the encoder of modality {name!r} "
                    f"({type(encoder).__name__}). Freeze it, module.requires_grad_(False), or choose another method."
                )
        return AdditiveNet(spec, rhos[0])

    def fit(self, course: Course) -> Fitted:
        """Choose rho and lambda on the validation samples, and fit them to all samples."""
        net = self.build(course.data.spec).to(course.trainer.dtype)
        given = None if self.lambdas is None else sorted(strengths("lambdas", self.lambdas), reverse=True)
        folds = CooperativeFolds(course.data, net, given or self.n_lambdas, self.l1_ratio)
        paths = list(self._paths(folds, course))
        best = min(paths, key=lambda path: path.mean.min())
        place = best.chosen(one_se=self.select == "one-se")
        start = time.perf_counter()
        net.rho, found = best.rho, folds.refit(best.rho, best.lambdas[: place + 1])
        method = CooperativeLasso(**{**self.get_params(deep=False), "rhos": (best.rho,), "lambdas": (found.strength,)})
        history = _history(paths, best, place, time.perf_counter() - start)
        tables = {"rho_path": _rho_path(paths, best), "coefficients": folds.table(found)}
        return Fitted(method, net.eval(), history, tables, torch.from_numpy(best.outputs[place]))

    def _paths(self, folds: CooperativeFolds, course: Course) -> Iterator[Losses]:
        """The validation losses along lambda, for every rho."""
        bar = progress_bar(len(self.rhos), type(self).__name__, "rho", course.verbose)
        with bar:
            for rho in strengths("rhos", self.rhos):
                path = folds.losses(rho)
                bar.set_postfix(rho=f"{rho:g}", validation=f"{path.mean.min():.4g}")
                bar.update()
                yield path

    def _check(self) -> tuple[float, ...]:
        """The values of rho; raises ValueError if a setting is out of its range."""
        check_whole("n_lambdas", self.n_lambdas, 2)
        check_one_of("select", self.select, ("best", "one-se"))
        if self.l1_ratio != 1:
            check_real("l1_ratio", self.l1_ratio, 0.0, 1.0, above=True)
        if self.lambdas is not None:
            strengths("lambdas", self.lambdas)
        return strengths("rhos", self.rhos)


def _rho_path(paths: Sequence[Losses], best: Losses) -> pd.DataFrame:
    """One row a rho: the lowest validation loss along lambda with its 95 % interval, and which was chosen."""
    rows = []
    for path in paths:
        place = int(path.mean.argmin())
        mean, reach = path.mean[place], path.error[place] * stats.t.ppf(0.975, max(path.parts - 1, 1))
        losses = {"validation_loss": mean, "low": mean - reach, "high": mean + reach}
        rows.append({"rho": path.rho, "lambda": path.lambdas[place], **losses, "chosen": path is best})
    return pd.DataFrame(rows)


def _history(paths: Sequence[Losses], best: Losses, place: int, seconds: float) -> pd.DataFrame:
    """One row a rho, and one of the fit to all samples."""
    rows: list[dict[str, Any]] = []
    for path in paths:
        loss = float(path.mean.min())
        lowest = min([loss, *(row["best_validation_loss"] for row in rows[-1:])])
        at = {"phase": f"rho {path.rho:g}", "rho": path.rho, "lambda": path.lambdas[int(path.mean.argmin())]}
        rows.append({**at, "validation_loss": loss, "best_validation_loss": lowest, "seconds": path.seconds})
    loss = float(best.mean[place])
    at = {"phase": "all samples", "rho": best.rho, "lambda": best.lambdas[place]}
    rows.append({**at, "validation_loss": loss, "best_validation_loss": loss, "seconds": seconds})
    return pd.DataFrame(rows)
