import numpy as np
import pytest
import torch
from scipy.stats import norm

from plait.datasets.planted_taps import make_planted_taps, planted_inputs
from plait.skew.planted_module import PlantedBlocks

MANY = 50_000
ERROR = 4 * 0.5 / MANY**0.5


def run(module, values):
    """Every tap, by hooks on the layers, and the result."""
    taps = []
    handles = [layer.register_forward_hook(lambda _, __, out: taps.append(out)) for layer in module.layers]
    result = module(torch.as_tensor(values))
    for handle in handles:
        handle.remove()
    return taps, result


def undo(module, taps):
    """Taps without their rotations: (signals, shares times sign, signs, nuisance)."""
    return [(tap @ layer.leave).numpy() for tap, layer in zip(taps, module.layers, strict=True)]


def share(distance, correlation=0.8, a=2.0):
    """How often the sign of a signal is its code (spec 5.2)."""
    alpha = correlation**distance
    return norm.cdf(alpha * a / (alpha**2 + (1 - alpha**2) * (a**2 + 1)) ** 0.5)


@pytest.fixture(scope="module")
def add():
    """The inputs of "add" in the small size."""
    return planted_inputs("add", n=(MANY, 2, 2), random_state=0)


@pytest.mark.parametrize(("name", "code", "own"), [("a", 0, 5), ("b", 1, 2)])
def test_signals_emerge_and_fade_as_the_formula_says(add, name, code, own):
    """From its block on p(tap) is that of the drawn taps, before it 1/2; the variance is 5 at every tap."""
    module = PlantedBlocks(**add.encoders[name])
    states = undo(module, run(module, add.inputs[name])[0])
    right = [np.mean(np.sign(state[:, 0]) == add.codes[:, code]) for state in states]
    assert right[: own - 1] == pytest.approx([0.5] * (own - 1), abs=ERROR)
    assert right[own - 1 :] == pytest.approx([share(tap - own) for tap in range(own, 7)], abs=ERROR)
    assert [state[:, 0].var() for state in states] == pytest.approx([5.0] * 6, rel=0.03)
    assert add.unimodal_oracle[name] == pytest.approx([0.25] * (own - 1) + [share(k) / 2 for k in range(7 - own)])


def test_a_linear_rule_cannot_read_a_signal_before_it_emerges(add):
    """No coordinate of the inputs or of an early tap correlates with the code; at its block one does, by far."""
    module = PlantedBlocks(**add.encoders["a"])
    taps, _ = run(module, add.inputs["a"])
    linear = [np.corrcoef(np.column_stack([tap, add.codes[:, 0]]).T)[-1, :-1] for tap in (add.inputs["a"], *taps)]
    assert np.abs(np.concatenate(linear[:5])).max() < 4.5 / MANY**0.5
    assert np.sum(linear[5] ** 2) > 0.3


def test_shares_are_there_until_they_are_multiplied(add):
    """Below the block their product is the signal that emerges; from the block on they are zero."""
    module = PlantedBlocks(**add.encoders["a"])
    states = undo(module, run(module, add.inputs["a"])[0])
    for state in states[:4]:
        assert np.allclose(state[:, 1] * state[:, 2], states[4][:, 0], atol=1e-4)
    for state in states[4:]:
        assert np.allclose(state[:, 1:3], 0, atol=1e-5)


def test_the_pair_reaches_its_oracle(add):
    """Both signs are right as often as the oracle says, at a pair with taps above the planted ones."""
    signs = {}
    for name, tap in (("a", 6), ("b", 4)):
        module = PlantedBlocks(**add.encoders[name], random_state=1)
        signs[name] = undo(module, run(module, add.inputs[name])[0])[tap - 1][:, 0] > 0
    assert np.mean(2 * signs["a"] + signs["b"] == add.target) == pytest.approx(add.oracle[5, 3], abs=ERROR)


def test_the_oracle_is_that_of_drawn_taps_above_and_a_guess_below():
    """Each code counts from its own block on; the target is the same function of the codes."""
    for size, (i, j) in {"tiny": (3, 1), "small": (5, 2), "full": (9, 4)}.items():
        drawn, raw = (make("add", size, n=10, random_state=3) for make in (make_planted_taps, planted_inputs))
        assert raw.oracle[i - 1 :, j - 1 :] == pytest.approx(drawn.oracle[i - 1 :, j - 1 :])
        assert raw.oracle[: i - 1, j - 1 :] == pytest.approx(np.tile(raw.unimodal_oracle["b"][j - 1 :], (i - 1, 1)))
        assert raw.oracle[: i - 1, : j - 1] == pytest.approx(0.25)
        assert np.array_equal(drawn.target, raw.target)
        assert np.array_equal(drawn.codes, raw.codes)
        assert raw.planted == drawn.planted


def test_the_module_is_deterministic():
    """Same input, same taps, to the last bit; same seed, same module; another seed turns the taps only."""
    bunch = planted_inputs("add", n=(50, 2, 2), random_state=0)
    module, twin = (PlantedBlocks(**bunch.encoders["a"], random_state=3) for _ in range(2))
    other = PlantedBlocks(**bunch.encoders["a"], random_state=4)
    (taps, _), (again, _), (theirs, _), (turned, _) = (run(m, bunch.inputs["a"]) for m in (module, module, twin, other))
    assert all(torch.equal(*both) for both in zip(taps, again, strict=True))
    assert all(torch.equal(*both) for both in zip(taps, theirs, strict=True))
    assert not any(torch.allclose(*both) for both in zip(taps, turned, strict=True))
    assert np.allclose(undo(module, taps), undo(other, turned), atol=1e-4)
    assert not list(module.parameters())


def test_samples_do_not_influence_each_other_and_modes_are_one():
    """A sample alone has the tap it has in a batch, in training mode too."""
    bunch = planted_inputs("add", n=(50, 2, 2), random_state=0)
    module = PlantedBlocks(**bunch.encoders["b"])
    values = torch.as_tensor(bunch.inputs["b"])
    assert torch.allclose(module(values)[7:8], module(values[7:8]), atol=1e-5)
    assert torch.equal(module.train()(values), module.eval()(values))


def test_layers_can_be_cut_short():
    """With the layers above taken away the result is the tap of the last that is left, to the last bit."""
    bunch = planted_inputs("multi", "full", n=10, random_state=0)
    module = PlantedBlocks(**bunch.encoders["a"])
    taps, result = run(module, bunch.inputs["a"])
    assert torch.equal(result, taps[-1])
    assert {tuple(tap.shape) for tap in taps} == {(10, 32)}
    module.layers = module.layers[:9]
    fewer, result = run(module, bunch.inputs["a"])
    assert len(fewer) == 9
    assert torch.equal(result, taps[8])


def test_every_signal_emerges_at_its_own_block():
    """Two signals of one modality ("multi"), one early and one late; none in the noise of "tri"."""
    bunch = planted_inputs("multi", "tiny", n=(MANY, 2, 2), random_state=1)
    module = PlantedBlocks(**bunch.encoders["a"])
    states = undo(module, run(module, bunch.inputs["a"])[0])
    for place, code, own in ((0, 0, 3), (1, 2, 1)):
        right = [np.mean(np.sign(state[:, place]) == bunch.codes[:, code]) for state in states]
        expected = [share(tap - own) if tap >= own else 0.5 for tap in range(1, 5)]
        assert right == pytest.approx(expected, abs=ERROR)
    noise = planted_inputs("tri", "tiny", n=10, random_state=1)
    module = PlantedBlocks(**noise.encoders["b"])
    states = undo(module, run(module, noise.inputs["b"])[0])
    assert noise.inputs["b"].shape == (10, 8)
    assert np.allclose(states, noise.inputs["b"], atol=1e-5)


def test_a_module_can_be_saved():
    """Its state is in the state dict: another seed takes it over."""
    module, other = (PlantedBlocks(3, 6, (2,), (0.5,), random_state=seed) for seed in (0, 1))
    values = torch.randn(4, module.input_width)
    assert not torch.allclose(module(values), other(values))
    other.load_state_dict(module.state_dict())
    assert torch.equal(module(values), other(values))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 6, (), ()), "`depth` must be at least 1, got 0"),
        ((3, 5, (1, 2), (0.5, 0.5)), "`width` must be at least 6 for 2 signals, got 5"),
        ((3, 6, (4,), (0.5,)), r"`emerging` must be blocks from 1 to 3, got \(4,\)"),
        ((3, 6, (1,), ()), "`correlations` must be 1 numbers"),
        ((3, 6, (1,), (1.0,)), "`correlations` must lie between 0 and 1"),
        ((3, 6, (1,), (0.5,), 0.0), "`amplitude` must be above 0, got 0.0"),
    ],
)
def test_arguments_of_the_module(arguments, message):
    """Refused, with what is allowed."""
    with pytest.raises(ValueError, match=message):
        PlantedBlocks(*arguments)


def test_inputs_of_another_width():
    """Refused with both widths."""
    with pytest.raises(ValueError, match="Expected inputs of width 8, got 7"):
        PlantedBlocks(3, 6, (2,), (0.5,))(torch.zeros(2, 7))
