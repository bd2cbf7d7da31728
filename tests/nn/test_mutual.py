"""Mutual learning in closed form is the published double loop over pairs of students."""

import pytest
import torch
from benchmarks.literal import divergence, task_loss

from plait.data.spec import DataSpec
from plait.nn.criteria import criterion_for
from plait.nn.mutual import mutual_penalty

TASKS = [("regression", 1), ("regression", 3), ("classification", 2), ("classification", 4)]
PRECISIONS = [(torch.float64, 1e-12), (torch.float32, 1e-6)]
TEACHERS = torch.tensor([[0.5, 0.3, 0.0, 0.2, 0.0], [0.2, 0.2, 0.2, 0.2, 0.2]], dtype=torch.float64)
"""Two copies of a cohort of five students: unequal teachers (two do not teach), and equal ones."""


def drawn(task, outputs, dtype=torch.float64, batch=7):
    """Outputs of all students with gradients, and a target."""
    draw = torch.Generator().manual_seed(1)
    output = (2 * torch.randn(2, 5, batch, outputs, generator=draw)).to(dtype).requires_grad_()
    target = torch.randn(batch, outputs, generator=draw).to(dtype)
    if task == "classification":
        target = torch.nn.functional.one_hot(target.argmax(1), outputs).to(dtype)
    return output, target, criterion_for(DataSpec({"a": (1,)}, outputs, task))


def literal_penalties(output, teachers, task):
    """sum over J != I of w_J D(f_I, sg[f_J]), pair by pair."""
    rows = []
    for copy, weights in zip(output, teachers, strict=True):
        for place, student in enumerate(copy):
            peers = [other for other in range(len(copy)) if other != place]
            rows.append(sum(weights[other] * divergence(student, copy[other], task) for other in peers))
    return torch.stack(rows).reshape(output.shape[:2])


def literal_rows(output, teachers, usable, task):
    """The same where students can read some samples only: teachers of a sample are renormalised row by row."""
    found = torch.zeros(output.shape[:2], dtype=output.dtype)
    for copy, student in torch.cartesian_prod(*map(torch.arange, output.shape[:2])).tolist():
        readable = usable[copy, student].nonzero().flatten().tolist()
        for row in readable:
            able = [other for other in range(output.shape[1]) if usable[copy, other, row]]
            total = sum(float(teachers[copy, other]) for other in able)
            for other in able if total else []:
                pair = output[copy, student, row : row + 1], output[copy, other, row : row + 1]
                found[copy, student] += teachers[copy, other] / total * divergence(*pair, task) / len(readable)
    return found


def gradient(loss, output):
    """Gradient of the sum of all students' losses."""
    return torch.autograd.grad(loss.sum(), output, retain_graph=True)[0]


@pytest.mark.parametrize(("dtype", "tolerance"), PRECISIONS)
@pytest.mark.parametrize(("task", "outputs"), TASKS)
def test_value_and_gradient_equal_the_double_loop(task, outputs, dtype, tolerance):
    """Several outputs, classes, unequal teachers: the closed form of the specification, 2.2."""
    output, _, criterion = drawn(task, outputs, dtype)
    teachers = TEACHERS.to(dtype)
    closed = mutual_penalty(criterion.link(output), teachers, criterion)
    literal = literal_penalties(output, teachers, task)
    torch.testing.assert_close(closed, literal, rtol=tolerance, atol=tolerance)
    torch.testing.assert_close(gradient(closed, output), gradient(literal, output), rtol=0, atol=tolerance)


@pytest.mark.parametrize(("task", "outputs"), TASKS)
def test_gradient_is_the_distance_to_the_teachers_mean(task, outputs):
    """(2 / B)(f_I - fbar) over the outputs for values, (p_I - pbar) / B on the logits for classes."""
    output, _, criterion = drawn(task, outputs)
    found = gradient(mutual_penalty(criterion.link(output), TEACHERS, criterion), output)
    predicted = (output if task == "regression" else output.softmax(-1)).detach()
    mean = torch.einsum("cs,csbo->cbo", TEACHERS, predicted)[:, None]
    factor = 2 / outputs if task == "regression" else 1
    torch.testing.assert_close(found, factor * (predicted - mean) / output.shape[2], rtol=0, atol=1e-15)


@pytest.mark.parametrize("rho", [0.99, 3.0])
@pytest.mark.parametrize(("task", "outputs"), TASKS)
def test_task_and_penalty_are_one_task_on_soft_targets(task, outputs, rho):
    """The gradient is that of (1 + rho) times the task loss on (y + rho fbar) / (1 + rho)."""
    output, target, criterion = drawn(task, outputs)
    linked = criterion.link(output)
    task_losses = torch.stack([task_loss(student, target, task) for student in output.flatten(0, 1)])
    both = task_losses.sum() + rho * mutual_penalty(linked, TEACHERS, criterion).sum()
    mean = torch.einsum("cs,csbo->cbo", TEACHERS, criterion.expected(linked).detach())[:, None]
    soft = (1 + rho) * criterion.loss(output, (target + rho * mean) / (1 + rho))
    torch.testing.assert_close(gradient(both, output), gradient(soft, output), rtol=0, atol=1e-12)


@pytest.mark.parametrize(("task", "outputs"), TASKS)
def test_teachers_are_renormalised_where_some_cannot_read_a_sample(task, outputs):
    """Value and gradient equal the double loop over samples, students and the teachers of each sample."""
    output, _, criterion = drawn(task, outputs)
    usable = torch.rand(output.shape[:3], generator=torch.Generator().manual_seed(2)) < 0.5
    usable[0, :, 0] = torch.tensor([False, False, True, False, True])  # readers, but no teacher
    closed = mutual_penalty(criterion.link(output), TEACHERS, criterion, usable)
    literal = literal_rows(output, TEACHERS, usable, task)
    torch.testing.assert_close(closed, literal, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(gradient(closed, output), gradient(literal, output), rtol=0, atol=1e-12)


def test_everything_usable_is_the_case_without_absent_modalities():
    """A matrix of True changes nothing."""
    output, _, criterion = drawn("classification", 3)
    linked, usable = criterion.link(output), torch.ones(2, 5, 7, dtype=torch.bool)
    torch.testing.assert_close(
        mutual_penalty(linked, TEACHERS, criterion, usable), mutual_penalty(linked, TEACHERS, criterion)
    )


def test_a_sample_without_a_teacher_adds_nothing():
    """A student whose samples no teacher can read has penalty 0 and no gradient."""
    output, _, criterion = drawn("regression", 2)
    usable = torch.zeros(2, 5, 7, dtype=torch.bool)
    usable[0, 2] = True
    penalty = mutual_penalty(output, TEACHERS, criterion, usable)
    assert penalty.tolist() == torch.zeros(2, 5).tolist()
    assert not gradient(penalty, output).any()


@pytest.mark.parametrize(("task", "outputs"), TASKS)
def test_a_single_teacher_has_no_peer(task, outputs):
    """Its own penalty and gradient are zero, those of the others are not."""
    output, _, criterion = drawn(task, outputs)
    alone = torch.eye(5, dtype=torch.float64)[[3, 3]]
    penalty = mutual_penalty(criterion.link(output), alone, criterion)
    slopes = gradient(penalty, output).abs().sum((-1, -2))
    assert penalty[:, 3].tolist() == pytest.approx([0, 0], abs=1e-15)
    assert slopes[:, 3].tolist() == pytest.approx([0, 0], abs=1e-15)
    assert penalty[:, [0, 1, 2, 4]].min() > 0.01
    assert slopes[:, [0, 1, 2, 4]].min() > 0.01


def test_teachers_feel_nothing_of_their_students():
    """The penalty of one student has a gradient for that student alone."""
    output, _, criterion = drawn("classification", 3)
    slopes = torch.autograd.grad(mutual_penalty(criterion.link(output), TEACHERS, criterion)[1, 2], output)[0]
    felt = slopes.abs().sum((-1, -2)) > 0
    assert felt.nonzero().tolist() == [[1, 2]]


def test_copies_of_the_cohort_do_not_meet():
    """Other outputs in one copy leave the penalties of the other as they are, bit for bit."""
    output, _, criterion = drawn("regression", 2)
    before = mutual_penalty(output, TEACHERS, criterion)
    with torch.no_grad():
        output[1] += 1
    assert torch.equal(mutual_penalty(output, TEACHERS, criterion)[0], before[0])


@pytest.mark.parametrize("absent", [False, True])
@pytest.mark.parametrize("task", ["regression", "classification"])
def test_a_diverged_student_that_does_not_teach_spoils_nobody(task, absent):
    """NaN of a student of weight 0, or on samples that it cannot read, stays its own."""
    output, _, criterion = drawn(task, 3)
    usable = torch.ones(2, 5, 7, dtype=torch.bool) if absent else None
    before = mutual_penalty(criterion.link(output), TEACHERS, criterion, usable)
    with torch.no_grad():
        output[0, 2] = torch.nan
    after = mutual_penalty(criterion.link(output), TEACHERS, criterion, usable)
    others = [0, 1, 3, 4]
    torch.testing.assert_close(after[0, others], before[0, others], rtol=0, atol=0)
    assert gradient(after[0, others], output)[0, others].isfinite().all()
