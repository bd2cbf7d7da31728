"""Heads of pairs that learn from each other: limits in rho, the penalty by hand, folds, who teaches, who is kept."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from plait.data.batches import TrainingData
from plait.data.spec import DataSpec
from plait.nn.averaged_net import AveragedNet
from plait.nn.criteria import criterion_for
from plait.nn.module import evaluate
from plait.skew.bank import TapBank
from plait.skew.heads import TAPS
from plait.skew.mutual_pairs import learn_mutually, peers_of
from plait.skew.pair_cohort import PairCohort, Peers
from plait.skew.pair_net import Joint, PairCopies
from plait.skew.search import Search
from plait.skew.selection import Selection
from plait.skew.sources import Sources
from plait.skew.space import Pair, TapSpace
from plait.skew.uncertainty import Scored
from plait.statistics.metrics import metric_by_name
from plait.training.networks import learn_network
from tiny import course, samples

TAPS_OF = {"a": (4, 4, 4), "b": (4, 4)}
CHOSEN = (Pair("a", 2, "b", 1),)
OTHERS = ((Pair("a", 1, "b", 1),), (Pair("a", 3, "b", 2),), (Pair("a", 2, "b", 2),))
TWO = (Pair("a", 2, "b", 1), Pair("a", 3, "b", 2))
TASKS = pytest.mark.parametrize(("task", "outputs"), [("regression", 2), ("classification", 3)])
FOLDS = pytest.mark.parametrize("folds", [1, 3])


def problem(task="classification", outputs=3, *, folds=1, absent=0.0, taps=TAPS_OF) -> TrainingData:
    """Gaussian taps, side by side, a target that each tells a part of."""
    shapes = {name: (sum(widths),) for name, widths in taps.items()}
    data = samples(task, outputs, shapes=shapes, count=60, folds=folds, absent=absent, dtype=torch.float64)
    return TrainingData(data.samples, DataSpec(shapes, outputs, task, {}, folds, None, taps))


def network(data, pairs=CHOSEN, others=OTHERS, operator="bilinear", dropout=0.0, rank=4):
    """The network of the chosen pairs with fresh weights, whom it learns with, and the generator after it."""
    generator = torch.Generator().manual_seed(0)
    joint = Joint(pairs, ("a", 1), operator, 5, dropout)
    sources = Sources(data.spec, "mean", generator)
    own = TapBank(sources, joint.taps, rank, 1)
    peers = Peers.read(own, joint, others, data)
    own.fit(data)
    return AveragedNet(PairCopies(data.spec, joint, own, generator), own), peers, generator


def cohort_of(data, rhos, teachers=None, **choices):
    """The cohort of the chosen pairs and their peers, and the samples that it reads."""
    net, peers, generator = network(data, **choices)
    return PairCohort(peers.students(net.net, generator), peers, rhos, teachers).double(), peers.data


ALONE = {
    "classes, folds, two pairs": ("classification", 3, 3, TWO, 0.0),
    "values, dropout": ("regression", 2, 1, CHOSEN, 0.2),
}


@pytest.mark.parametrize(("task", "outputs", "folds", "pairs", "dropout"), ALONE.values(), ids=ALONE.keys())
def test_at_rho_0_a_head_is_what_it_is_alone(task, outputs, folds, pairs, dropout):
    """With the same seed, to 12 digits: outputs, losses, epochs, weights; some samples lack all that it reads."""
    data = problem(task, outputs, folds=folds, absent=0.4, taps={**TAPS_OF, "c": (4,)})
    net, _, _ = network(data, pairs, dropout=dropout)
    alone = learn_network(net, course(data, epochs=6), "alone")
    together, peers, generator = network(data, pairs, dropout=dropout)
    learned = learn_mutually(together, peers, (0.0, 8.0), course(data, epochs=6), generator)
    torch.testing.assert_close(learned.by_setting[0], alone.outputs, rtol=0, atol=1e-12)
    np.testing.assert_allclose(learned.losses[0], alone.losses[0], atol=1e-12)
    torch.testing.assert_close(learned.result.losses[:folds], alone.result.losses, rtol=0, atol=1e-12)
    assert torch.equal(learned.result.epochs[:folds], alone.result.epochs)
    assert torch.equal(together.prior, net.prior)
    cohort, read = cohort_of(data, (0.0,), pairs=pairs, dropout=dropout)
    course(read, epochs=6).run(cohort, 1, "together")
    cohort.hand_over(0, together.net)
    for name, value in together.net.state_dict().items():
        torch.testing.assert_close(value, net.net.state_dict()[name], rtol=0, atol=1e-12)


def test_the_winner_is_what_predicts():
    """The kept weights give the outputs of the best rho for the samples held out; the network has its old size."""
    data = problem(folds=3)
    net, peers, generator = network(data)
    before = {name: value.shape for name, value in net.state_dict().items()}
    learned = learn_mutually(net, peers, (3.0, 0.0, 0.5), course(data, epochs=5), generator)
    assert {name: value.shape for name, value in learned.net.state_dict().items()} == before
    assert learned.losses[learned.best] == learned.losses.min()
    outputs = evaluate(net.net, net.representations(data.samples.features, data.samples.present), data.samples.present)
    own = outputs[data.samples.fold, torch.arange(len(data.samples))]
    torch.testing.assert_close(learned.outputs, own)
    assert list(learned.result.history["phase"].unique()) == ["rho 0", "rho 3, 0.5"]


@pytest.mark.parametrize("place", [0, 1])
def test_what_is_handed_over_is_the_chosen_head_at_that_strength(place):
    """All its copies, to 12 digits of their outputs."""
    data = problem(folds=3)
    net, _, _ = network(data, TWO)
    cohort, read = cohort_of(data, (0.5, 4.0), pairs=TWO)
    course(read, epochs=2).run(cohort, 1, "together")
    net.double()
    cohort.hand_over(place, net.net)
    here = data.samples.present
    found = evaluate(net.net, net.representations(data.samples.features, here), here)
    whole = evaluate(cohort, read.samples.features, here).unflatten(0, (2, 3, 4))
    torch.testing.assert_close(found, whole[place, :, 0], rtol=0, atol=1e-12)
    assert (whole[0, :, 0] - whole[1, :, 0]).abs().max() > 1e-6


def test_strengths_do_not_influence_each_other():
    """A cohort at several rhos is each of them by itself, to 12 digits."""
    data = problem(folds=3)
    both, read = cohort_of(data, (0.5, 4.0))
    one, _ = cohort_of(data, (4.0,))
    for cohort in (both, one):
        course(read, epochs=3).run(cohort, 1, "together")
    features, present = read.samples.features, read.samples.present
    found = evaluate(both, features, present).unflatten(0, (2, -1))[1]
    torch.testing.assert_close(found, evaluate(one, features, present), rtol=0, atol=1e-12)


def by_hand(linked, usable, teachers, task):
    """The mean over a student's samples of sum_J w_J D(student, J), its teachers those that can read the sample."""
    found = torch.zeros(linked.shape[:2], dtype=torch.float64)
    for copy, student in np.ndindex(*linked.shape[:2]):
        rows = usable[copy, student].nonzero().flatten().tolist()
        for row in rows:
            able = [place for place in range(linked.shape[1]) if usable[copy, place, row] and teachers[place] > 0]
            total = sum(teachers[place] for place in able)
            for place in able:
                mine, theirs = linked[copy, student, row], linked[copy, place, row]
                apart = (mine - theirs).square().mean() if task == "regression" else theirs.exp() @ (theirs - mine)
                found[copy, student] += teachers[place] / total * apart / len(rows)
    return found


@FOLDS
@TASKS
def test_the_penalty_is_the_double_loop(task, outputs, folds):
    """Of every copy and student by itself, in words; absent modalities leave a sample to those who can read it."""
    taps = {**TAPS_OF, "c": (4,)}
    data = problem(task, outputs, folds=folds, absent=0.4, taps=taps)
    others = (*OTHERS, (Pair("b", 1, "c", 1),))
    teachers = np.array([0.5, 0.0, 0.25, 0.0, 0.25])
    losses = {}
    for rho in (0.0, 2.5):
        cohort, read = cohort_of(data, (rho,), teachers, others=others)
        losses[rho] = cohort.objective(read.samples, criterion_for(data.spec)).unflatten(0, (folds, -1))
    linked = criterion_for(data.spec).link(cohort(read.samples.features, read.samples.present))
    reads = torch.tensor([[1, 1, 0]] * 4 + [[0, 1, 1]], dtype=torch.bool)
    usable = (reads[:, None] & read.samples.present).any(2).expand(folds, -1, -1)
    usable = usable & (read.samples.fold != torch.arange(folds)[:, None])[:, None] if folds > 1 else usable
    penalty = by_hand(linked.detach().unflatten(0, (folds, -1)), usable, teachers, task)
    torch.testing.assert_close(losses[2.5] - losses[0.0], 2.5 * penalty, rtol=0, atol=1e-12)


def test_teachers_are_held_fixed():
    """What a student loses depends on the weights of other students, but sends no gradient to them."""
    cohort, read = cohort_of(problem(), (2.0,))
    losses = cohort.objective(read.samples, criterion_for(read.spec))
    (grad,) = torch.autograd.grad(losses[0], [cohort.heads.head.weight])
    assert grad[0].abs().max() > 0
    assert grad[1:].abs().max() == 0
    with torch.no_grad():
        cohort.heads.head.weight[2, :, 0] += 1
    assert cohort.objective(read.samples, criterion_for(read.spec))[0] != losses[0]


@TASKS
def test_a_head_approaches_its_teachers(task, outputs):
    """The distance of its outputs to the teachers' mean falls with rho, and nears nothing."""
    data = problem(task, outputs)
    teachers = np.array([0.0, 0.5, 0.5, 0.0])
    path = (0.0, 1.0, 30.0)
    cohort, read = cohort_of(data, path, teachers, operator="concat")
    every = replace(read, samples=replace(read.samples, fold=torch.full_like(read.samples.fold, -1)))
    course(every, epochs=100, batch_size=60, learning_rate=0.05).run(cohort, 1, "together")
    criterion = criterion_for(data.spec)
    with torch.no_grad():
        linked = criterion.link(cohort.eval()(read.samples.features, read.samples.present)).unflatten(0, (3, 4))
    expected = criterion.expected(linked)
    apart = (expected[:, 0] - expected[:, 1:3].mean(1)).square().mean((1, 2)).sqrt()
    assert apart[0] > 1.2 * apart[1] > 1.2**2 * apart[2]


def test_no_unit_learns_from_its_own_fold():
    """Taps and targets of a fold are changed: its copies train to the same weights, those of the others do not."""
    data = problem(folds=3)
    trained = []
    for changed in (0, 1):
        cohort, read = cohort_of(data, (0.5, 2.0))
        own = read.samples.fold == 1
        taps = read.samples.features[TAPS] + changed * own[:, None, None]
        target = read.samples.target.where(~own[:, None], read.samples.target.roll(changed, 1))
        moved = replace(read, samples=replace(read.samples, features={TAPS: taps}, target=target))
        course(moved, epochs=1).run(cohort, 1, "together")
        trained.append(cohort.heads.head.weight.detach().unflatten(0, (2, 3, 4)))
    apart = trained[0] - trained[1]
    assert not apart[:, 1].any()
    assert apart[:, [0, 2]].abs().amax((-1, -2)).min() > 1e-6


def test_units_are_judged_by_their_own_fold():
    """On the samples that have a modality that they read."""
    data = problem(folds=3, absent=0.5, taps={**TAPS_OF, "c": (4,)})
    cohort, read = cohort_of(data, (1.0, 2.0), others=((Pair("a", 1, "c", 1),), (Pair("b", 1, "c", 1),)))
    present, fold = read.samples.present, read.samples.fold
    judged, taught = (rows(read.samples).unflatten(0, (2, 3, 3)) for rows in (cohort.judged, cohort.taught))
    for place, columns in enumerate(([0, 1], [0, 2], [1, 2])):
        able = present[:, columns].any(1)
        assert not able.all()
        for rho, own in np.ndindex(2, 3):
            assert torch.equal(judged[rho, own, place], able & (fold == own))
            assert torch.equal(taught[rho, own, place], able & (fold != own))


def test_every_weight_belongs_to_a_unit():
    """By rho, fold and set; those of a pair to its set."""
    cohort, _ = cohort_of(problem(folds=2), (1.0, 2.0), pairs=TWO, others=OTHERS[:1])
    owners = cohort.owners()
    assert owners.keys() == cohort.state_dict().keys()
    assert owners["heads.operator.first.weight"].tolist() == [0, 0, 1, 2, 2, 3, 4, 4, 5, 6, 6, 7]
    assert cohort.units == len(owners["heads.head.bias"]) == 8


def test_peers_read_as_many_dimensions_as_the_chosen():
    """Taps of the chosen set are read as if it were alone, digit by digit; wider ones by their first components."""
    data = problem(taps={"a": (3, 4, 9), "b": (2, 6)})
    net, peers, _ = network(data, rank=64)
    net.double()
    alone = net.representations(data.samples.features, data.samples.present)[TAPS]
    read = peers.data.samples.features[TAPS]
    assert torch.equal(read[:, :2], alone)
    assert peers.bank.taps == (("a", 2), ("b", 1), ("a", 1), ("a", 3), ("b", 2))
    assert read.shape[2] == 4
    spread = read[:, 3][data.train].T.cov()
    torch.testing.assert_close(spread, spread.diag().diag(), rtol=0, atol=1e-6)


def test_the_only_teacher_learns_alone():
    """Where the chosen set is far better than all others, nothing is trained again, and the first rho is taken."""
    data = problem("regression", 1)
    target = data.samples.features["a"][:, 4:8].sum(1, keepdim=True)
    data = replace(data, samples=replace(data.samples, target=target))
    net, peers, generator = network(data, others=OTHERS[:2], operator="concat")
    learned = learn_mutually(net, peers, (2.0, 0.0), course(data, epochs=40), generator)
    assert (learned.best, learned.losses[0]) == (0, learned.losses[1])
    assert list(learned.result.history["phase"].unique()) == ["rho 0"]


def test_a_chosen_head_without_a_finite_loss_is_an_error():
    """Though those of its peers are finite: its weights would be those it began with."""
    data = problem("regression", 1)
    data.samples.features["a"][0, 4:8] = 1e200  # of a sample that is held out
    net, peers, generator = network(data, others=OTHERS[:2])
    with pytest.raises(ValueError, match="Training diverged: the head of the chosen pairs"):
        learn_mutually(net, peers, (0.0, 1.0), course(data, epochs=2), generator)


SPACE = TapSpace({"a": 2, "b": 2})


def search_of(chosen, scores, errors):
    """A search by two operators with these scores of single pairs (the second operator's), of these standard errors."""
    drawn = np.asarray(scores) + np.random.default_rng(0).normal(size=(400, 4)) * errors
    grid = [(pair,) for pair in SPACE.all()]
    sets = [(name, one) for name in ("concat", "outer") for one in grid] + [("outer", (*grid[0], *grid[1]))]
    values = np.concatenate([np.full(4, 0.1), scores, [0.6]])
    fused = Scored(values, np.hstack([np.full((400, 4), 0.1), drawn, np.full((400, 1), 0.6)]))
    place = None if chosen is None else sets.index(("outer", chosen))
    choice = Selection("skew pair", place, chosen or (), ("a", 1), 0.1, 0.05, ())
    alone = Scored(np.zeros(4), np.zeros((400, 4)))
    accuracy = metric_by_name("classification", "accuracy")
    return Search(
        SPACE, accuracy, tuple(sets), fused, tuple(("ab"[tap // 2], tap % 2 + 1) for tap in range(4)), alone, choice
    )


def test_peers_are_those_near_the_best_then_the_next_best():
    """A worse pair that cannot be told apart goes before a better one that can; by the operator of the choice."""
    first, second, third, last = ((pair,) for pair in SPACE.all())
    search = search_of(first, [0.9, 0.8, 0.5, 0.7], [0.001, 0.001, 1.0, 0.001])
    assert peers_of(search, 12, 0.0, 0.95) == (third, second, last)
    assert peers_of(search, 2, 0.0, 0.95) == (third, second)
    assert peers_of(search, 2, 0.15, 0.95) == (second, third)


def test_a_set_learns_with_the_best_single_pairs():
    """Its own pairs are among them; where no fusion is supported there is nobody to learn."""
    one, two, _, last = SPACE.all()
    search = search_of((one, two), [0.1, 0.5, 0.3, 0.4], 0.001)
    assert peers_of(search, 2, 0.0, 0.95) == ((two,), (last,))
    assert peers_of(search_of(None, [0.9, 0.8, 0.5, 0.7], 0.001), 12, 0.0, 0.95) == ()
