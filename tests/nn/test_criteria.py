"""Classes that count differently: scores, and the divergence of students from their teachers."""

import pytest
import torch

from plait.nn.criteria import Criterion, CrossEntropy, SquaredError
from plait.nn.mutual import mutual_penalty

WEIGHTS = torch.tensor([0.2, 1.0, 3.0], dtype=torch.float64)
TEACHERS = torch.tensor([0.5, 0.3, 0.0, 0.2], dtype=torch.float64)
CRITERIA = {"values": SquaredError(), "classes": CrossEntropy(), "weighted classes": CrossEntropy(WEIGHTS)}


def outputs(seed=0):
    """Outputs of four students for seven samples of three classes."""
    return 2 * torch.randn(4, 7, 3, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def divergence(student, teacher, mean):
    """KL(teacher || student) of each sample, times the weight of the teachers' mean."""
    kl = (teacher.exp() * (teacher - student)).sum(-1)
    return kl * (mean * WEIGHTS).sum(-1)


def test_a_known_class_is_scored_by_its_weight():
    """-sum_k w_k target_k log p_k, as torch's cross-entropy with weights has it."""
    codes = torch.tensor([0, 1, 2, 2, 1, 0, 2])
    target, linked = torch.eye(3, dtype=torch.float64)[codes], CrossEntropy().link(outputs())
    found = CrossEntropy(WEIGHTS).score(linked, target)
    torch.testing.assert_close(found, -(WEIGHTS * target * linked).sum(-1), rtol=0, atol=1e-15)
    for row, output in zip(found, outputs(), strict=True):
        expected = torch.nn.functional.cross_entropy(output, codes, weight=WEIGHTS, reduction="none")
        torch.testing.assert_close(row, expected)


def test_weights_of_one_change_nothing():
    """Soft targets too, up to rounding."""
    linked, target = CrossEntropy().link(outputs()), outputs(1)[0].softmax(-1)
    even = CrossEntropy(torch.ones(3, dtype=torch.float64))
    torch.testing.assert_close(even.score(linked, target), CrossEntropy().score(linked, target))
    torch.testing.assert_close(even.dispersion(linked, target), CrossEntropy().dispersion(linked, target))


@pytest.mark.parametrize("criterion", CRITERIA.values(), ids=CRITERIA)
def test_the_lowest_score_is_that_of_the_target_itself(criterion: Criterion):
    """Of a soft target too: no direction goes down from there."""
    target = outputs(1)[0].softmax(-1) if isinstance(criterion, CrossEntropy) else outputs(1)[0]
    at_target = criterion.output_of(target).requires_grad_()
    criterion.score(criterion.link(at_target), target).sum().backward()
    torch.testing.assert_close(at_target.grad, torch.zeros(7, 3, dtype=torch.float64), rtol=0, atol=1e-14)


def test_the_mean_of_the_teachers_stands_for_all_of_them():
    """sum_J w_J D(student, J) = score(student, mean) + sum_J w_J dispersion(J, mean), sample by sample."""
    criterion, linked = CRITERIA["weighted classes"], CrossEntropy().link(outputs())
    mean = torch.einsum("s,sbo->bo", TEACHERS, linked.exp())
    pairs = torch.stack([torch.stack([divergence(student, other, mean) for other in linked]) for student in linked])
    expected = torch.einsum("j,ijb->ib", TEACHERS, pairs)
    spread = torch.einsum("j,jb->b", TEACHERS, criterion.dispersion(linked, mean))
    torch.testing.assert_close(criterion.score(linked, mean) + spread, expected, rtol=0, atol=1e-12)


def test_the_penalty_of_mutual_learning_is_that_divergence():
    """Never below 0, and 0 where all agree."""
    criterion, output = CRITERIA["weighted classes"], outputs()
    linked = criterion.link(output)
    mean = torch.einsum("s,sbo->bo", TEACHERS, linked.exp())
    found = mutual_penalty(linked[None], TEACHERS[None], criterion)[0]
    pairs = torch.stack([torch.stack([divergence(student, other, mean) for other in linked]) for student in linked])
    torch.testing.assert_close(found, torch.einsum("j,ijb->ib", TEACHERS, pairs).mean(1), rtol=0, atol=1e-12)
    alike = linked[:1].expand(4, -1, -1)[None]
    torch.testing.assert_close(
        mutual_penalty(alike, TEACHERS[None], criterion), torch.zeros(1, 4, dtype=torch.float64), rtol=0, atol=1e-14
    )
