"""From a plan to a cohort that predicts as one: representations, mutual learning, the choice of the ensemble."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray
from torch import Tensor

from plait.data.batches import TrainingData
from plait.nn.averaging import Averaging
from plait.nn.cohort import Cohort, CohortPlan
from plait.nn.criteria import criterion_for
from plait.nn.ensemble_net import EnsembleNet, mean_of_readers
from plait.nn.ensembles import ensemble_weights
from plait.nn.module import evaluate
from plait.nn.representations import Representations
from plait.nn.screening import inverse_loss_weights
from plait.nn.validation import Validation
from plait.training.course import Course
from plait.training.mutual_learning import LearnedCohort, MutualLearning, learn
from plait.training.pretraining import pretrain

_TINY = 1e-9  # keeps every student readable in the weights by 1 / loss


@dataclass(frozen=True)
class LearnedEnsemble:
    """A trained cohort with the weights of its ensemble.

    Args:
        net: The module that predicts.
        cohort: How the students were found.
        validation: What the ensemble was chosen on.
        weights: Weight of every student.
    """

    net: EnsembleNet
    cohort: LearnedCohort
    validation: Validation
    weights: Float[ndarray, " student"]

    @property
    def loss(self) -> float:
        """Validation loss of the ensemble."""
        return self.validation.loss(self.weights)

    @property
    def outputs(self) -> Float[Tensor, "validation out"]:
        """The ensemble's output for every validation sample, by the copies that were not trained on it."""
        found = self.validation
        given = (torch.from_numpy(found.predictions), torch.from_numpy(found.usable))
        weights = torch.as_tensor(self.weights), self.net.fallback.double()
        mean, reached = mean_of_readers(*given, *weights)
        return self.net.averaging.leave(mean).where(reached[:, None], self.net.prior.double())


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
) -> list[LearnedEnsemble]:
    """The same for cohorts of the same students (with other heads): their representations are fitted once."""
    course.trainer.check()
    if isinstance(rule, Mapping):
        _named_weights(rule, plans[0])  # a wrong name is told before the training, not after
    course = replace(course, data=course.data.to(torch.device("cpu"), course.trainer.dtype))
    representations = fit_representations(plans[0], course)
    cached = replace(course, data=course.data.with_features(representations))
    check_finite(cached.data)
    return [_learn(plan, how, rule, averaging, cached, representations) for plan in plans]


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
) -> LearnedEnsemble:
    """Train a cohort on cached representations and choose its ensemble."""
    learned, prior = learn(plan, how, course), prior_output(course.data)
    validation = _validation(learned, averaging, prior, course.data)
    weights = _named_weights(rule, plan) if isinstance(rule, Mapping) else ensemble_weights(rule, validation)
    net = EnsembleNet(representations, learned.cohort.cpu(), averaging).to(course.trainer.dtype)
    net.weights.copy_(torch.as_tensor(weights))
    net.fallback.copy_(torch.as_tensor(inverse_loss_weights(np.maximum(learned.losses, _TINY))))
    net.prior.copy_(prior)
    return LearnedEnsemble(net.eval(), learned, validation, weights)


def fit_representations(plan: CohortPlan, course: Course) -> Representations:
    """The frozen parts that the students read, fitted on the training samples."""
    samples = course.data.samples
    with course.initial_weights():
        representations = Representations(plan.spec, plan.students, plan.encoder_hidden).to(course.trainer.dtype)
    training = samples.rows(course.data.train)
    representations.fit_projections(training.features, training.present)
    pretrain(representations, course)
    return representations.cpu()


def prior_output(data: TrainingData) -> Float[Tensor, " out"]:
    """The output for a sample about which nothing is known: mean target, or log of the class frequencies."""
    return criterion_for(data.spec).output_of(data.samples.target[data.train].mean(0))


def _validation(
    learned: LearnedCohort, averaging: Averaging, prior: Float[Tensor, " out"], data: TrainingData
) -> Validation:
    """Every student's prediction of each validation sample, by the copy that was not trained on it."""
    batch, cohort = data.samples.rows(data.validation), learned.cohort.cpu()
    outputs = averaging.enter(evaluate(cohort, batch.features, batch.present).to(torch.float64))
    by_copy = outputs.reshape(data.spec.folds, cohort.count, *outputs.shape[1:])
    own = by_copy[batch.fold, :, torch.arange(len(batch))].transpose(0, 1)
    readable = cohort.readable(batch.present)
    usable = np.ones(own.shape[:2], dtype=bool) if readable is None else readable.numpy()
    target = batch.target.double().numpy()
    return Validation(
        predictions=own.numpy(),
        target=target.argmax(1) if data.spec.task == "classification" else target,
        usable=usable,
        losses=learned.losses,
        space=averaging.space,
        prior=averaging.enter(prior.double()).numpy(),
    )


def _named_weights(weights: Mapping[str, float], plan: CohortPlan) -> Float[ndarray, " student"]:
    """The weights in the order of the students.

    Raises:
        ValueError: If a name is no student's, or no weight is positive.
    """
    names = [student.name for student in plan.students]
    unknown = set(weights) - set(names)
    if unknown:
        raise ValueError(f"The ensemble names students that the cohort lacks: {sorted(unknown)}. It has {names}.")
    found = np.array([float(weights.get(name, 0.0)) for name in names])
    if not (found >= 0).all() or found.sum() == 0:
        raise ValueError(f"The weights of an ensemble must be at least 0, and some positive (got {dict(weights)}).")
    return np.asarray(found / found.sum())


def build_ensemble(plan: CohortPlan, averaging: Averaging) -> EnsembleNet:
    """The same module with fresh weights."""
    return EnsembleNet(Representations(plan.spec, plan.students, plan.encoder_hidden), Cohort(plan), averaging)
