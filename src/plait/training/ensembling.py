"""From a plan to a cohort that predicts as one: representations, mutual learning, the choice of the ensemble."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float
from numpy import ndarray
from torch import Tensor

from plait.data.batches import TrainingData
from plait.nn.averaging import Averaging
from plait.nn.cohort import Cohort, CohortPlan
from plait.nn.criteria import criterion_for
from plait.nn.ensemble_net import EnsembleNet, Readers
from plait.nn.ensembles import ensemble_weights
from plait.nn.learners import Joined, LearnerPlan, Learners, LearnerStudent
from plait.nn.parts import Parts
from plait.nn.representations import Representations
from plait.nn.screening import inverse_loss_weights
from plait.nn.students import Student
from plait.nn.validation import Validation
from plait.training.course import Course
from plait.training.learner_performance import Performance, of_learners, of_networks, validation_of
from plait.training.learners import FittedLearners, fit_learners
from plait.training.mutual_learning import LearnedCohort, MutualLearning, learn
from plait.training.pretraining import pretrain

Students: TypeAlias = Sequence[Student | LearnerStudent]
_TINY = 1e-9  # keeps every student readable in the weights by 1 / loss


@dataclass(frozen=True)
class LearnedEnsemble:
    """Trained students with the weights of their ensemble.

    Args:
        net: The module that predicts.
        performance: How the students did on the validation samples.
        validation: What the ensemble was chosen on.
        weights: Weight of every student.
        history: Epochs of all phases.
        priors: Output for each validation sample if nothing were known of it, from the targets of the other folds.
        cohort: How the networks among the students were found; None where there are only learners.
        learner_rho: Strength at which heads in closed form learned from each other.
    """

    net: EnsembleNet
    performance: Performance
    validation: Validation
    weights: Float[ndarray, " student"]
    history: pd.DataFrame
    priors: Float[Tensor, "validation out"]
    cohort: LearnedCohort | None = None
    learner_rho: float = 0.0

    @property
    def students(self) -> Students:
        """The students, networks first."""
        return self.net.cohort.plan.students

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the modalities."""
        return self.net.cohort.plan.spec.names

    @property
    def loss(self) -> float:
        """Validation loss of the ensemble."""
        return self.validation.loss(self.weights)

    @property
    def outputs(self) -> Float[Tensor, "validation out"]:
        """The ensemble's output for every validation sample, by the copies that were not trained on it."""
        found = self.validation
        return self.net.pooled(torch.from_numpy(found.predictions), torch.from_numpy(found.usable), self.priors)


def learn_ensemble(
    plan: CohortPlan, how: MutualLearning, rule: str | Mapping[str, float], averaging: Averaging, course: Course
) -> LearnedEnsemble:
    """Fit the frozen representations, train the cohort, and choose its ensemble on the validation samples.

    Args:
        plan: The cohort.
        how: How students learn from each other.
        rule: How the ensemble is chosen, or the weight of each of its students, by name.
        averaging: The space in which predictions are averaged.
        course: Data, trainer and seed.
    """
    return learn_ensembles((plan,), how, rule, averaging, course)[0]


def learn_ensembles(
    plans: Sequence[CohortPlan],
    how: MutualLearning,
    rule: str | Mapping[str, float],
    averaging: Averaging,
    course: Course,
    learners: LearnerPlan | None = None,
    parts: Parts | None = None,
) -> list[LearnedEnsemble]:
    """The same for cohorts of the same students (with other heads): their representations are fitted once.

    Args:
        plans: The cohorts.
        how: How students learn from each other.
        rule: How the ensemble is chosen, or the weight of each of its students, by name.
        averaging: The space in which predictions are averaged.
        course: Data, trainer and seed.
        learners: Learners of scikit-learn that stand beside every cohort; fitted once.
        parts: Linear parts of the modalities (`training_parts`), where they are known already.
    """
    course.trainer.check()
    if isinstance(rule, Mapping):
        everyone: Students = (*plans[0].students, *(learners.students if learners else ()))
        _named_weights(rule, everyone)  # a wrong name is told before the training, not after
    course, representations = _cached(plans[0], course, learners, parts)
    beside = fit_learners(learners, course) if learners else None
    return [_learn(plan, how, rule, averaging, course, representations, beside) for plan in plans]


def learn_learners(plan: LearnerPlan, rule: str, averaging: Averaging, course: Course) -> LearnedEnsemble:
    """Fit learners of scikit-learn and choose their ensemble on the validation samples.

    Args:
        plan: The learners.
        rule: How the ensemble is chosen.
        averaging: The space in which predictions are averaged.
        course: Data and seed; of the trainer the precision alone.
    """
    course.trainer.check()
    course, representations = _cached(CohortPlan(plan.spec, ()), course, plan)
    fitted = fit_learners(plan, course)
    found = of_learners(fitted, averaging)
    return _chosen(fitted.learners, found, rule, averaging, course, representations, fitted.history)


def _cached(
    plan: CohortPlan, course: Course, learners: LearnerPlan | None, parts: Parts | None = None
) -> tuple[Course, Representations]:
    """The course with what students read in place of the features."""
    course = replace(course, data=course.data.to(torch.device("cpu"), course.trainer.dtype))
    further = tuple(student.student for student in learners.students) if learners else ()
    representations = fit_representations(replace(plan, students=plan.students + further), course, parts)
    cached = replace(course, data=course.data.with_features(representations))
    check_finite(cached.data)
    return cached, representations


def check_finite(data: TrainingData) -> None:
    """Raise ValueError if what students read is not finite, for example the output of a user's frozen encoder."""
    wrong = [name for name, values in data.samples.features.items() if not bool(values.isfinite().all())]
    if wrong:
        raise ValueError(
            f"The representations {wrong} (modality/extractor) hold values that are not finite. Check the encoder, or "
            "the scale of the modality."
        )


def _learn(
    plan: CohortPlan,
    how: MutualLearning,
    rule: str | Mapping[str, float],
    averaging: Averaging,
    course: Course,
    representations: Representations,
    beside: FittedLearners | None,
) -> LearnedEnsemble:
    """Train a cohort on cached representations and choose the ensemble of all."""
    learned = learn(plan, how, course, None if beside is None else beside.judged(course.data))
    found, cohort = of_networks(learned, averaging, course.data), learned.cohort.cpu()
    everyone = cohort if beside is None else Joined(cohort, beside.learners)
    found = found if beside is None else found.beside(of_learners(beside, averaging))
    chosen = _chosen(everyone, found, rule, averaging, course, representations, learned.history)
    return replace(chosen, cohort=learned, learner_rho=0.0 if beside is None else beside.rho)


def _chosen(
    students: Readers,
    found: Performance,
    rule: str | Mapping[str, float],
    averaging: Averaging,
    course: Course,
    representations: Representations,
    history: pd.DataFrame,
) -> LearnedEnsemble:
    """Choose the ensemble of trained students."""
    prior = prior_output(course.data)
    validation = validation_of(found, averaging, prior, course.data)
    if isinstance(rule, Mapping):
        weights = _named_weights(rule, students.plan.students)
    else:
        weights = ensemble_weights(rule, validation)
    net = EnsembleNet(representations, students, averaging).to(course.trainer.dtype)
    net.weights.copy_(torch.as_tensor(weights))
    net.fallback.copy_(torch.as_tensor(inverse_loss_weights(np.maximum(found.losses, _TINY))))
    net.prior.copy_(prior)
    return LearnedEnsemble(net.eval(), found, validation, weights, history, prior_outputs(course.data))


def training_parts(data: TrainingData) -> Parts:
    """Linear parts of the modalities, of the training samples alone."""
    training = data.samples.rows(data.train)
    return Parts(data.spec.names, training.features, training.present)


def fit_representations(plan: CohortPlan, course: Course, parts: Parts | None = None) -> Representations:
    """The frozen parts that the students read, fitted on the training samples (their linear parts may be given)."""
    with course.initial_weights():
        representations = Representations(plan.spec, plan.students, plan.encoder_hidden).to(course.trainer.dtype)
    representations.fit_projections(parts or training_parts(course.data))
    pretrain(representations, course)
    return representations.cpu()


def prior_output(data: TrainingData) -> Float[Tensor, " out"]:
    """The output for a sample about which nothing is known: mean target, or log of the class frequencies."""
    return criterion_for(data.spec).output_of(data.samples.target[data.train].mean(0))


def prior_outputs(data: TrainingData) -> Float[Tensor, "validation out"]:
    """The same for each validation sample, from the samples that its copy of the model trains on."""
    samples, criterion = data.samples, criterion_for(data.spec)
    means = [samples.target[samples.fold != fold].mean(0) for fold in range(data.spec.folds)]
    return criterion.output_of(torch.stack(means))[samples.fold[data.validation]]


def _named_weights(
    weights: Mapping[str, float], students: Sequence[Student | LearnerStudent]
) -> Float[ndarray, " student"]:
    """The weights in the order of the students.

    Raises:
        ValueError: If a name is no student's, a weight is negative, or none is positive.
    """
    names = [student.name for student in students]
    unknown = set(weights) - set(names)
    if unknown:
        raise ValueError(f"The ensemble names students that the cohort lacks: {sorted(unknown)}. It has {names}.")
    found = np.array([float(weights.get(name, 0.0)) for name in names])
    if not (found >= 0).all() or found.sum() == 0:
        raise ValueError(f"The weights of an ensemble must be at least 0, and some positive (got {dict(weights)}).")
    return np.asarray(found / found.sum())


def build_ensemble(plan: CohortPlan, averaging: Averaging, learners: LearnerPlan | None = None) -> EnsembleNet:
    """The same module with fresh weights, and learners that are not fitted."""
    further = tuple(student.student for student in learners.students) if learners else ()
    representations = Representations(plan.spec, plan.students + further, plan.encoder_hidden)
    cohort: Readers = Joined(Cohort(plan), Learners(learners)) if learners else Cohort(plan)
    return EnsembleNet(representations, cohort, averaging)


def build_learners(plan: LearnerPlan, averaging: Averaging) -> EnsembleNet:
    """The module of learners alone, not fitted."""
    read = [student.student for student in plan.students]
    return EnsembleNet(Representations(plan.spec, read), Learners(plan), averaging)
