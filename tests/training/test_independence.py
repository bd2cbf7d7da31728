"""At rho = 0 the students of a cohort train as if each were alone; rhos do not meet."""

from dataclasses import replace

import pytest
import torch

from plait.nn.cohort import Cohort
from tiny import close, course, of_unit, prepared, same, weights

LABELS = {"a": ("identity", "pca-2", "null"), "b": ("identity", "encoder-2", "null")}


def alone(cohort, unit):
    """A cohort of one student with the weights of a unit; blocks are matched by the modality they read."""
    student = cohort.plan.students[unit % cohort.count]
    one = Cohort(replace(cohort.plan, students=(student,))).double()
    places = {block.modality: place for place, block in enumerate(one.blocks)}
    one.load_state_dict(as_alone(cohort, of_unit(cohort, cohort.state_dict(), unit), places))
    return one, places


def as_alone(cohort, state, places):
    """The state of a unit under the names that it has in a cohort of its own."""
    found = {}
    for name, values in state.items():
        parts = name.split(".")
        if parts[0] == "blocks":
            parts[1] = str(places[cohort.blocks[int(parts[1])].modality])
        found[".".join(parts)] = values
    return found


@pytest.mark.parametrize(("task", "absent"), [("regression", 0.3), ("classification", 0.0)])
def test_a_cohort_at_rho_zero_is_independent_training(task, absent):
    """Every student ends as in a cohort of its own with the same initial weights and batches."""
    data, planned = prepared(LABELS, task=task, outputs=3, absent=absent)
    cohort = Cohort(planned).double()
    singles = [alone(cohort, unit) for unit in range(cohort.units)]
    together = course(data).run(cohort, 1, "together")
    for unit, (one, places) in enumerate(singles):
        result = course(data).run(one, 1, "alone")
        assert float(result.losses[0]) == pytest.approx(float(together.losses[unit]), abs=1e-12)
        assert result.epochs[0] == together.epochs[unit]
        close(as_alone(cohort, of_unit(cohort, weights(cohort), unit), places), weights(one))


@pytest.mark.parametrize("rho", [0.0, 1.0])
def test_students_do_not_influence_each_other_at_rho_zero(rho):
    """Other initial weights of one student leave all others alone, bit for bit; mutual learning does not."""
    data, planned = prepared(LABELS, rhos=(rho,))
    ends = []
    for change in (0.0, 1.0):
        cohort = Cohort(planned).double()
        owners = cohort.owners()
        with torch.no_grad():
            for name, parameter in cohort.named_parameters():
                parameter[torch.as_tensor(owners[name]) == 3] += change
        course(data).run(cohort, 1, "training")
        ends.append(weights(cohort))
    untouched = [same(*(of_unit(cohort, end, unit) for end in ends)) for unit in range(cohort.units)]
    assert untouched == [rho == 0 and unit != 3 for unit in range(cohort.units)]


@pytest.mark.parametrize("folds", [1, 2])
def test_several_rhos_side_by_side_are_separate_runs(folds):
    """Each ends as in a run of its own."""
    data, planned = prepared(LABELS, folds=folds, rhos=(0.0, 0.99, 3.0), task="classification", outputs=3)
    cohort = Cohort(planned)
    course(data).run(cohort, 1, "together")
    for place, rho in enumerate(planned.rhos):
        one = Cohort(replace(planned, rhos=(rho,)))
        course(data).run(one, 1, "alone")
        close(weights(cohort.at_rho(place)), weights(one))


def test_students_start_apart_and_rhos_start_together():
    """Different initial weights of students and folds; the same at every rho."""
    _, planned = prepared(folds=2, rhos=(0.0, 0.99, 3.0))
    cohort = Cohort(planned)
    biases = cohort.bias.detach().reshape(3, 2, 3, -1)
    assert torch.equal(biases[0], biases[1])
    assert torch.equal(biases[0], biases[2])
    assert len(biases[0].reshape(6, -1).unique(dim=0)) == 6
    close(weights(cohort.at_rho(0)), weights(cohort.at_rho(2)), 0)
