"""How students, networks and learners alike, did on the validation samples: what their ensemble is chosen on."""

from dataclasses import dataclass, fields

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray
from torch import Tensor

from plait.data.batches import TrainingData
from plait.nn.averaging import Averaging
from plait.nn.validation import Validation
from plait.training.judging import own_outputs, readers
from plait.training.learners import FittedLearners
from plait.training.mutual_learning import LearnedCohort


@dataclass(frozen=True)
class Performance:
    """How each student did on the validation samples.

    Args:
        predictions: Its predictions, in the space in which they are averaged, by the copy that had not seen the sample.
        usable: Which samples it can read.
        losses: Its loss, at the chosen rho.
        independent: Its loss at rho = 0.
        epochs: Epoch of the former; NaN of a learner, which has none.
        teaches: Whether the others learned from it.
    """

    predictions: Float[ndarray, "student row out"]
    usable: Bool[ndarray, "student row"]
    losses: Float[ndarray, " student"]
    independent: Float[ndarray, " student"]
    epochs: Float[ndarray, " student"]
    teaches: Bool[ndarray, " student"]

    def beside(self, other: "Performance") -> "Performance":
        """That of these students and then of others."""
        names = [field.name for field in fields(self)]
        return Performance(**{name: np.concatenate([getattr(self, name), getattr(other, name)]) for name in names})


def of_networks(learned: LearnedCohort, averaging: Averaging, data: TrainingData) -> Performance:
    """Every network's prediction of each validation sample, by the copy that was not trained on it."""
    outputs, readable = learned.outputs, readers(learned.cohort, data)
    if outputs is None:
        outputs = own_outputs(learned.cohort, data)[0]
    teaches = np.isin(np.arange(len(learned.losses)), learned.top) & (learned.rho > 0)
    facts = learned.losses, learned.independent, learned.epochs, teaches
    return Performance(averaging.enter(outputs).numpy(), readable.numpy(), *facts)


def of_learners(fitted: FittedLearners, averaging: Averaging) -> Performance:
    """The same of learners; networks neither teach them nor learn from them."""
    predictions = averaging.enter(fitted.outputs).numpy()
    epochs = np.full(fitted.learners.count, np.nan)
    facts = fitted.losses, fitted.independent, epochs, fitted.teaches
    return Performance(predictions, fitted.usable.numpy(), *facts)


def validation_of(
    found: Performance, averaging: Averaging, prior: Float[Tensor, " out"], data: TrainingData
) -> Validation:
    """What the ensemble is chosen on.

    Args:
        found: How the students did.
        averaging: The space in which predictions are averaged.
        prior: Output for a sample that no student of an ensemble can read.
        data: The samples.
    """
    target = data.samples.target[data.validation].double().numpy()
    return Validation(
        predictions=found.predictions,
        target=target.argmax(1) if data.spec.task == "classification" else target,
        usable=found.usable,
        losses=found.losses,
        space=averaging.space,
        prior=averaging.enter(prior.double()).numpy(),
    )
