"""Late fusion: one network (or scikit-learn estimator) a modality, their predictions combined."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from plait.data.settings import check_one_of, layer_widths
from plait.data.spec import DataSpec
from plait.methods.fixed import FixedCohort
from plait.nn.cohort import CohortPlan
from plait.nn.dictionary import encoded_student, whole_student
from plait.nn.learner_kinds import Base

_RULES = ("simple", "weighted", "stacking", "product")
_PRODUCT = {"classification": ("simple", "product"), "regression": ("weighted", "probabilities")}


@dataclass(repr=False, eq=False)
class LateFusion(FixedCohort):
    """Every modality predicts alone; the predictions are combined.

    A series or an image is read through a convolution (`plait.nn.encoders`) unless the user gives a module or a base.

    The special case of a cohort whose students read one modality each and do not learn from each other. A sample
    with absent modalities is predicted by the others.

    The rule "product" treats the modalities as experts that are independent given the target. Classes, for the k
    modalities that a sample has: p ~ prior^(1 - k) p_1 p_2 ... p_k, the prior being the class frequencies and every
    probability clipped at 2.2e-16. Real values: sum_m v_m y_m / sum_m v_m over the modalities that are there, with
    the precisions v_m = 1 / mean squared error of modality m on validation samples (so it is "weighted"). Sources:
    Hinton, "Training Products of Experts by Minimizing Contrastive Divergence" (2002); Tresp, "A Bayesian Committee
    Machine" (2000), whose correction by the prior is made for classes alone. It is bolder than an average: where
    modalities repeat each other, its probabilities are too extreme.

    Args:
        hidden: Widths of the hidden layers of every modality's network; () is linear.
        rule: "simple" (equal weights), "weighted" (by 1 / validation loss), "stacking" (non-negative ridge on the
            validation samples), or "product" (of experts).
        average: What is averaged of classes: "probabilities" or "logits"; "product" has a way of its own.
        dropout: Share of hidden units dropped in training, in [0, 1).
        base: An estimator of scikit-learn that takes the place of the networks: an unfitted one, of which copies are
            fitted (a pipeline too, or one of another library in scikit-learn's manner), or a word: "linear" (logistic
            or ridge regression, strength by cross-validation), "forest" (200 trees), "boosting" (histogram gradient
            boosting), "ridge" (ridge regression in closed form, also of classes), "quadratic" (the same with all
            products of two of at most 512 values) or "logistic" (of classes: logistic regression like "linear", of
            finer strengths). It sees scaled, flattened features, and classes as 0, 1, ... in the order of
            `classes_`. Its predictions of validation samples are by fits that had not seen them; the final fit is on
            all samples. A `random_state` that it leaves None comes from that of the estimator. `hidden` and `dropout`
            do not matter then. None: our networks.
    """

    joins: ClassVar[str] = "predictions"

    hidden: tuple[int, ...] = (128, 64)
    rule: Literal["simple", "weighted", "stacking", "product"] = "simple"
    average: Literal["probabilities", "logits"] = "probabilities"
    dropout: float = 0.2
    base: Base | None = None

    def plan(self, spec: DataSpec) -> CohortPlan:
        """One student a modality."""
        read = encoded_student if self.base is None else whole_student
        students = tuple(read(spec, [name]) for name in spec.names)
        return CohortPlan(spec, students, layer_widths("hidden", self.hidden), dropout=self.dropout)

    def combination(self, spec: DataSpec) -> tuple[str, str]:
        """The rule of the weights, and the space in which predictions are averaged.

        Raises:
            ValueError: If the rule or the average is unknown.
        """
        check_one_of("rule", self.rule, _RULES)
        check_one_of("average", self.average, ("probabilities", "logits"))
        return _PRODUCT[spec.task] if self.rule == "product" else (self.rule, self.average)
