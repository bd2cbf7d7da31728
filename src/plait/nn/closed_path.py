"""What a head in closed form, or close to it, is fitted by: all samples at once, and what is said of those left out."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor


@dataclass(frozen=True)
class Fit:
    """A function of the features: bias + x' linear + x' products x, for each output.

    Args:
        linear: Weights of the features.
        products: Weights of their products, symmetric in the features; None where there are none.
        bias: What is added.
        penalty: The penalty per sample that was chosen.
        left_out: What is said of every sample by the fit to all others (but those of its block).
    """

    linear: Float[Tensor, "width out"]
    products: Float[Tensor, "out width width"] | None
    bias: Float[Tensor, " out"]
    penalty: float
    left_out: Float[Tensor, "sample out"]

    def towards(self, other: "Fit", strength: float) -> "Fit":
        """The mixture (self + strength * other) / (1 + strength).

        Of ridge regressions with one penalty it is the fit to that mixture of their targets: they are linear in these.
        """
        share = strength / (1 + strength)

        def between(one: Tensor, another: Tensor) -> Tensor:
            return torch.lerp(one, another, share)

        products = None if self.products is None else between(self.products, cast("Tensor", other.products))
        linear, bias = between(self.linear, other.linear), between(self.bias, other.bias)
        return Fit(linear, products, bias, self.penalty, between(self.left_out, other.left_out))

    def __call__(self, values: Float[Tensor, "row width"]) -> Float[Tensor, "row out"]:
        """Values of the function."""
        found = self.bias + values @ self.linear
        return found if self.products is None else found + torch.einsum("ri,oij,rj->ro", values, self.products, values)


@dataclass(frozen=True)
class Lessons:
    """What a head is drawn to: the mean of its teachers, on the scale of the targets.

    Args:
        target: The targets themselves.
        said: What the teachers say of every sample for the final fit, and then, fold by fold, what they say that does
            not know of the targets of this fold.
        fold: Fold of every sample; -1 where it is never judged.
        blocks: Samples of the same number are left out together; those of -1 one by one.
    """

    target: Float[Tensor, "sample out"]
    said: Sequence[Float[Tensor, "sample out"]]
    fold: Int[Tensor, " sample"]
    blocks: Int[Tensor, " sample"]


class ClosedPath(ABC):
    """Samples that many targets can be fitted to, with what each fit would say of samples left out."""

    @abstractmethod
    def fit(
        self,
        target: Float[Tensor, "sample out"],
        blocks: Int[Tensor, " sample"] | None = None,
        penalty: float | None = None,
    ) -> Fit:
        """The fit whose loss on what is left out is smallest.

        Args:
            target: What is fitted.
            blocks: Samples of the same number, counted from 0, are left out together, as folds or groups are; those of
                -1 one by one, or a few at a time. Features stay standardised by all samples.
            penalty: The penalty per sample; None searches for it.
        """

    @abstractmethod
    def left_out(
        self,
        target: Float[Tensor, "sample out"],
        blocks: Int[Tensor, " sample"],
        penalty: float,
        without: Bool[Tensor, " sample"],
    ) -> Float[Tensor, "kept out"]:
        """What is said of samples left out by fits that have not seen certain others either.

        Args:
            target: What is fitted.
            blocks: Who is left out together, as in `fit`.
            penalty: The penalty per sample, of all samples.
            without: The samples that no fit sees, and that nothing is said of.
        """

    @abstractmethod
    def drawn(self, alone: Fit, lessons: Lessons, rhos: Sequence[float]) -> list[Fit]:
        """For each rho the fit to (target + rho * lesson) / (1 + rho), at the penalty of the fit alone.

        What is left out of a fold comes from the lesson that does not know of the fold.

        Args:
            alone: The fit to the targets.
            lessons: What it is drawn to.
            rhos: Strengths, > 0.
        """
