"""How a cohort learns: independence at rho = 0, starts, teachers, burn-in, the choice of rho, folds, absent modalities."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from tiny import cached, course, of_unit, plan, samples, weights
from torch import nn

from benchmarks.literal import LiteralStudent, literal_step, task_loss
from plait.nn.averaging import averaging_for
from plait.nn.cohort import Cohort
from plait.nn.criteria import criterion_for
from plait.nn.screening import screen
from plait.training.ensembling import learn_ensemble
from plait.training.mutual_learning import MutualLearning, learn

LABELS = {"a": ("identity", "pca-2", "null"), "b": ("identity", "encoder-2", "null")}
FEW = ("identity", "null")


def prepared(labels=FEW, **choices):
    """Cached samples and the plan of a cohort."""
    told = {name: choices.pop(name) for name in ("task", "outputs", "folds", "absent", "count", "encoders") if name in choices}
    data = samples(**told)
    planned = plan(data, labels, **choices)
    return cached(data, planned), planned


def same(one, other):
    return all(torch.equal(one[name], other[name]) for name in one)


def close(one, other, tolerance=1e-12):
    for name in one:
        torch.testing.assert_close(one[name], other[name], rtol=0, atol=tolerance)


# Independence


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
    """Every student ends as in a cohort of its own with the same initial weights and batches: losses, epochs, weights."""
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
    """Other initial weights of one student leave all others as they are, bit for bit; with mutual learning they do not."""
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


# The procedure


def learned(how, data, planned, **settings):
    """What learning found, and its record."""
    lesson = course(data, **settings)
    return learn(planned, how, lesson), lesson.runs


def test_the_procedure_of_the_specification():
    """Alone, screen, together from the same start; rho by the mean best loss of the screened students, ties to the first."""
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


def weights_at(run, state, place):
    """A state at one rho, in the form of a cohort of one rho."""
    cohort = Cohort(run["module"].plan).double()
    cohort.load_state_dict(state)
    return weights(cohort.at_rho(place))


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
    by_hand, teachers = Cohort(replace(planned, rhos=(2.0,))).double(), [epoch["teachers"] for epoch in second["epochs"]]
    by_hand.load_state_dict(second["start"])
    by_hand.teachers.copy_(teachers[0])
    following = iter([*teachers[1:], teachers[-1]])
    lesson = course(data)
    lesson.run(by_hand, 3, "by hand", after_epoch=lambda *_: by_hand.teachers.copy_(next(following)))
    close(lesson.runs[0]["epochs"][-1]["state"], second["epochs"][-1]["state"], 0)


def test_burn_in_is_independent_training():
    """The first two of four epochs equal rho = 0, bit for bit, at every rho; then the students learn from each other."""
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


# The published warm start


def literal_batches(data, seed, epochs, size):
    """The batches of a run of training: one permutation of the training samples an epoch."""
    order = torch.Generator().manual_seed(seed)
    for _ in range(epochs):
        shuffled = data.train[torch.randperm(len(data.train), generator=order)]
        yield [data.samples.rows(part) for part in shuffled.split(size)]


def literal_phase(students, optimisers, data, lesson, place, rho, teachers):
    """Train plain modules one by one; the best loss, weights and optimiser state of each."""
    held = data.samples.rows(data.validation)
    best = [(float("inf"), None, None)] * len(students)
    for batches in literal_batches(data, lesson.stream(place), lesson.trainer.epochs, lesson.trainer.batch_size):
        for batch in batches:
            literal_step(students, optimisers, batch.features, batch.target, rho, teachers, data.spec.task)
        for unit, (student, optimiser) in enumerate(zip(students, optimisers, strict=True)):
            loss = float(task_loss(student(held.features), held.target, data.spec.task).detach())
            if loss < best[unit][0]:
                state = {name: tensor.clone() for name, tensor in student.state_dict().items()}
                kept = torch.optim.AdamW(student.parameters())
                kept.load_state_dict(optimiser.state_dict())  # deep copies of the moments
                best[unit] = (loss, state, kept.state_dict())
    return best


@pytest.mark.parametrize(("task", "decay"), [("regression", 0.0), ("classification", 0.1)])
def test_the_papers_start_goes_on_from_the_best_students_with_their_optimisers(task, decay):
    """Equal to plain modules with a torch optimiser each, continued from the weights and states of their best epochs."""
    data, planned = prepared(LABELS, task=task, outputs=2)
    settings = {"epochs": 6, "learning_rate": 0.05, "weight_decay": decay}
    found, (first, second) = learned(MutualLearning((0.99,), init="paper"), data, planned, **settings)
    lesson, double = course(data, **settings), data.to(torch.device("cpu"), torch.float64)
    initial = Cohort(planned, lesson.generator()).double()
    students = [LiteralStudent(initial, unit) for unit in range(initial.units)]
    build = [torch.optim.AdamW(one.parameters(), lr=0.05, weight_decay=decay) for one in students]
    best = literal_phase(students, build, double, lesson, 1, 0.0, [])
    losses = [loss for loss, _, _ in best]
    assert losses == pytest.approx(found.independent.tolist(), abs=1e-12)
    assert len(set(first["result"].epochs.tolist())) > 2
    for student, optimiser, (_, state, kept) in zip(students, build, best, strict=True):
        student.load_state_dict(state)
        optimiser.load_state_dict(kept)
    top = screen(np.array(losses)).top
    teachers = [float(unit in top) for unit in range(len(students))]
    best = literal_phase(students, build, double, lesson, 3, 0.99, teachers)
    assert [loss for loss, _, _ in best] == pytest.approx(found.losses.tolist(), abs=1e-10)
    for unit, (_, state, _) in enumerate(best):
        close(state, LiteralStudent(found.cohort, unit).state_dict(), 1e-10)


def test_only_the_first_positive_rho_goes_on():
    """It starts from the best weights at rho = 0; the others start, and end, as from scratch."""
    data, planned = prepared(LABELS)
    _, (first, paper) = learned(MutualLearning((0.0, 0.5, 3.0), init="paper"), data, planned)
    _, (_, scratch) = learned(MutualLearning((0.0, 0.5, 3.0)), data, planned)
    close(weights_at(paper, paper["start"], 0), first["end"], 0)
    close(weights_at(paper, paper["start"], 1), first["start"], 0)
    close(weights_at(paper, paper["end"], 1), weights_at(scratch, scratch["end"], 1), 1e-12)
    assert not same(weights_at(paper, paper["end"], 0), weights_at(scratch, scratch["end"], 0))


class Odd(nn.Module):
    """A user's module with a single number, buffers, and a part that is not trained."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(6, 4), nn.Linear(4, 3), nn.BatchNorm1d(3))
        self.layers[1].requires_grad_(requires_grad=False)

    def forward(self, values):
        return self.scale * self.layers(values)


@pytest.mark.parametrize("init", ["scratch", "paper"])
def test_users_modules_learn_mutually_too(init):
    """Numbers without axes, buffers and untrained parts go along; the untrained part stays as it was given."""
    torch.manual_seed(0)
    module = Odd()
    data, planned = prepared({"a": FEW, "b": ("module", "null")}, encoders={"b": module}, folds=2)
    found, (first, second) = learned(
        MutualLearning((0.99, 3.0), init=init), data, planned, weight_decay=0.5, learning_rate=0.05
    )
    fixed = [name for name in second["end"] if "layers.1." in name]
    assert len(fixed) == 2 * 2 * 2 * 2  # weight and bias, of two students at two rhos in two folds
    for name in fixed:
        assert torch.equal(second["end"][name], module.state_dict()[name.split(".", 5)[-1]].double()), name
    assert any("running_mean" in name for name in weights(found.cohort))
    if init == "paper":
        close(weights_at(second, second["start"], 0), first["end"], 0)
    assert np.isfinite(found.losses).all()


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
