"""The cohort that predicts as one: weights by sample, fallback, prior, averaging, copies of folds."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from plait.nn.averaging import Logits, Probabilities, Values, Votes, averaging_for
from plait.nn.cohort import Cohort
from plait.nn.ensemble_net import EnsembleNet
from plait.nn.module import evaluate
from plait.nn.parts import Parts
from plait.nn.representations import Representations
from tiny import plan, samples


def net_on(data, labels=("identity", "null"), averaging=None, **choices):
    """An ensemble with fresh weights in double precision, and its batch."""
    planned = plan(data, labels, **choices)
    read = Representations(planned.spec, planned.students, planned.encoder_hidden)
    read.fit_projections(Parts(data.spec.names, data.samples.features, data.samples.present))
    average = averaging or averaging_for(data.spec, "probabilities")
    batch = data.samples.to(torch.device("cpu"), torch.float64)
    return EnsembleNet(read, Cohort(planned), average).double().eval(), batch


def single(net, batch):
    """Every student's own output."""
    return net.cohort(net.representations(batch.features, batch.present), batch.present)


def set_weights(net, weights, fallback=None):
    net.weights.copy_(torch.tensor(weights))
    net.fallback.copy_(torch.tensor(fallback or weights))


def test_weights_are_renormalised_over_the_students_that_can_read_a_sample():
    """Students (a, b), a, b with weights 0.2, 0.6, 0.2: by hand for each pattern of presence."""
    data = samples()
    data.samples.present[0] = torch.tensor([True, False])
    data.samples.present[1] = torch.tensor([False, True])
    net, batch = net_on(data)
    set_weights(net, [0.2, 0.6, 0.2])
    names = [student.name for student in net.cohort.plan.students]
    assert names == ["a:identity + b:identity", "a:identity", "b:identity"]
    both, a, b = single(net, batch)
    found = net(batch.features, batch.present)
    torch.testing.assert_close(found[2:], (0.2 * both + 0.6 * a + 0.2 * b)[2:], rtol=0, atol=1e-7)
    torch.testing.assert_close(found[0], a[0])
    torch.testing.assert_close(found[1], b[1])


def test_two_students_of_one_modality_share_its_weight():
    """Weights 0.3 and 0.1 become 3/4 and 1/4 where the other modality is absent."""
    data = samples()
    data.samples.present[0] = torch.tensor([True, False])
    net, batch = net_on(data, {"a": ("identity", "pca-2", "null"), "b": ("identity", "null")})
    names = [student.name for student in net.cohort.plan.students]
    told = {"a:identity": 0.3, "a:pca-2": 0.1, "b:identity": 0.6}
    set_weights(net, [told.get(name, 0.0) for name in names])
    outputs = single(net, batch)[:, 0]
    expected = 0.75 * outputs[names.index("a:identity")] + 0.25 * outputs[names.index("a:pca-2")]
    torch.testing.assert_close(net(batch.features, batch.present)[0], expected)


def test_samples_beyond_the_ensemble_fall_back_to_all_students():
    """By the fallback weights, renormalised over those that can read the sample."""
    data = samples()
    data.samples.present[0] = torch.tensor([False, True])
    net, batch = net_on(data, {"a": ("identity", "null"), "b": ("identity", "pca-2", "null")})
    names = [student.name for student in net.cohort.plan.students]
    set_weights(net, [float(name == "a:identity") for name in names], [0.1, 0.1, 0.2, 0.15, 0.45])
    outputs, found = single(net, batch), net(batch.features, batch.present)
    torch.testing.assert_close(found[1:], outputs[names.index("a:identity"), 1:])
    of_b = outputs[[names.index("b:identity"), names.index("b:pca-2")], 0]
    torch.testing.assert_close(found[0], 0.25 * of_b[0] + 0.75 * of_b[1], rtol=0, atol=1e-7)


@pytest.mark.parametrize("task", ["regression", "classification"])
def test_samples_that_nobody_can_read_get_the_prior(task):
    """Students of modality a alone, and a sample without it; the others are not touched."""
    data = samples(task, 3)
    net, batch = net_on(data, {"a": ("identity",), "b": ("null",)})
    whole = net(batch.features, batch.present)
    net.prior.copy_(torch.tensor([0.5, -1.0, 2.0]))
    batch.present[4, 0] = False
    found = net(batch.features, batch.present)
    assert found[4].tolist() == [0.5, -1.0, 2.0]
    rest = torch.arange(40) != 4
    torch.testing.assert_close(found[rest], whole[rest])


def test_what_is_averaged_of_classes():
    """Probabilities (their logarithm is the output), logits, or votes: by hand."""
    data = samples("classification", 3)
    weights = torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64)
    for averaging in (Probabilities(), Logits(), Votes()):
        net, batch = net_on(data, averaging=averaging)
        set_weights(net, weights.tolist())
        outputs, found = single(net, batch), net(batch.features, batch.present).softmax(-1)
        by_hand = {
            Probabilities: torch.einsum("s,sbo->bo", weights, outputs.softmax(-1)),
            Logits: torch.einsum("s,sbo->bo", weights, outputs).softmax(-1),
            Votes: torch.einsum("s,sbo->bo", weights, nn.functional.one_hot(outputs.argmax(-1), 3).double()),
        }
        torch.testing.assert_close(found, by_hand[type(averaging)], rtol=0, atol=1e-6)


def test_tied_votes_go_to_the_first_class():
    """Three votes of equal weight for three classes: equal shares, exactly."""
    data = samples("classification", 3)
    net, _ = net_on(data, averaging=Votes())
    votes = net.averaging.enter(torch.tensor([[0.1, 0.2, 0.9], [0.3, 0.3, 0.1], [0.2, 0.8, 0.8]]))
    assert votes.tolist() == [[0, 0, 1], [1, 0, 0], [0, 1, 0]]
    mean = net.averaging.leave(votes.mean(0))
    assert mean.argmax() == 0
    assert mean[0] == mean[1] == mean[2]


def test_averaging_by_task():
    """Values of a regression are averaged as they are; voting needs classes; unknown ways are named."""
    regression, classes = samples().spec, samples("classification", 3).spec
    assert type(averaging_for(regression, "logits")) is Values
    kinds = {"probabilities": Probabilities, "logits": Logits, "votes": Votes}
    assert {name: type(averaging_for(classes, name)) for name in kinds} == kinds
    with pytest.raises(ValueError, match="Voting needs classes"):
        averaging_for(regression, "votes")
    with pytest.raises(ValueError, match=r"probabilities, logits, votes \(got 'odds'\)"):
        averaging_for(classes, "odds")


def test_copies_of_the_folds_are_averaged():
    """Every student is the mean of its copies, in the space of averaging."""
    data = samples("classification", 3, folds=4)
    net, batch = net_on(data)
    assert net.cohort.units == 12
    outputs = single(net, batch).unflatten(0, (4, 3))
    assert not torch.allclose(outputs[0], outputs[1])
    torch.testing.assert_close(net.students(batch.features, batch.present), outputs.softmax(-1).mean(0))
    expected = outputs.softmax(-1).mean((0, 1))
    torch.testing.assert_close(net(batch.features, batch.present).softmax(-1), expected, rtol=0, atol=1e-7)


def test_a_diverged_student_of_weight_zero_is_not_heard():
    """Its NaN do not reach the mean."""
    net, batch = net_on(samples())
    set_weights(net, [0.5, 0.5, 0.0])
    before = net(batch.features, batch.present)
    with torch.no_grad():
        net.cohort.bias[2] = torch.nan
    assert torch.equal(net(batch.features, batch.present), before)


@pytest.mark.parametrize("absent", ["skip", "zero"])
@pytest.mark.parametrize("garbage", [1e30, float("nan"), float("inf")])
@pytest.mark.parametrize("labels", [("identity", "pca-2", "null"), ("encoder-3", "sliced-2"), ("module", "null")])
def test_values_in_absent_rows_change_no_prediction(labels, garbage, absent):
    """Whatever stands there, bit for bit, for every kind of extractor and both ways with absent modalities."""
    torch.manual_seed(0)
    frozen = nn.Sequential(nn.Flatten(), nn.Linear(6, 3)).requires_grad_(requires_grad=False)
    data = samples(absent=0.4, encoders={"a": nn.Linear(5, 3), "b": frozen})
    net, batch = net_on(data, labels, absent=absent)
    before = net(batch.features, batch.present)
    for place, values in enumerate(batch.features.values()):
        values[~batch.present[:, place]] = garbage
    assert torch.equal(net(batch.features, batch.present), before)
    assert before.isfinite().all()


def test_students_that_read_zeros_read_every_sample_with_one_of_their_modalities():
    """With "zero" a student of two modalities predicts from the present one, as if the other held zeros."""
    data = samples(absent=0.4)
    net, batch = net_on(data, ("identity",), absent="zero")
    read = {f"{name}/identity": values.flatten(1) for name, values in batch.features.items()}
    expected = net.cohort(read, torch.ones_like(batch.present))[0]
    torch.testing.assert_close(net(batch.features, batch.present), expected)


def test_samples_do_not_influence_each_other():
    """A sample's prediction is the same alone, in another order, and in pieces."""
    net, batch = net_on(samples("classification", 3, absent=0.3), ("identity", "encoder-2", "null"), dropout=0.5)
    whole = net(batch.features, batch.present)
    shuffled = torch.randperm(40, generator=torch.Generator().manual_seed(0))
    taken = batch.rows(shuffled)
    torch.testing.assert_close(net(taken.features, taken.present), whole[shuffled], rtol=0, atol=1e-12)
    one = batch.rows(torch.tensor([7]))
    torch.testing.assert_close(net(one.features, one.present)[0], whole[7], rtol=0, atol=1e-12)
    pieces = evaluate(net.train(), batch.features, batch.present, rows=9)
    torch.testing.assert_close(pieces, whole, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    "shapes", [{"a": (4,)}, {"a": (4,), "b": (2, 3), "c": (2, 2, 2)}, dict.fromkeys("abcde", (3,))], ids=len
)
def test_any_number_and_shape_of_modalities(shapes):
    """One, three and five modalities; series and images are flattened."""
    net, batch = net_on(samples(outputs=2, shapes=shapes), ("identity", "pca-2", "null"))
    assert net.cohort.count == 3 ** len(shapes) - 1
    assert net(batch.features, batch.present).shape == (40, 2)


def test_one_rho_of_several_predicts_as_in_its_cohort():
    """at_rho takes the right copies, folds included."""
    data = samples(folds=2)
    planned = plan(data, ("identity", "encoder-2", "null"), rhos=(0.0, 1.0, 3.0))
    cohort = Cohort(planned).double()
    for parameter in cohort.parameters():
        torch.nn.init.normal_(parameter.data)
    batch = data.samples.to(torch.device("cpu"), torch.float64)
    read = Representations(planned.spec, planned.students)(batch.features, batch.present)
    outputs = cohort(read, batch.present).unflatten(0, (3, -1))
    for place, rho in enumerate(planned.rhos):
        alone = cohort.at_rho(place)
        assert alone.plan == replace(planned, rhos=(rho,))
        torch.testing.assert_close(alone(read, batch.present), outputs[place], rtol=0, atol=1e-12)
