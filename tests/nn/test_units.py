"""Units: where some students of some copies lie, and parts of a cohort at some of its rhos."""

import pytest
import torch

from plait.nn.units import Units
from tiny import fresh_cohort, of_unit, same, weights

LABELS = {"a": ("identity", "pca-2", "null"), "b": ("identity", "encoder-2", "null")}
SOME = Units(torch.tensor([1, 4]), torch.tensor([0, 2]))


def test_units_lie_copy_by_copy():
    """Of copies of six students: the second and the fifth in the first copy and in the third."""
    assert SOME.among(6).tolist() == [[1, 4], [13, 16]]


def test_a_layer_has_the_units_of_its_users_alone():
    """Users 0, 1, 4: of three rows a copy the second and the third."""
    assert SOME.rows_of(torch.tensor([0, 1, 4])).tolist() == [[1, 2], [7, 8]]


def test_some_students_in_the_same_copies():
    few = SOME.those(torch.tensor([False, True]))
    assert (few.students.tolist(), few.copies.tolist()) == ([4], [0, 2])


@pytest.mark.parametrize("folds", [1, 3])
def test_a_part_at_one_rho_is_that_rho(folds):
    """The same numbers as the whole cohort's for these units, with their rhos and teachers."""
    data, cohort = fresh_cohort(LABELS, folds=folds, rhos=(0.5, 1.0, 2.0))
    with torch.no_grad():
        for parameter in cohort.parameters():
            parameter.copy_(torch.randn_like(parameter))
    cohort.teachers.copy_(torch.rand_like(cohort.teachers))
    students, batch = torch.tensor([1, 4, 6]), data.samples
    part = cohort.part(students, torch.tensor([0, 2]))
    whole = cohort(batch.features, batch.present).unflatten(0, (3, folds, cohort.count))[[0, 2]][:, :, students]
    torch.testing.assert_close(part(batch.features, batch.present).unflatten(0, (2, folds, 3)), whole)
    teachers = cohort.teachers.unflatten(0, (3, folds))[[0, 2]].flatten(0, 1)[:, students]
    torch.testing.assert_close(part.teachers, teachers.to(part.teachers))
    assert part.plan.rhos == (0.5, 2.0)


def test_what_a_part_at_one_rho_learned_goes_to_that_rho_alone():
    _, cohort = fresh_cohort(LABELS, folds=2, rhos=(0.5, 1.0))
    before, students, place = weights(cohort), torch.arange(cohort.count), torch.tensor([1])
    part = cohort.part(students, place)
    with torch.no_grad():
        for parameter in part.parameters():
            parameter.add_(1)
    better = torch.ones(2, cohort.count, dtype=torch.bool)
    better[0, 3] = False
    cohort.take_part(part, cohort.units_at(students, place), better)
    after, own = weights(cohort), cohort.units_at(students, place).among(cohort.count)
    moved = set(own[better].tolist())
    for unit in range(cohort.units):
        assert same(of_unit(cohort, before, unit), of_unit(cohort, after, unit)) == (unit not in moved)
