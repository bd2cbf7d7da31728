"""How a cohort learns: screening, teachers, burn-in, the choice of rho, folds, absent modalities."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from plait.nn.averaging import averaging_for
from plait.nn.cohort import Cohort
from plait.nn.criteria import criterion_for
from plait.nn.screening import screen
from plait.training.ensembling import learn_ensemble
from plait.training.mutual_learning import MutualLearning, learn
from tiny import close, course, judged_at, of_unit, plan, prepared, same, samples, weights, weights_at

LABELS = {"a": ("identity", "pca-2", "null"), "b": ("identity", "encoder-2", "null")}


def learned(how, data, planned, **settings):
    """What learning found, and its record."""
    lesson = course(data, **settings)
    return learn(planned, how, lesson), lesson.runs


def test_the_procedure_of_the_specification():
    """Alone, screen, together from the same start; the rho with the lowest mean best loss of the screened students."""
    data, planned = prepared(LABELS, absent=0.2)
    found, (first, second) = learned(MutualLearning(rhos=(0.0, 0.5, 3.0)), data, planned, epochs=6)
    losses = first["result"].losses.numpy()
    assert found.independent == pytest.approx(losses, rel=1e-15)
    assert found.top.tolist() == screen(losses).top.tolist()
    count = len(planned.students)
    for place in range(2):
        close(weights_at(second, second["start"], place), first["start"], 0)
    phases = {0.0: losses, 0.5: second["result"].losses[:count].numpy(), 3.0: second["result"].losses[count:].numpy()}
    levels = {rho: float(phase[found.top].mean()) for rho, phase in phases.items()}
    assert found.rho_losses == pytest.approx(levels, rel=1e-14)
    assert found.rho == min(levels, key=levels.get)
    assert found.losses == pytest.approx(phases[found.rho], rel=1e-15)
    assert found.cohort.plan.rhos == (found.rho,)
    chosen, place = (first, 0) if found.rho == 0 else (second, (0.5, 3.0).index(found.rho))
    close(weights(found.cohort), weights_at(chosen, chosen["end"], place), 0)
    assert found.history.phase.unique().tolist() == ["rho 0", "rho 0.5, 3"]


def test_rho_zero_competes_only_where_it_is_listed():
    """It is always trained, for the screening."""
    data, planned = prepared()
    found, runs = learned(MutualLearning(rhos=(2.0,)), data, planned)
    assert [run["phase"] for run in runs] == ["rho 0", "rho 2"]
    assert list(found.rho_losses) == [2.0]
    assert found.rho == 2.0
    found, runs = learned(MutualLearning(rhos=(0.0,)), data, planned)
    assert [run["phase"] for run in runs] == ["rho 0"]
    assert found.rho == 0.0


def beside(how, data, planned, losses):
    lesson = course(data)
    return learn(planned, how, lesson, judged_at(losses, data)), lesson.runs


def test_students_of_other_kinds_are_screened_with_the_cohort():
    """As bad ones change nothing; of two clusters of all losses the networks in the better one teach."""
    data, planned = prepared(LABELS, absent=0.2)
    how = MutualLearning(rhos=(0.0, 1.0))
    alone, _ = learned(how, data, planned)
    far, runs = beside(how, data, planned, [1e6, np.inf])
    everyone = screen(np.append(alone.independent, 1e6))
    assert len(runs) == 2
    assert far.top.tolist() == everyone.top.tolist()
    assert runs[1]["module"].teachers[0].nonzero().flatten().tolist() == far.top.tolist()


@pytest.mark.parametrize(("rhos", "phases"), [((0.0, 1.0), 1), ((1.0,), 2)])
def test_networks_that_others_leave_behind_learn_alone(rhos, phases):
    """None in the best cluster: no mutual learning, unless independent training may not be chosen."""
    data, planned = prepared(LABELS)
    found, runs = beside(MutualLearning(rhos=rhos), data, planned, [1e-9, 2e-9])
    assert len(runs) == phases
    assert found.rho == rhos[0]
    assert found.top.tolist() == screen(found.independent).top.tolist()


def test_learners_that_were_never_judged_leave_the_screening_as_it_is():
    """Their losses are infinite."""
    data, planned = prepared(LABELS)
    found, runs = beside(MutualLearning(rhos=(0.0, 1.0)), data, planned, [np.inf])
    assert len(runs) == 2
    assert found.top.tolist() == screen(found.independent).top.tolist()


def test_losses_of_folds_are_averaged_by_their_sizes():
    """40 samples in three folds: 14, 13 and 13."""
    data, planned = prepared(folds=3)
    found, (first,) = learned(MutualLearning(rhos=(0.0,)), data, planned)
    expected = np.average(first["result"].losses.reshape(3, 3).numpy(), axis=0, weights=[14, 13, 13])
    assert found.independent == pytest.approx(expected)
    assert found.epochs == pytest.approx(first["result"].epochs.double().reshape(3, 3).mean(0).numpy())


@pytest.mark.parametrize("teachers", ["clustering", "loss", "uniform"])
def test_teachers_by_the_losses_of_independent_training(teachers):
    """The best cluster equally, all by 1 / loss, or all equally; the same at every epoch and rho."""
    data, planned = prepared(LABELS)
    found, (_, second) = learned(MutualLearning((0.0, 1.0, 2.0), teachers), data, planned)
    top = np.isin(np.arange(len(planned.students)), found.top)
    raw = {"clustering": top, "loss": 1 / found.independent, "uniform": np.ones(top.size)}[teachers]
    for epoch in second["epochs"]:
        assert epoch["teachers"].numpy() == pytest.approx(np.tile(raw / raw.sum(), (2, 1)))


def test_the_worst_teach_where_that_is_asked_for():
    """The cluster of the largest losses alone and equally, at every rho; rho is chosen by the best all the same."""
    data, planned = prepared(LABELS)
    found, (_, second) = learned(MutualLearning((1.0, 2.0), "worst"), data, planned)
    screening = screen(found.independent)
    worst = np.isin(np.arange(len(planned.students)), screening.worst)
    assert not worst[found.top].any()
    assert second["module"].teachers.numpy() == pytest.approx(np.tile(worst / worst.sum(), (2, 1)))
    assert found.rho == min(found.rho_losses, key=found.rho_losses.get)


def test_adaptive_teachers_follow_the_losses_of_the_epoch_before():
    """Equal at first, then 1 / loss, at each rho and fold by its own students."""
    data, planned = prepared(LABELS, folds=2)
    _, (_, second) = learned(MutualLearning((0.0, 1.0, 5.0), "adaptive"), data, planned)
    count = len(planned.students)
    expected = np.full((4, count), 1 / count)
    for epoch in second["epochs"]:
        assert epoch["teachers"].numpy() == pytest.approx(expected)
        inverse = 1 / epoch["losses"].reshape(4, count).numpy()
        expected = inverse / inverse.sum(1, keepdims=True)
    assert np.abs(np.diff(expected, axis=0)).max() > 1e-6


def test_adaptive_teachers_are_those_of_the_loss():
    """Trained by hand with the same teachers, epoch by epoch, the students end the same."""
    data, planned = prepared()
    _, (_, second) = learned(MutualLearning((0.0, 2.0), "adaptive"), data, planned)
    by_hand = Cohort(replace(planned, rhos=(2.0,))).double()
    teachers = [epoch["teachers"] for epoch in second["epochs"]]
    by_hand.load_state_dict(second["start"])
    by_hand.teachers.copy_(teachers[0])
    following = iter([*teachers[1:], teachers[-1]])
    lesson = course(data)
    lesson.run(by_hand, 3, "by hand", after_epoch=lambda *_: by_hand.teachers.copy_(next(following)))
    close(lesson.runs[0]["epochs"][-1]["state"], second["epochs"][-1]["state"], 0)


def test_burn_in_is_independent_training():
    """The first two of four epochs equal rho = 0, bit for bit, at every rho; then students learn from each other."""
    data, planned = prepared(LABELS, folds=2)
    _, (_, second) = learned(MutualLearning((0.0, 0.5, 3.0), burn_in=2), data, planned)
    lesson = course(data)
    independent = Cohort(replace(planned, rhos=(0.0, 0.0)))
    independent.load_state_dict({name: tensor.float() for name, tensor in second["start"].items()})
    lesson.run(independent, 3, "rho 0")
    states = [[epoch["state"] for epoch in run["epochs"]] for run in (lesson.runs[0], second)]
    assert [same(*pair) for pair in zip(*states, strict=True)] == [True, True, False, False]
    assert second["epochs"][0]["rhos"].tolist() == [0, 0, 0, 0]
    assert second["epochs"][3]["rhos"].tolist() == [0.5, 0.5, 3, 3]


def test_burn_in_of_all_epochs_never_learns_mutually():
    """Then rho does not matter."""
    data, planned = prepared()
    ends = [learned(MutualLearning((rho,), burn_in=9), data, planned)[1][1]["end"] for rho in (0.5, 3.0)]
    assert same(*ends)


# Folds and absent modalities


def test_validation_predictions_are_by_the_copy_that_did_not_see_the_sample():
    """Each sample's prediction is that of the copy of its own fold."""
    data = samples("classification", 3, folds=3)
    planned = plan(data)
    averaging = averaging_for(data.spec, "probabilities")
    found = learn_ensemble(planned, MutualLearning((0.0, 1.0)), "greedy", averaging, course(data))
    batch = data.samples.to(torch.device("cpu"), torch.float64)
    with torch.no_grad():
        outputs = found.net.cohort(found.net.representations(batch.features, batch.present), batch.present)
    probabilities = outputs.softmax(-1).unflatten(0, (3, 3))
    for row, fold in enumerate(batch.fold.tolist()):
        assert found.validation.predictions[:, row] == pytest.approx(probabilities[fold, :, row].numpy())
    assert found.validation.target.tolist() == batch.target.argmax(1).tolist()


@pytest.mark.parametrize("rho", [0.0, 2.0])
@pytest.mark.parametrize("absent", ["skip", "zero"])
def test_a_student_learns_from_the_samples_it_can_read(absent, rho):
    """Targets and peers on other samples give it no gradient; the loss is the mean over those it reads."""
    data, planned = prepared(absent=0.4, rhos=(rho,))
    cohort = Cohort(replace(planned, absent=absent)).double()
    batch = data.samples.to(torch.device("cpu"), torch.float64)
    for unit, student in enumerate(planned.students):
        here = batch.present[:, [data.spec.names.index(name) for name in student.modalities]]
        reads = here.all(1) if absent == "skip" else here.any(1)
        moved = replace(batch, target=batch.target + 9.0 * ~reads[:, None])
        assert torch.equal(gradients(cohort, batch, unit), gradients(cohort, moved, unit))
        losses = cohort.objective(batch, criterion_for(data.spec)).detach()
        own = cohort.objective(batch.rows(reads.nonzero().flatten()), criterion_for(data.spec)).detach()
        torch.testing.assert_close(losses[unit], own[unit], rtol=0, atol=1e-12)


def gradients(cohort, batch, unit):
    """One student's gradient of its own loss, in one row."""
    cohort.zero_grad()
    cohort.objective(batch, criterion_for(cohort.plan.spec))[unit].backward()
    state = {name: parameter.grad for name, parameter in cohort.named_parameters()}
    return torch.cat([part.flatten() for part in of_unit(cohort, state, unit).values()])


def test_a_student_without_a_readable_sample_has_no_loss():
    """And no gradient: a batch may lack a modality altogether."""
    data, planned = prepared(rhos=(2.0,))
    batch = data.samples.to(torch.device("cpu"), torch.float64)
    batch.present[:, 1] = False
    cohort = Cohort(planned).double()
    losses = cohort.objective(batch, criterion_for(data.spec))
    assert (losses == 0).tolist() == ["b" in student.modalities for student in planned.students]
    assert not gradients(cohort, batch, 0).any()


# Settings


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"rhos": ()}, "rhos"),
        ({"rhos": (0.0, -1.0)}, "rhos"),
        ({"rhos": (0.0, float("inf"))}, "rhos"),
        ({"rhos": (0.0, 1.0, 1.0)}, "rhos"),
        ({"burn_in": -1}, "burn_in"),
    ],
)
def test_settings_out_of_range_are_named(settings, message):
    """Before anything is trained."""
    data, planned = prepared()
    with pytest.raises(ValueError, match=message):
        learn(planned, MutualLearning(**settings), course(data))


@pytest.mark.parametrize("name", ["teachers", "screening", "init"])
def test_unknown_choices_are_named(name):
    """With those there are."""
    how = MutualLearning()
    object.__setattr__(how, name, "other")
    with pytest.raises(ValueError, match=rf"{name}.*'?other'?"):
        how.check()


def test_screening_of_the_paper_takes_the_seed_of_the_course():
    """The same clusters as the rule with the seed of the third stream."""
    data, planned = prepared(LABELS)
    found, _ = learned(MutualLearning((0.0,), screening="paper"), data, planned)
    assert found.top.tolist() == screen(found.independent, "paper", course(data).stream(2)).top.tolist()
