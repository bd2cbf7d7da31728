"""Series and images are cut as promised, and the kind of encoder goes by the shape."""

import pytest
import torch

from plait.nn.encoders import (
    ImageConvolution,
    ImagePatches,
    Perceptron,
    SeriesConvolution,
    SeriesPatches,
    encoder_for,
)


@pytest.mark.parametrize(
    ("encoder", "shape", "choices", "tokens"),
    [
        (SeriesPatches, (96, 1), {}, 12),
        (SeriesPatches, (336, 7), {}, 42),
        (SeriesPatches, (97, 1), {}, 12),
        (SeriesPatches, (16, 1), {}, 2),
        (SeriesPatches, (5, 1), {}, 2),
        (SeriesPatches, (1, 1), {}, 2),
        (SeriesPatches, (10, 1), {"patch": 1, "stride": 1}, 11),
        (SeriesConvolution, (128, 1), {}, 32),
        (SeriesConvolution, (125, 2), {}, 32),
        (SeriesConvolution, (1, 1), {}, 1),
        (SeriesConvolution, (3, 1), {"stride": 8}, 1),
        (SeriesConvolution, (10, 1), {"stride": 3}, 4),
        (SeriesConvolution, (10, 1), {"stride": 1}, 10),
        (ImagePatches, (1, 24, 24), {}, 16),
        (ImagePatches, (3, 7, 5), {}, 2),
        (ImagePatches, (3, 2, 4), {}, 1),
        (ImagePatches, (1, 48, 48), {"patch": 8}, 36),
        (ImageConvolution, (1, 24, 24), {}, 36),
        (ImageConvolution, (3, 9, 2), {}, 3),
        (Perceptron, (3, 9, 2), {}, 1),
    ],
)
def test_the_number_of_tokens_is_known(encoder, shape, choices, tokens):
    """As many as the shape and the strides say, and as come out."""
    built = encoder(shape, width=8, **choices)
    assert built.tokens == tokens
    assert built(torch.randn(2, *shape)).shape == (2, tokens, 8)


def embedded(encoder, values):
    """What an encoder without layers gives before positions are added, its embedding being the identity."""
    with torch.no_grad():
        for table in encoder.positions.along:
            table.zero_()
        encoder.embed.weight.copy_(torch.eye(encoder.width))
        encoder.embed.bias.zero_()
        return encoder.eval()(values)


def test_patches_of_a_series_overlap_and_the_last_step_is_repeated():
    """All steps of a channel, then those of the next."""
    encoder = SeriesPatches((6, 2), width=8, patch=4, stride=2, layers=0)
    series = torch.stack([torch.arange(6.0), 10 + torch.arange(6.0)], 1)[None]
    assert embedded(encoder, series)[0].tolist() == [
        [0, 1, 2, 3, 10, 11, 12, 13],
        [2, 3, 4, 5, 12, 13, 14, 15],
        [4, 5, 5, 5, 14, 15, 15, 15],
    ]


def test_a_patch_shrinks_to_a_short_series():
    """And the stride in proportion: half a patch stays half a patch, rounded up."""
    encoder = SeriesPatches((3, 1), width=3, layers=0, heads=3)
    assert (encoder.patch, encoder.stride) == (3, 2)
    assert embedded(encoder, torch.tensor([1.0, 2.0, 3.0]).view(1, 3, 1))[0].tolist() == [[1, 2, 3], [3, 3, 3]]


def test_patches_of_an_image_are_squares():
    """Row by row; zeros fill the last ones up."""
    encoder = ImagePatches((1, 4, 3), width=4, patch=2, layers=0)
    found = embedded(encoder, torch.arange(12.0).view(1, 1, 4, 3))[0].tolist()
    assert found == [[0, 1, 3, 4], [2, 0, 5, 0], [6, 7, 9, 10], [8, 0, 11, 0]]


def test_the_place_of_a_patch_is_its_row_and_its_column():
    """An empty image shows the positions: the sum of one vector a row and one a column."""
    encoder = ImagePatches((1, 4, 6), width=4, patch=2, layers=0).eval()
    torch.nn.init.zeros_(encoder.embed.bias)
    rows, columns = encoder.positions.along
    expected = (rows[:, None] + columns[None]).reshape(6, 4)
    torch.testing.assert_close(encoder(torch.zeros(1, 1, 4, 6))[0], expected)


def test_convolutions_see_what_is_near():
    """A step far away leaves a token of the stem alone; the transformer lets all of them know."""
    series = torch.randn(1, 128, 1)
    changed = series.clone()
    changed[:, 100] += 1
    for layers, reached in ((0, {24, 25, 23, 26, 27, 22}), (1, set(range(32)))):
        encoder = SeriesConvolution((128, 1), width=8, layers=layers).eval()
        moved = (encoder(changed) - encoder(series)).abs().amax((0, 2)) > 0
        assert set(moved.nonzero().flatten().tolist()) <= reached
        assert moved.any() if layers == 0 else moved.all()


def test_a_convolution_moves_with_the_series():
    """A motif one stride later gives the same tokens one place later, positions and the ends apart."""
    encoder = SeriesConvolution((64, 1), width=8, layers=0).eval()
    torch.nn.init.zeros_(encoder.positions.along[0])
    series = torch.zeros(1, 64, 1)
    series[:, 20:30] = torch.randn(10, 1)
    torch.testing.assert_close(encoder(series.roll(4, 1))[:, 4:13], encoder(series)[:, 3:12])


@pytest.mark.parametrize(
    ("shape", "kind", "encoder", "width"),
    [
        ((5,), "shape", Perceptron, 64),
        ((30, 2), "shape", SeriesConvolution, 64),
        ((1, 8, 8), "shape", ImageConvolution, 64),
        ((1, 8, 8, 8), "shape", Perceptron, 64),
        ((30, 2), "perceptron", Perceptron, 64),
        ((1, 8, 8), "perceptron-7", Perceptron, 7),
        ((30, 2), "convolution-16", SeriesConvolution, 16),
        ((1, 8, 8), "convolution", ImageConvolution, 64),
        ((30, 2), "patches", SeriesPatches, 64),
        ((5,), "patches", Perceptron, 64),
        ((5,), "convolution-16", Perceptron, 16),
        ((1, 8, 8), "patches-32", ImagePatches, 32),
        ((30, 2), "shape-12", SeriesConvolution, 12),
    ],
)
def test_the_kind_goes_by_shape_or_name(shape, kind, encoder, width):
    """A width in the text wins over the argument."""
    built = encoder_for(shape, kind)
    assert type(built) is encoder
    assert (built.shape, built.width) == (shape, width)
    assert type(encoder_for(shape, kind, width=16)) is encoder


def test_width_and_dropout_are_passed_on():
    """To whatever is chosen."""
    for shape in ((5,), (30, 2), (1, 8, 8)):
        built = encoder_for(shape, width=24, dropout=0.0)
        assert built.width == 24
        values = torch.randn(2, *shape)
        assert torch.equal(built(values), built(values))
    with pytest.raises(ValueError, match="dropout"):
        encoder_for((5,), dropout=-0.1)


@pytest.mark.parametrize(
    ("shape", "kind", "told"),
    [
        ((5,), "fourier", "Known kinds: 'shape', 'perceptron', 'convolution', 'patches'"),
        ((5,), "patches-0", "is not a kind"),
        ((5,), "", "is not a kind"),
        ((1, 8, 8, 8), "patches", r"not samples of shape \(1, 8, 8, 8\)"),
        ((1, 8, 8, 8), "convolution", "Use 'perceptron'"),
        ((30, 2), "patches-30", "width=32"),
        ((30, 2), "convolution-30", "width=32"),
        ((30, 0), "convolution", "at least 1"),
        ((), "shape", "at least one axis"),
    ],
)
def test_kinds_that_do_not_fit_are_refused(shape, kind, told):
    """Telling what there is, what fits, or the next width."""
    with pytest.raises(ValueError, match=told):
        encoder_for(shape, kind)
