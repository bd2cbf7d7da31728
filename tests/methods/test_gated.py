"""Gates weigh the modalities of every sample."""

import pytest
import torch

from plait.methods.gated import GatedFusion
from plait.nn.module import evaluate
from tiny import course, samples

SMALL = {"width": 3, "encoder_hidden": (4,), "hidden": (4,)}


def fresh(data, **settings):
    """The copies with fresh weights in evaluation mode, representations, encodings after tanh, and presence."""
    net = GatedFusion(**SMALL | settings).build(data.spec).double().eval()
    batch = data.samples.to(torch.device("cpu"), torch.float64)
    read = net.representations(batch.features, batch.present)
    return net.net, read, net.net.encodings(read, batch.present).tanh(), batch.present


def test_the_gates_of_present_modalities_sum_to_one():
    """For every coordinate; absent ones are 0, and so are all where nothing is there."""
    data = samples(shapes=dict.fromkeys("abc", (4,)), absent=0.5, folds=2)
    data.samples.present[0] = False
    net, _, encoded, present = fresh(data)
    gates = net.gates(encoded, present)
    assert gates.shape == (2, 40, 3, 3)
    assert gates.min() >= 0
    torch.testing.assert_close(gates.sum(2), present.any(1)[None, :, None].expand(2, -1, 3).double())
    assert gates[:, ~present].abs().max() == 0


def test_two_modalities_have_the_gates_of_the_paper():
    """z and 1 - z, where z is the sigmoid of a linear map of both encodings."""
    net, _, encoded, present = fresh(samples())
    gates = net.gates(encoded, present)
    weight, bias = net.gate.weight[0], net.gate.bias[0]
    difference = weight[:, :3] - weight[:, 3:], bias[:3] - bias[3:]
    z = (encoded[0].flatten(1) @ difference[0] + difference[1]).sigmoid()
    torch.testing.assert_close(gates[0, :, 0], z)
    torch.testing.assert_close(gates[0, :, 1], 1 - z)


def test_gates_without_weights_take_the_mean_of_what_is_there():
    """Of the tanh encodings."""
    net, read, encoded, present = fresh(samples(absent=0.4))
    for parameter in net.gate.parameters():
        torch.nn.init.zeros_(parameter)
    mean = (encoded * present[None, :, :, None]).sum(2) / present.sum(1)[:, None]
    torch.testing.assert_close(net(read, present), net.head(mean))


def test_one_modality_is_its_encoder_and_head():
    """Its gates are 1, whatever their weights."""
    net, read, encoded, present = fresh(samples(shapes={"a": (5,)}))
    assert torch.equal(net.gates(encoded, present), torch.ones_like(encoded))
    torch.testing.assert_close(net(read, present), net.head(encoded[:, :, 0]))


def test_a_modality_that_is_alone_is_read_whole():
    """As if the other one had never been: other values there change no bit."""
    data = samples()
    data.samples.present[:, 1] = False
    net, read, encoded, present = fresh(data)
    torch.testing.assert_close(net(read, present), net.head(encoded[:, :, 0]))
    read["b/identity"].normal_()
    assert torch.equal(net.encodings(read, present).tanh(), encoded)


def test_the_gates_learn_which_modality_tells_the_target():
    """On average over samples and coordinates, the one with the signal is read more than noise is."""
    data = samples(shapes={"signal": (4,), "noise": (4,)}, count=200)
    data.samples.target[:] = data.samples.features["signal"][:, :1] * 2
    method = GatedFusion(width=4, encoder_hidden=(), hidden=(), dropout=0.0)
    fitted = method.fit(course(data, epochs=15, batch_size=50, learning_rate=0.03))
    batch = data.samples.to(torch.device("cpu"), torch.float64)
    net = fitted.module.net
    encoded = net.encodings(fitted.module.representations(batch.features, batch.present), batch.present).tanh()
    signal, noise = net.gates(encoded, batch.present).mean((0, 1, 3)).tolist()
    assert signal > noise + 0.1


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"width": 0}, "width must be a whole number of at least 1"),
        ({"dropout": 1.0}, "dropout must be a number of at least 0 and below 1"),
        ({"hidden": (4, -1)}, "hidden must list"),
        ({"encoder_hidden": (0,)}, "encoder_hidden must list"),
    ],
)
def test_settings_out_of_range_are_refused(wrong, message):
    """By name, in build and in fit."""
    method = GatedFusion(**wrong)
    with pytest.raises(ValueError, match=message):
        method.build(samples().spec)
    with pytest.raises(ValueError, match=message):
        method.fit(course(samples()))


def test_folds_predict_by_the_mean_of_their_copies():
    """Of the class probabilities; the outputs for validation samples are those of their own fold's copy."""
    data = samples("classification", 3, folds=3)
    fitted = GatedFusion(**SMALL).fit(course(data))
    batch = data.samples.to(torch.device("cpu"), torch.float64)
    read = fitted.module.representations(batch.features, batch.present)
    copies = evaluate(fitted.module.net, read, batch.present)
    mean = evaluate(fitted.module, batch.features, batch.present).softmax(-1)
    torch.testing.assert_close(mean, copies.softmax(-1).mean(0))
    own = copies[batch.fold, torch.arange(40)]
    torch.testing.assert_close(fitted.validation, own)


def test_a_validation_sample_with_nothing_present_gets_the_prior():
    """That of the targets its copy of the network learns from."""
    data = samples(folds=2)
    data.samples.present[3] = False
    fitted = GatedFusion(**SMALL).fit(course(data))
    others = data.samples.target[data.samples.fold != data.samples.fold[3]]
    assert fitted.validation[3].item() == pytest.approx(others.mean().item(), abs=1e-6)
