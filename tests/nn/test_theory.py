"""Statements T1 to T5 of the specification (6.2) about mutual learning of least-squares students."""

import numpy as np
import pytest
import torch

from plait.data.batches import Batch
from plait.data.spec import DataSpec
from plait.nn.cohort import Cohort, CohortPlan
from plait.nn.criteria import SquaredError, criterion_for
from plait.nn.extractors import Identity
from plait.nn.mutual import mutual_penalty
from plait.nn.students import Student
from plait.reproduce.theory_formulas import (
    best_rho,
    coefficients,
    consensus,
    consensus_risk,
    hat,
    label_noise_variance,
    risk,
    risk_slope_at_zero,
    smoothed,
    smoother,
)
from plait.reproduce.theory_samples import REFERENCE, RHOS, unequal

SETS = ("a", "b", "c", "ab", "abc")
"""The modalities that each of the five students of the set-up reads; the last three teach."""


def setup(rows=50, seed=3):
    """Three modalities of six columns, the mean of the target, and the students' designs."""
    random = np.random.default_rng(seed)
    x = {name: random.normal(size=(rows, 6)) for name in "abc"}
    mean = x["a"][:, 0] + 0.3 * x["b"][:, 1] ** 2
    return x, mean, [np.hstack([x[name] for name in names]) for names in SETS]


def linear_cohort(rhos):
    """The five students as a cohort of linear heads that start at zero."""
    students = tuple(Student(tuple((name, Identity()) for name in names)) for names in SETS)
    spec = DataSpec(dict.fromkeys("abc", (6,)), 1, "regression")
    cohort = Cohort(CohortPlan(spec, students, hidden=(), rhos=rhos)).double()
    for parameter in cohort.parameters():
        torch.nn.init.zeros_(parameter)
    cohort.teachers.copy_(torch.tensor([0, 0, 1, 1, 1], dtype=torch.float64) / 3)
    return cohort


def test_t1_a_linear_cohort_reaches_the_closed_form():
    """Simultaneous gradient descent on the objective ends at the fits of the smoothed labels K_rho y."""
    rhos = (0.0, 0.99, 3.0)
    x, mean, designs = setup(rows=160)
    target = mean - mean.mean() + np.random.default_rng(0).normal(size=160)
    designs, target = [design - design.mean(0) for design in designs], target - target.mean()
    features = {f"{name}/identity": torch.from_numpy(x[name] - x[name].mean(0)) for name in x}
    present, fold = torch.ones(160, 3, dtype=torch.bool), torch.full((160,), -1)
    batch = Batch(features, present, torch.from_numpy(target)[:, None], fold)
    cohort, criterion = linear_cohort(rhos), SquaredError()
    steepest = max(np.linalg.norm(design, 2) ** 2 for design in designs) / 160
    optimiser = torch.optim.SGD(cohort.parameters(), lr=0.9 / steepest / (1 + max(rhos)), momentum=0.7)
    for _ in range(150):
        optimiser.zero_grad()
        cohort.objective(batch, criterion).sum().backward()
        optimiser.step()
    found = cohort(features, present).detach().numpy()[..., 0].reshape(3, 5, 160)
    exact = coefficients(designs, designs[2:], target, rhos)
    for place, fits in enumerate(found):
        for fit, design, weights in zip(fits, designs, exact, strict=True):
            assert np.abs(fit - design @ weights[place]).max() < 1e-10


def test_t1_smoothing_by_eigenvalues_is_smoothing_by_the_inverse():
    """K_rho y from the directions of Pbar, and from ((1 + rho) I - rho Pbar)^-1; at rho = 0 nothing changes."""
    _, mean, designs = setup()
    found = smoothed(designs[2:], mean, (0.0, 0.5, 30.0))
    assert np.abs(found[0] - mean).max() < 1e-12
    for rho, labels in zip((0.0, 0.5, 30.0), found, strict=True):
        assert np.abs(labels - smoother(designs[2:], rho) @ mean).max() < 1e-12


def test_t1_the_closed_form_is_a_fixed_point_of_the_penalty():
    """There the gradient of task plus rho times penalty is orthogonal to every student's design."""
    _, mean, designs = setup()
    target = mean + np.random.default_rng(1).normal(size=50)
    teachers = torch.tensor([[0, 0, 1, 1, 1]], dtype=torch.float64) / 3
    for rho in (0.5, 3.0, 10.0):
        exact = coefficients(designs, designs[2:], target, (rho,))
        fits = torch.tensor(np.array([design @ weights[0] for design, weights in zip(designs, exact, strict=True)]))
        fits = fits[None, :, :, None].requires_grad_()
        task = (fits - torch.from_numpy(target)[:, None]).square().mean((-1, -2)).sum()
        loss = task + rho * mutual_penalty(fits, teachers, SquaredError()).sum()
        slopes = torch.autograd.grad(loss, fits)[0][0, :, :, 0].numpy()
        assert max(np.abs(design.T @ slope).max() for design, slope in zip(designs, slopes, strict=True)) < 1e-12


def test_t2_variance_from_label_noise_falls_with_rho():
    """From s^2 p / n at rho = 0, strictly for students that are not contained in every teacher."""
    _, _, designs = setup()
    for design in designs:
        variances = [label_noise_variance(design, designs[2:], 0.7, rho) for rho in (0.0, 0.1, 1.0, 3.0, 10.0, 100.0)]
        assert variances[0] == pytest.approx(0.7 * design.shape[1] / 50)
        assert np.diff(variances).max() < 0


def test_t2_directions_that_all_teachers_share_keep_their_variance():
    """The third modality is read by one teacher alone: as the only teacher it learns nothing."""
    _, _, designs = setup()
    variances = [label_noise_variance(designs[2], designs[2:3], 0.7, rho) for rho in (0.0, 3.0, 100.0)]
    assert variances == pytest.approx([variances[0]] * 3)


def test_t3_slope_of_the_risk_at_zero():
    """-(2 s^2 / n) tr(P_i (I - Pbar)): the reference values of the specification, and the finite difference."""
    _, mean, designs = setup()
    slopes = [risk_slope_at_zero(design, designs[2:], 0.7) for design in designs]
    assert np.round(slopes, 4).tolist() == [-0.0496, -0.0488, -0.0420, -0.0980, -0.1680]
    for design, slope in zip(designs, slopes, strict=True):
        above, below = (risk(design, designs[2:], mean, 0.7, rho) for rho in (1e-5, -1e-5))
        assert (above - below) / 2e-5 == pytest.approx(slope, abs=1e-6)


def independent_fits(students=4, rows=9):
    """Predictions of independent training with errors of unequal size, and the target."""
    random = np.random.default_rng(5)
    target = random.normal(size=rows)
    return target + random.normal(size=(students, rows)) * np.arange(1, students + 1)[:, None] / 2, target


def test_t4_students_that_can_express_the_mean_meet_there():
    """Descent on (f_i - t_i)^2 + rho penalty ends at tbar + (t_i - tbar) / (1 + rho); the mean stays."""
    alone, _ = independent_fits()
    own, teachers = torch.from_numpy(alone)[None, :, :, None], torch.full((1, 4), 0.25, dtype=torch.float64)
    for rho in (0.5, 3.0):
        fits = torch.zeros_like(own).requires_grad_()
        optimiser = torch.optim.SGD([fits], lr=9 / 2 / (1 + rho))
        for _ in range(150):
            optimiser.zero_grad()
            task = (fits - own).square().mean((-1, -2)).sum()
            (task + rho * mutual_penalty(fits, teachers, SquaredError()).sum()).backward()
            optimiser.step()
        found = fits.detach().numpy()[0, :, :, 0]
        assert np.abs(found - consensus(alone, rho)).max() < 1e-12
        assert np.abs(found.mean(0) - alone.mean(0)).max() < 1e-12


@pytest.mark.parametrize(("shared", "kinds"), [(0, "finite finite finite infinite"), (1, "harmed harmed infinite")])
def test_t4_the_best_rho_minimises_the_students_risk(shared, kinds):
    """rho* = (R_i - G) / (R_C - G); negative for a student that its teachers harm, infinite for a weak one."""
    alone, target = independent_fits()
    if shared:  # the errors of the teachers point the same way, those of the first student least
        alone = target + np.array([[1.0], [2.5], [4.0]]) * (alone[3] - target) + 0.1 * (alone[:3] - target)
    errors = alone - target
    common = (errors.mean(0) ** 2).mean()
    optima = [best_rho((own**2).mean(), common, (own * errors.mean(0)).mean()) for own in errors]
    found = [_kind_of_optimum(errors, student, optimum) for student, optimum in enumerate(optima)]
    assert " ".join(found) == kinds


def _kind_of_optimum(errors, student, optimum):
    """Checks the formulas against risks along a grid of rho; says which of the three cases it is."""
    common = errors.mean(0)
    told = [(one * other).mean() for one, other in ((errors[student],) * 2, (common,) * 2, (errors[student], common))]

    def risk_at(rho):
        found = (consensus(errors, rho)[student] ** 2).mean()
        assert found == pytest.approx(consensus_risk(*told, rho))
        return found

    risks = np.array([risk_at(rho) for rho in np.geomspace(0.01, 1e4, 200).tolist()])
    if optimum == np.inf:
        assert np.diff(risks).max() < 0
        return "infinite"
    if optimum < 0:
        assert risks.min() > risk_at(0.0)
        return "harmed"
    assert risk_at(optimum) <= risks.min() < risk_at(0.0)
    return "finite"


def test_t4_variance_of_equal_independent_teachers():
    """v [1 / k + (1 - 1 / k) / (1 + rho)^2] for independent student noise of variance v."""
    for count, rho in ((2, 0.5), (5, 3.0), (3, 0.0)):
        mixed = consensus(np.eye(count), rho)  # how much of each student's own error every student ends with
        expected = 1 / count + (1 - 1 / count) / (1 + rho) ** 2
        assert np.square(mixed).sum(1).tolist() == pytest.approx([expected] * count)


def test_t5_the_ensemble_is_better_by_its_ambiguity():
    """MSE of the mean is the mean MSE minus the mean ambiguity, which shrinks by 1 / (1 + rho)^2 in the case T4."""
    alone, target = independent_fits()
    ambiguity = ((alone - alone.mean(0)) ** 2).mean()
    for rho in (0.0, 0.99, 3.0):
        fits = consensus(alone, rho)
        spread = ((fits - fits.mean(0)) ** 2).mean()
        assert ((fits.mean(0) - target) ** 2).mean() == pytest.approx(((fits - target) ** 2).mean() - spread)
        assert spread == pytest.approx(ambiguity / (1 + rho) ** 2)


def test_t5_holds_for_the_penalty_of_plait():
    """With equal teachers the mean penalty over the students is twice their ambiguity."""
    alone, _ = independent_fits()
    linked = torch.from_numpy(alone)[None, :, :, None]
    penalty = mutual_penalty(linked, torch.full((1, 4), 0.25, dtype=torch.float64), SquaredError())
    assert float(penalty.mean()) == pytest.approx(2 * ((alone - alone.mean(0)) ** 2).mean())


@pytest.mark.parametrize("model", REFERENCE, ids=lambda model: model.__name__)
def test_tables_of_the_specification(model):
    """Risk on new samples over 300 repetitions, all students teaching: within 3 standard errors of both means."""
    known = REFERENCE[model]
    risks = model(np.random.default_rng(0), 300).risks(RHOS[: len(next(iter(known.values())))])
    for student, reference in known.items():
        error = risks[student].std(-1, ddof=1) / np.sqrt(300)
        assert (np.abs(risks[student].mean(-1) - reference) < 3 * np.sqrt(2) * error).all()


def test_a_strong_student_is_harmed_by_a_weak_teacher():
    """The case that screening prevents: its risk rises with rho all the way; the weak one's falls, then rises."""
    weak, strong = unequal(np.random.default_rng(1), 4000).risks((0.0, 0.5, 0.99, 3.0, 10.0)).mean(-1)
    assert np.diff(strong).min() > 0
    assert min(weak[1:]) < weak[0] < weak[-1]


def test_hat_matrices_are_projections():
    """P P = P with the rank of the design."""
    _, _, designs = setup()
    for design in designs:
        projection = hat(design)
        assert np.abs(projection @ projection - projection).max() < 1e-12
        assert np.trace(projection) == pytest.approx(design.shape[1])


def test_the_criterion_of_a_regression_is_squared_error():
    """What the closed forms assume of the loss."""
    criterion = criterion_for(DataSpec({"a": (1,)}, 2, "regression"))
    loss = criterion.loss(torch.tensor([[1.0, 3.0]]), torch.tensor([[0.0, 1.0]]))
    assert float(loss) == 2.5
