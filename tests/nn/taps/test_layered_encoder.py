"""What every layered encoder promises, and what it refuses."""

import pytest
import torch
from tap_toys import Chain, Fixed

from plait.nn.taps import LayeredEncoder, ModuleTaps, Tapped


def test_an_encoder_is_abstract():
    """It cannot be built without its methods."""
    with pytest.raises(TypeError, match="abstract"):
        LayeredEncoder("name", 3)


@pytest.mark.parametrize("tap", [0, 5, -1, True])
def test_tap_0_and_taps_above_the_top_do_not_exist(tap):
    """The embedding is no tap; L is the last one."""
    with pytest.raises(ValueError, match=r"tap must be a whole number of at least 1|no tap 5. Ask for one from 1 to 4"):
        ModuleTaps(Chain(), "blocks.*").truncated(tap)


def test_an_encoder_without_taps_is_refused():
    """There is nothing to pair."""
    with pytest.raises(ValueError, match="taps must be a whole number of at least 1"):
        Fixed()


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("shape", [(3, 2), (3, 4, 2)])
def test_what_is_not_a_number_is_named_by_encoder_tap_and_row(bad, shape):
    """Not the first tap, not the first row."""
    broken = torch.zeros(shape)
    broken[2, ..., 1] = bad
    with pytest.raises(ValueError, match=r"Tap 2 of encoder 'fixed' holds NaN or infinity in row 2"):
        Fixed(torch.zeros(shape), broken).read(torch.zeros(3, 1))


def test_padding_may_hold_anything():
    """Attention over nothing gives NaN there."""
    values, here = torch.zeros(1, 2, 3), torch.tensor([[True, False]])
    values[0, 1] = float("nan")
    assert Fixed(values, here=here).read(torch.zeros(1, 1))[0].here is here
    values[0, 0, 0] = float("nan")
    with pytest.raises(ValueError, match="row 0"):
        Fixed(values, here=here).read(torch.zeros(1, 1))


def test_taps_of_varying_rank_are_refused():
    """Tokens and vectors cannot be pooled alike."""
    with pytest.raises(ValueError, match=r"varying rank: tap 1 has the shape \(2, 3, 4\), tap 2 \(2, 4\)"):
        Fixed(torch.zeros(2, 3, 4), torch.zeros(2, 4)).read(torch.zeros(2, 1))


def test_a_tap_with_another_number_of_rows_is_refused():
    """A recurrent network that has time first, for example."""
    with pytest.raises(ValueError, match=r"Tap 1 of encoder 'fixed' has the shape \(7, 2, 4\) for 2 samples"):
        Fixed(torch.zeros(7, 2, 4)).read(torch.zeros(2, 1))


@pytest.mark.parametrize("values", [torch.zeros(0, 4), (torch.zeros(0, 4),), {"values": torch.zeros(0, 4)}, []])
def test_an_empty_batch_is_refused(values):
    """In every form."""
    with pytest.raises(ValueError, match="'Chain' has no samples"):
        ModuleTaps(Chain(), "blocks.*").read(values)


@pytest.mark.parametrize(
    "values",
    ["a text", 3, None, {}, (), {"values": [1.0]}, torch.tensor(1.0), [1.0, 2.0], (torch.zeros(2, 4), "text")],
)
def test_what_no_encoder_reads_is_refused(values):
    """Lone texts, numbers, tensors without samples."""
    with pytest.raises(ValueError, match=r"An encoder reads a tensor, a tuple or a dictionary|has no samples"):
        ModuleTaps(Chain(), "blocks.*").read(values)


def test_tensors_of_a_batch_hold_the_same_samples():
    """Or the batch is refused."""
    with pytest.raises(ValueError, match=r"different numbers of samples: \[2, 3\]"):
        ModuleTaps(Chain(), "blocks.*").read((torch.zeros(2, 4), torch.zeros(3, 4)))


@pytest.mark.parametrize(
    ("values", "here"),
    [
        (torch.zeros(2, 3, 4), torch.ones(2, 4, dtype=torch.bool)),
        (torch.zeros(2, 3, 4), torch.ones(1, 3, dtype=torch.bool)),
        (torch.zeros(2, 4), torch.ones(2, 4, dtype=torch.bool)),
    ],
)
def test_padding_is_told_of_every_token(values, here):
    """A mask of another shape, or of a vector, is refused."""
    with pytest.raises(ValueError, match="Say of every token whether it is there"):
        Tapped(values, here)
