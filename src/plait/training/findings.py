"""What a trained cohort tells: a table of its students, and what every modality is worth."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations

import numpy as np
import pandas as pd

from plait.nn.ensembles import ensemble_weights
from plait.nn.shapley import MOST_PLAYERS, shapley_values
from plait.nn.validation import Validation
from plait.training.ensembling import LearnedEnsemble


def cohort_table(learned: LearnedEnsemble) -> pd.DataFrame:
    """One row a student: the networks, then learners of scikit-learn.

    Columns: a column a modality with what the student reads of it ("null" is nothing); `kind` ("network", or the name
    of the learner: "ridge", "forest", "SVC", ...); `validation_loss` at the chosen rho and `independent_loss` at
    rho = 0 (best epoch, in nats or squared units of the scaled target); `epoch` of the former (NaN of a learner);
    `teaches` (in the best cluster of losses at rho = 0, and rho > 0); `weight` in the ensemble. A modality that bears
    the name of such a column is followed by " (modality)".
    """
    found = learned.performance
    reads = [{name: extractor.label for name, extractor in student.reads} for student in learned.students]
    facts = {
        "kind": [student.label for student in learned.students],
        "validation_loss": found.losses,
        "independent_loss": found.independent,
        "epoch": found.epochs,
        "teaches": found.teaches,
        "weight": learned.weights,
    }
    choices = {
        f"{name} (modality)" if name in facts else name: [read.get(name, "null") for read in reads]
        for name in learned.names
    }
    return pd.DataFrame(choices | facts, index=pd.Index([student.name for student in learned.students], name="student"))


def modality_values(learned: LearnedEnsemble, rule: str) -> pd.DataFrame:
    """What every modality is worth: exact Shapley values of the fall in validation loss.

    The worth of a set of modalities is the validation loss of the prior minus that of the ensemble, chosen by the
    same rule, of the students that read nothing outside the set. The values sum to the worth of all modalities.

    Columns: `value` (Shapley), `alone` (worth of the modality by itself), `added` (worth of all minus worth of the
    others). Empty where there are more than 12 modalities.
    """
    names = learned.names
    if len(names) > MOST_PLAYERS:
        return pd.DataFrame(columns=["value", "alone", "added"], index=pd.Index([], name="modality"), dtype=float)
    worth = dict(_worths(learned, rule))
    everything = frozenset(names)
    values = shapley_values(worth, names)
    rows = {
        name: (values[name], worth[frozenset({name})], worth[everything] - worth[everything - {name}]) for name in names
    }
    index = pd.Index(names, name="modality")
    return pd.DataFrame(list(rows.values()), columns=["value", "alone", "added"], index=index)


def _worths(learned: LearnedEnsemble, rule: str) -> Iterator[tuple[frozenset[str], float]]:
    """The worth of every set of modalities; 0 where no student reads within the set."""
    students, names = learned.students, learned.names
    nothing = learned.validation.loss(np.zeros(len(students)))
    for size in range(len(names) + 1):
        for chosen in map(frozenset, combinations(names, size)):
            inside = np.array([chosen.issuperset(student.modalities) for student in students])
            reading = _of_students(learned.validation, inside)
            able = np.isfinite(reading.losses).any()
            yield chosen, nothing - reading.loss(ensemble_weights(rule, reading)) if able else 0.0


def _of_students(validation: Validation, chosen: np.ndarray) -> Validation:
    return replace(validation, losses=np.where(chosen, validation.losses, np.inf))
