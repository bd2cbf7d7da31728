"""Small networks have six blocks whose outputs are taps; mel bands follow their formula."""

import math

import pytest
import torch

from plait.nn.taps import ModuleTaps, SmallAudioNet, SmallImageNet, SmallVectorNet
from plait.nn.taps.mel import LogMel, hertz, mel, mel_filters

NETS = {
    "image": (lambda: SmallImageNet(3, 10, width=4), (3, 8, 12), [(96, 4)] * 2 + [(24, 8)] * 2 + [(6, 16)] * 2),
    "odd image": (lambda: SmallImageNet(1, 10, width=2), (1, 5, 1), [(5, 2)] * 2 + [(3, 4)] * 2 + [(2, 8)] * 2),
    "audio": (
        lambda: SmallAudioNet(10, rate=4000, width=4, bands=10),
        (3200,),
        [(51, 4)] * 2 + [(26, 8)] * 2 + [(13, 16)] * 2,
    ),
    "vector": (lambda: SmallVectorNet(7, 10, width=5), (7,), [(5,)] * 6),
}


@pytest.mark.parametrize("name", NETS)
def test_six_blocks_are_taps_of_known_shapes(name):
    """Blocks 3 and 5 halve what has a length, and double the width; the head gives the outputs."""
    build, shape, expected = NETS[name]
    net, values = build(), torch.randn(2, *shape)
    encoder = ModuleTaps(net, "blocks.*")
    assert [tuple(tap.values.shape[1:]) for tap in encoder.read(values)] == expected
    assert net(values).shape == (2, 10)
    assert [tuple(tap.values.shape[1:]) for tap in encoder.truncated(4).read(values)] == expected[:4]


@pytest.mark.parametrize("name", NETS)
def test_samples_do_not_influence_each_other(name):
    """Alone and in a batch, in training mode too (where nothing is dropped)."""
    build, shape, _ = NETS[name]
    net, values = build(), torch.randn(3, *shape)
    for part in net.modules():
        part.p = 0.0
    assert torch.allclose(net.train()(values)[1:2], net(values[1:2]), atol=1e-5)


@pytest.mark.parametrize("name", NETS)
def test_every_parameter_counts(name):
    """A sum of squared outputs has a gradient with respect to all of them."""
    build, shape, _ = NETS[name]
    net = build()
    gradients = torch.autograd.grad(net(torch.randn(4, *shape)).square().sum(), list(net.parameters()))
    assert all(gradient.abs().max() > 0 for gradient in gradients)


@pytest.mark.parametrize(
    ("build", "match"),
    [
        (lambda: SmallImageNet(0, 2), "channels must be a whole number of at least 1"),
        (lambda: SmallImageNet(1, 0), "out must be a whole number of at least 1"),
        (lambda: SmallAudioNet(2, width=0), "width must be a whole number of at least 2"),
        (lambda: SmallVectorNet(0, 2), "features must be a whole number of at least 1"),
        (lambda: SmallVectorNet(2, 2, width=1), "width must be a whole number of at least 2"),
        (lambda: SmallVectorNet(2, 2, dropout=1.0), "dropout must be a number"),
        (lambda: mel_filters(0, 8, 1), "rate must be a whole number of at least 1"),
        (lambda: mel_filters(8, 1, 1), "window must be a whole number of at least 2"),
        (lambda: mel_filters(8, 8, 0), "bands must be a whole number of at least 1"),
        (lambda: LogMel(step=0.0), "step must be a number above 0"),
        (lambda: LogMel(window=0.0), "window must be a number above 0"),
    ],
)
def test_sizes_out_of_range_are_refused(build, match):
    """By their names."""
    with pytest.raises(ValueError, match=match):
        build()


def test_mel_and_hertz_are_known_and_inverse():
    """1000 Hz is 1000 mel by design (to 0.02), 0 is 0."""
    known = torch.tensor([0.0, 700.0, 1000.0, 8000.0], dtype=torch.float64)
    expected = [0.0, 2595 * math.log10(2), 999.9855, 2840.0231]
    assert mel(known).tolist() == pytest.approx(expected, abs=1e-3)
    assert torch.allclose(hertz(mel(known)), known)


def test_filters_follow_their_closed_formula():
    """Every weight by the scalar formula: corners evenly spaced in mel, linear in hertz between them."""
    rate, window, bands = 16_000, 512, 20
    filters = mel_filters(rate, window, bands)
    top = 2595 * math.log10(1 + rate / 2 / 700)
    corners = [700 * (10 ** (top * place / (bands + 1) / 2595) - 1) for place in range(bands + 2)]
    for band in range(bands):
        low, peak, high = corners[band : band + 3]
        for place in range(window // 2 + 1):
            tone = place * rate / window
            rise, fall = (tone - low) / (peak - low), (high - tone) / (high - peak)
            assert filters[band, place].item() == pytest.approx(max(0.0, min(rise, fall)), abs=1e-6)


def test_neighbouring_filters_sum_to_one():
    """Between the first peak and the last: no energy is lost or counted twice."""
    rate, window, bands = 8000, 400, 16
    corners = hertz(torch.linspace(0, mel(torch.tensor([rate / 2])).item(), bands + 2))
    tones = torch.arange(window // 2 + 1) * rate / window
    inside = (tones >= corners[1]) & (tones <= corners[-2])
    assert inside.sum() > 100
    assert torch.allclose(mel_filters(rate, window, bands).sum(0)[inside], torch.ones(()), atol=1e-5)


def test_filters_that_hear_nothing_are_refused():
    """More bands than frequencies."""
    with pytest.raises(ValueError, match="40 bands are too many for a window of 32 samples at 16000 a second"):
        mel_filters(16_000, 32, 40)


@pytest.mark.parametrize("tone", [440.0, 1000.0, 3000.0])
def test_a_pure_tone_is_loudest_in_its_band(tone):
    """The band whose peak is nearest in mel, in every frame away from the ends."""
    layer = LogMel(16_000, 40)
    frames = layer(torch.sin(2 * math.pi * tone * torch.arange(16_000) / 16_000)[None])
    spacing = mel(torch.tensor([8000.0])) / 41
    nearest = int((mel(torch.tensor([tone])) / spacing).round()) - 1
    assert frames.shape == (1, 16_000 // layer.step + 1, 40)
    assert (frames[0, 2:-2].argmax(1) == nearest).all()


def test_silence_is_finite_and_twice_the_sound_is_four_times_the_energy():
    """The logarithm of the floor; a shift by log 4."""
    layer, sound = LogMel(4000, 10), 10 * torch.randn(1, 2000)
    assert torch.allclose(layer(torch.zeros(1, 500)), torch.tensor(1e-6).log())
    assert torch.allclose(layer(2 * sound) - layer(sound), torch.tensor(4.0).log(), atol=1e-3)


def test_a_short_waveform_is_read_too():
    """Zeros lie around a single sample."""
    assert LogMel(4000, 10)(torch.ones(1, 1)).shape == (1, 1, 10)
