"""Meta Fusion: a cohort of students over combinations of representations that learn from each other."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Literal, cast, get_args

from plait.data.settings import check_one_of, check_real, check_whole, layer_widths, strengths, words
from plait.data.spec import DataSpec
from plait.methods.base import Fitted, Method
from plait.nn.averaging import averaging_for
from plait.nn.closed_head import closed_readers, is_closed
from plait.nn.cohort import CohortPlan
from plait.nn.dictionary import alike_students, default_labels, found_labels, narrowed, whole_student
from plait.nn.ensemble_net import EnsembleNet
from plait.nn.extractors import Sliced, parse_dictionary
from plait.nn.learner_kinds import Base, learner_list
from plait.nn.learners import LearnerPlan, plan_learners
from plait.nn.parts import Parts
from plait.nn.students import POLICIES, Dictionary, at_most, choose_students
from plait.training.course import Course
from plait.training.ensembling import LearnedEnsemble, build_ensemble, learn_ensembles, training_parts
from plait.training.findings import cohort_table, modality_values
from plait.training.mutual_learning import LearnedCohort, MutualLearning, Rule, Stopping, Teachers

Ensemble = Literal[
    "greedy",
    "greedy-replacement",
    "bagged-greedy",
    "best",
    "simple",
    "weighted",
    "stacking",
    "majority",
    "weighted-vote",
]
_VOTES = ("majority", "weighted-vote")
_HEADS: tuple[tuple[int, ...], ...] = ((128, 64), ())


@dataclass(repr=False, eq=False)
class MetaFusion(Method):
    """A cohort of students that read different representations and learn from the best of each other.

    After Liang, Qu and Shahbaba, "Meta Fusion: A Unified Framework For Multimodality Fusion with Mutual
    Learning" (2025). Every student reads one combination of representations, one of each modality (or none of
    it). All are trained alone; those in the best cluster of validation losses become teachers; all are trained
    again, drawn to the mean of the teachers by rho; the ensemble is chosen on validation data.

    Special cases: with rho = 0 students train independently; the one student that reads everything is
    `EarlyFusion`; students of one modality each, averaged, are `LateFusion`.

    Samples with absent modalities train the students that can read them, and are predicted by those students
    of the ensemble that can, with renormalised weights.

    Args:
        extractors: What students may read of each modality: a list of labels for each, or one list for all.
            "identity" (the features), "pca-20" (20 principal components), "shared-20" (20 directions in which it
            agrees with the modalities that have a shared or individual part in their lists), "individual-50" (50 values
            of what its components hold beside these), "encoder-50" (50 outputs of a perceptron trained with the
            student), "sliced-50" (50 units of a perceptron trained alone, then frozen), "module" (the user's encoder),
            "null" (nothing). With "auto" in place of the number, "pca-auto", "shared-auto" and "individual-auto", it is
            found from the training samples: components that stand out of noise (Gavish and Donoho, 2014), directions
            above all of permuted samples. None: the features, "pca-auto", "shared-auto", "individual-auto" and
            nothing; the user's module and nothing where one is given.
        hidden: Widths of the hidden layers of every student's head; () is linear. None tries (128, 64) and (), and
            keeps the one whose ensemble has the lower validation loss.
        encoder_hidden: Widths of the hidden layers of "encoder" and "sliced" extractors.
        rhos: Strengths of mutual learning to choose from, >= 0. 0 is independent training; as rho grows a student
            fits the mean of the teachers with weight rho / (1 + rho).
        teachers: Who teaches: "clustering" (the best cluster by validation loss at rho = 0), "loss" (all, by
            1 / loss), "adaptive" (all, by 1 / loss of the latest epoch), "uniform" (all, equally), "worst" (the worst
            cluster: the adversarial study of the paper, not for use).
        screening: Who is among the best: by clustering of the losses, "exact" (optimal) or "paper" (scikit-learn's
            KMeans, one start), or "one-se" (those whose loss is within one standard error of the smallest).
        ensemble: How students predict together: "greedy" (the paper's: each at most once), "greedy-replacement",
            "bagged-greedy" (the mean of 20 such, each chosen on other samples, drawn with replacement), "best",
            "simple", "weighted" (by 1 / loss), "stacking" (non-negative ridge), and for classes "majority" and
            "weighted-vote". Or the weight of each student by its name in `cohort_`.
        average: What is averaged of classes: "probabilities", "logits" as in the paper, or "votes" (one a student).
        policy: Which combinations become networks: "product" (all), "singles-pairs-all", or "auto": the product of up
            to 100 combinations, else singles, pairs and all; without the features of a modality that has more than 256
            and something else to read.
        max_students: Most networks, and most heads in closed form of each word; those kept hold each single modality
            and the full set. None is no limit.
        dropout: Share of hidden units dropped in training, in [0, 1).
        burn_in: First epochs of the phase of mutual learning in which students still learn alone.
        init: "scratch": every rho starts from the same initial weights. "paper": the first positive rho goes on
            from the best students at rho = 0 with their optimiser states, as the published code does.
        learners: Further students, by what is fitted. "ridge" and "quadratic" are in closed form: linear in what they
            read, or in all products of two of its values; "logistic" is logistic regression, of classes. They read each
            kind of the dictionary, of one modality, two and all. Estimators of scikit-learn, or the words "linear",
            "forest", "boosting" as in `LateFusion(base=...)`, read every modality alone and all of them side by side,
            as they are. What they say of validation samples that they were not fitted on competes with the networks'
            for the ensemble; then they are fitted on all samples. They do not teach networks; but networks teach only
            that are in the best cluster of all losses, theirs too, and where none is, rho = 0 is all that is trained
            (if it is among `rhos`).
        learner_rhos: Strengths of mutual learning among "ridge", "quadratic" and "logistic" to choose from; None is
            `rhos`. They are drawn to the mean of the best of them (at most eight of the best cluster), each of whom is
            asked for samples that it was not fitted on.
        halvings: How often the worse half of the networks stops while they train at rho = 0 (successive halving):
            after 1/2^halvings, ..., 1/4, 1/2 of the trainer's epochs, but not before the fifth. Learners are in the
            race too: networks that are not in the better half of all that remain stop, keep the weights of their best
            epoch, and leave rho > 0 to the others. There the strengths race: those stop that are not in the better
            half, by the mean loss of the screened students, rho = 0 after as many epochs being one of them. 0 lets
            everybody train to the end.
        stopping: What networks are judged by. "cross-fitted": what a network says of a validation sample at the epoch
            at which it did best on the other half of the validation samples, so that neither its loss nor its weight in
            the ensemble is flattered by the choice of the epoch. "same-rows": at the epoch at which it did best on all
            of them, as in the paper. The weights are of that epoch in both.
    """

    joins: ClassVar[str] = "all"
    folds_below: ClassVar[int] = 2001

    extractors: Mapping[str, Iterable[str]] | Iterable[str] | None = None
    hidden: tuple[int, ...] | None = (128, 64)
    encoder_hidden: tuple[int, ...] = (256,)
    rhos: tuple[float, ...] = (0.0, 0.99, 3.0)
    teachers: Teachers = "clustering"
    screening: Rule = "one-se"
    ensemble: Ensemble | Mapping[str, float] = "bagged-greedy"
    average: Literal["probabilities", "logits", "votes"] = "probabilities"
    policy: Literal["auto", "product", "singles-pairs-all"] = "auto"
    max_students: int | None = 64
    dropout: float = 0.2
    burn_in: int = 0
    init: Literal["scratch", "paper"] = "scratch"
    learners: tuple[Base, ...] = ("ridge", "quadratic")
    learner_rhos: tuple[float, ...] | None = None
    halvings: int = 3
    stopping: Stopping = "cross-fitted"

    @classmethod
    def paper(
        cls,
        extractors: Mapping[str, Iterable[str]] | Iterable[str],
        hidden: tuple[int, ...],
        encoder_hidden: tuple[int, ...] = (256,),
        rhos: tuple[float, ...] = (0.0, 0.99, 3.0),
    ) -> "MetaFusion":
        """The method as its authors' code has it, as far as that can be right: see docs/meta_fusion.md for the rest.

        It goes with the published training: `FusionRegressor(MetaFusion.paper(...), scaling="none",
        target_scaling="none", trainer=Trainer(epochs=30, batch_size=64, learning_rate=1e-3, weight_decay=0.0,
        patience=None))`.

        Args:
            extractors: The dictionary, as in the class.
            hidden: Widths of the hidden layers of every head.
            encoder_hidden: Widths of the hidden layers of encoders.
            rhos: Strengths of mutual learning to choose from.
        """
        return cls(
            extractors=extractors,
            hidden=hidden,
            encoder_hidden=encoder_hidden,
            rhos=rhos,
            screening="paper",
            ensemble="greedy",
            average="logits",
            policy="product",
            max_students=None,
            dropout=0.0,
            init="paper",
            learners=(),
            halvings=0,
            stopping="same-rows",
        )

    @property
    def folds_allowed(self) -> bool:
        """Sliced encoders are trained once, and so need samples that none of them has seen."""
        given = self.extractors.values() if isinstance(self.extractors, Mapping) else [self.extractors]
        labels = (label for several in given if isinstance(several, Iterable) for label in several)
        return not any(str(label).startswith(Sliced.kind) for label in labels)

    def build(self, spec: DataSpec) -> EnsembleNet:
        """The cohort with fresh weights (the first of the heads, where they are still to be chosen)."""
        self._check()
        labels = self._labels(spec, None)
        plan, learners = self._plan(spec, labels, self._heads()[0]), self._learners(spec, labels)
        return build_ensemble(plan, averaging_for(spec, self._average()), learners)

    def fit(self, course: Course) -> Fitted:
        """Train the cohort, choose rho, head and ensemble, and return the method with these choices made."""
        learned, found = self.learn(course)
        tables = {"cohort": cohort_table(learned), "modality_values": modality_values(learned, self._rule())}
        return Fitted(found, learned.net, learned.history, tables, learned.outputs)

    def learn(self, course: Course) -> tuple[LearnedEnsemble, "MetaFusion"]:
        """What `fit` finds: all students with what they said of validation samples, and the method with these choices.

        Args:
            course: Data, trainer and seed.
        """
        spec, how, parts = course.data.spec, self._check(), training_parts(course.data)
        labels, averaging = self._labels(spec, parts), averaging_for(spec, self._average())
        given = self.ensemble if isinstance(self.ensemble, Mapping) else self._rule()
        plans = [self._plan(spec, labels, hidden) for hidden in self._heads()]
        learned = learn_ensembles(plans, how, given, averaging, course, self._learners(spec, labels), parts)
        chosen = min(learned, key=lambda one: one.loss)
        return chosen, self._resolved(chosen, labels)

    def _rule(self) -> str:
        """How an ensemble is chosen anew."""
        return "greedy" if isinstance(self.ensemble, Mapping) else self.ensemble

    def _check(self) -> MutualLearning:
        """How students learn from each other; raises ValueError if a setting is out of its range."""
        if isinstance(self.ensemble, Mapping):
            for name, weight in self.ensemble.items():
                check_real(f"ensemble[{name!r}]", weight, 0.0)
        else:
            check_one_of("ensemble", self.ensemble, get_args(Ensemble))
        check_one_of("average", self.average, ("probabilities", "logits", "votes"))
        check_one_of("policy", self.policy, tuple(POLICIES))
        if self.max_students is not None:
            check_whole("max_students", self.max_students, 1)
        rhos = strengths("rhos", self.rhos)
        if self.learner_rhos is not None:
            strengths("learner_rhos", self.learner_rhos)
        how = MutualLearning(rhos, self.teachers, self.screening, self.burn_in, self.init, self.halvings, self.stopping)
        how.check()
        return how

    def _labels(self, spec: DataSpec, parts: Parts | None) -> dict[str, tuple[str, ...]]:
        """The dictionary as text, for every modality, with the numbers that were found."""
        if self.extractors is None:
            return found_labels(default_labels(spec), spec, parts)
        if isinstance(self.extractors, Mapping):
            given = {name: words(f"extractors[{name!r}]", labels) for name, labels in self.extractors.items()}
        else:
            given = dict.fromkeys(spec.names, words("extractors", self.extractors))
        return found_labels(given, spec, parts)

    def _heads(self) -> tuple[tuple[int, ...], ...]:
        return _HEADS if self.hidden is None else (layer_widths("hidden", self.hidden),)

    def _average(self) -> str:
        votes = isinstance(self.ensemble, str) and self.ensemble in _VOTES
        return "votes" if votes else self.average

    def _plan(self, spec: DataSpec, labels: Mapping[str, Iterable[str]], hidden: tuple[int, ...]) -> CohortPlan:
        dictionary: Dictionary = parse_dictionary(labels, spec)
        dictionary = narrowed(dictionary, spec) if self.policy == "auto" else dictionary
        students = choose_students(dictionary, self.policy, self.max_students)
        return CohortPlan(spec, students, hidden, layer_widths("encoder_hidden", self.encoder_hidden), self.dropout)

    def _learners(self, spec: DataSpec, labels: Mapping[str, Iterable[str]]) -> LearnerPlan | None:
        """Heads in closed form on each kind of the dictionary, others on each modality alone, and on all."""
        bases = learner_list("learners", self.learners)
        if not bases:
            return None
        alone = dict.fromkeys([*((name,) for name in spec.names), spec.names])
        whole = [whole_student(spec, names) for names in alone]
        alike = at_most(alike_students(parse_dictionary(labels, spec)), self.max_students)
        reads = [closed_readers(base, alike, spec) if is_closed(base) else whole for base in bases]
        rhos = self.rhos if self.learner_rhos is None else strengths("learner_rhos", self.learner_rhos)
        return replace(plan_learners(spec, bases, reads, parameter="learners"), rhos=rhos) if any(reads) else None

    def _resolved(self, learned: LearnedEnsemble, labels: dict[str, tuple[str, ...]]) -> "MetaFusion":
        """The same method with what was found in place of what was to be searched."""
        cohort = cast(LearnedCohort, learned.cohort)
        names = (student.name for student in learned.students)
        weights = {name: float(weight) for name, weight in zip(names, learned.weights, strict=True) if weight > 0}
        found = {"extractors": labels, "hidden": cohort.cohort.plan.hidden, "rhos": (cohort.rho,), "ensemble": weights}
        found["average"], found["learner_rhos"] = self._average(), (learned.learner_rho,)
        found["init"] = self.init if cohort.rho in _first_positive(self.rhos) else "scratch"
        return MetaFusion(**{**self.get_params(deep=False), **found})


def _first_positive(rhos: Iterable[float]) -> tuple[float, ...]:
    """The rho that the published code trains from the students at rho = 0."""
    return tuple(rho for rho in rhos if rho > 0)[:1]
