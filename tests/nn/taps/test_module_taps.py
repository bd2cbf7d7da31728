"""The blocks of any module are read as they are, and the module does not notice."""

import copy
from collections import OrderedDict

import pytest
import torch
from tap_toys import CALLS, Block, Chain, state
from torch import nn

from plait.nn.taps import ModuleTaps

VALUES = torch.randn(5, 4, generator=torch.Generator().manual_seed(1))


def by_hand(net, values):
    """The outputs of the blocks, one after the other."""
    net = copy.deepcopy(net).eval()
    values = net.norm(values)
    return [values := block(values).detach() for block in net.blocks]


def same(taps, expected):
    """Whether all taps are exactly these tensors."""
    return len(taps) == len(expected) and all(
        torch.equal(tap.values, one) for tap, one in zip(taps, expected, strict=True)
    )


@pytest.mark.parametrize("blocks", ["blocks.*", ["blocks.0", "blocks.1", "blocks.[23]"], "[a-c]locks.?"])
def test_taps_are_the_outputs_of_the_blocks(blocks):
    """Exactly, of unequal widths, however the paths are told; in evaluation mode though the net is in training."""
    net = Chain().train()
    encoder = ModuleTaps(net, blocks)
    assert (encoder.taps, encoder.name) == (4, "Chain")
    taps = encoder.read(VALUES)
    assert same(taps, by_hand(net, VALUES))
    assert [tap.values.shape[1] for tap in taps] == [4, 5, 3, 6]
    assert all(tap.here is None and not tap.values.requires_grad for tap in taps)


def test_blocks_of_a_type_come_in_the_order_in_which_they_run():
    """Not in that of their definition; the head is one of them."""
    net = Chain()
    net.blocks = net.blocks[::-1]
    net.forward = lambda values: net.head(net.blocks[0](net.blocks[1](net.blocks[2](net.blocks[3](net.norm(values))))))
    encoder = ModuleTaps(net, Block)
    assert encoder.taps == 5
    assert [tap.values.shape[1] for tap in encoder.read(VALUES)] == [4, 5, 3, 6, 2]
    assert [tap.values.shape[1] for tap in encoder.truncated(2).read(VALUES)] == [4, 5]


def test_two_readings_are_equal_and_the_module_is_left_as_it_was():
    """Dropout and batch normalisation in training mode, one part frozen by hand: flags, weights, gradients, hooks."""
    net = Chain().train()
    net.blocks[1].eval()
    before, encoder = state(net), ModuleTaps(net, "blocks.*")
    first, second = encoder.read(VALUES), encoder.read(VALUES)
    assert same(first, [tap.values for tap in second])
    assert state(net) == before
    assert all(parameter.requires_grad for parameter in net.parameters())


def test_the_module_is_left_as_it_was_after_an_error():
    """Values of a wrong width fail in the middle of the run."""
    net = Chain().train()
    before = state(net)
    net.blocks[2].linear = nn.Linear(9, 9)
    broken = state(net)
    with pytest.raises(ValueError, match="shape"):
        ModuleTaps(net, "blocks.*").read(VALUES)
    assert state(net) == broken != before


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (torch.zeros(2, 5), r"Encoder 'Chain' cannot read a tensor of shape \(2, 5\) and torch.float32: "),
        (torch.zeros(2, 4).double(), r"torch.float64: .*\. Give it the shape and the number format"),
    ],
)
def test_what_a_module_cannot_read_is_told_with_shape_and_number_format(values, message):
    """One kind of error, in which stands what torch says, and what to do."""
    with pytest.raises(ValueError, match=message):
        ModuleTaps(Chain(), "blocks.*").read(values)


class Named(nn.Module):
    """Two layers that have names of their own, and stand in a list too."""

    def __init__(self):
        super().__init__()
        self.one, self.two = nn.Linear(4, 3), nn.Linear(3, 2)
        self.layers = nn.ModuleList([self.one, self.two])

    def forward(self, values):
        return self.two(self.one(values))


def test_a_block_is_found_by_each_of_its_names():
    """A list of modules that have names beside it, too; by type it is one block."""
    net = Named()
    for blocks in ("layers.*", ["layers.0", "two"], ["one", "two"], nn.Linear):
        widths = [tapped.values.shape[1] for tapped in ModuleTaps(net, blocks).read(VALUES)]
        assert widths == [3, 2]


def test_the_same_module_twice_is_refused():
    """Layers with tied weights, and two names of one part: the taps could not be told apart."""
    layer = nn.Linear(4, 4)
    with pytest.raises(ValueError, match="'0' and '1' of Sequential are the same module twice"):
        ModuleTaps(nn.Sequential(layer, layer), "*")
    with pytest.raises(ValueError, match=r"'one' and 'layers\.0' of Named are the same module twice"):
        ModuleTaps(Named(), ["one", "layers.0"])


@pytest.mark.parametrize("tap", [1, 2, 3, 4])
def test_a_truncated_encoder_gives_the_same_taps_and_runs_no_block_above(tap):
    """A counter in the blocks proves it; neither does the head run, and nothing is left behind."""
    net = Chain().train()
    encoder, before = ModuleTaps(net, "blocks.*", name="mine"), state(net)
    whole, short = encoder.read(VALUES), encoder.truncated(tap)
    CALLS.clear()
    assert same(short.read(VALUES), [one.values for one in whole[:tap]])
    assert [str(place) for place in range(1, tap + 1)] == CALLS
    assert (short.taps, short.name, encoder.taps) == (tap, "mine", 4)
    assert state(net) == before
    assert same(short.truncated(1).read(VALUES), [whole[0].values])


def test_the_end_of_a_truncated_run_is_not_caught_by_the_module():
    """A module that goes on after any Exception is stopped all the same, and other errors come through."""
    net = Chain()

    def forgiving(values):
        try:
            return Chain.forward(net, values)
        except Exception:  # noqa: BLE001
            return net.head(torch.zeros(5, 6))

    net.forward = forgiving
    CALLS.clear()
    assert len(ModuleTaps(net, "blocks.*").truncated(1).read(VALUES)) == 1
    assert CALLS == ["1"]


def test_an_encoder_inside_an_encoder_ends_its_own_run_alone():
    """A module that reads another one truncated, itself watched and truncated, behind that reading or within it."""

    class Outer(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner, self.after = Chain(), nn.ModuleList([Block("after", 4, 3), Block("last", 3, 3)])

        def forward(self, values):
            inner = ModuleTaps(self.inner, "blocks.*").truncated(1).read(values)[0].values
            return self.after[1](self.after[0](inner))

    outer = Outer()
    CALLS.clear()
    (tap,) = ModuleTaps(outer, "after.*").truncated(1).read(VALUES)
    assert tap.values.shape == (5, 3)
    assert CALLS == ["1", "after"]
    CALLS.clear()
    (within,) = ModuleTaps(outer, ["inner.blocks.0", "after.0"]).truncated(1).read(VALUES)
    assert torch.equal(within.values, by_hand(outer.inner, VALUES)[0])
    assert ["1", *"1234"] == CALLS  # the outer run ends at once; then by hand


def test_what_comes_after_a_block_cannot_change_its_tap():
    """An operation in place on its output."""
    net = nn.Sequential(nn.Linear(4, 4), nn.ReLU(inplace=True))
    expected = net[0](VALUES).detach()
    assert (expected < 0).any()
    assert same(ModuleTaps(net, "0").read(VALUES), [expected])


def test_a_single_block_and_a_single_sample_are_enough():
    """One tap, one row, whatever is below."""
    net = Chain()
    assert same(ModuleTaps(net, "blocks.2").read(VALUES[:1]), by_hand(net, VALUES[:1])[2:3])


class Output(OrderedDict):
    """An output of named parts, as Hugging Face has it."""


@pytest.mark.parametrize(
    "wrap",
    [
        lambda tensor: (tensor, tensor + 1),
        lambda tensor: [tensor],
        lambda tensor: ("weights", None, tensor),
        lambda tensor: Output(loss=None, state=tensor, other=tensor + 1),
    ],
)
def test_of_an_output_of_several_parts_the_first_tensor_counts(wrap):
    """Tuples, lists, named parts."""

    class Wrapped(nn.Linear):
        def forward(self, values):
            return wrap(super().forward(values))

    net = nn.Sequential(Wrapped(4, 3))
    assert same(ModuleTaps(net, "0").read(VALUES), [nn.Linear.forward(net[0], VALUES).detach()])


def test_modules_read_a_tensor_a_tuple_or_a_dictionary():
    """All forms give the same taps."""

    class Sum(nn.Module):
        def __init__(self):
            super().__init__()
            self.block = nn.Linear(4, 3)

        def forward(self, first, second):
            return self.block(first + second)

    encoder = ModuleTaps(Sum(), "block")
    (expected,) = encoder.read((VALUES, VALUES))
    assert torch.equal(expected.values, encoder.module.block(2 * VALUES).detach())
    assert same(encoder.read({"second": VALUES, "first": VALUES}), [expected.values])


def test_an_image_map_becomes_tokens():
    """A pixel is a token, row by row; its width is the number of channels."""
    net = nn.Sequential(nn.Conv2d(1, 3, 1), nn.Conv2d(3, 2, 2))
    images = torch.randn(2, 1, 4, 5)
    first, second = ModuleTaps(net, nn.Conv2d).read(images)
    whole = net[0](images).detach()
    assert first.values.shape == (2, 20, 3)
    assert second.values.shape == (2, 12, 2)
    assert torch.equal(first.values[1, 5 * 2 + 3], whole[1, :, 2, 3])


@pytest.mark.parametrize(("axis", "shape"), [(None, (2, 3, 7)), (2, (2, 3, 7)), (1, (2, 7, 3))])
def test_the_axis_of_a_token_can_be_chosen(axis, shape):
    """A convolution of a series has it in the middle."""
    net = nn.Sequential(nn.Conv1d(1, 3, 1))
    series = torch.randn(2, 1, 7)
    (tap,) = ModuleTaps(net, "0", width_axis=axis).read(series)
    assert tap.values.shape == shape
    assert torch.equal(tap.values if axis != 1 else tap.values.mT, net(series).detach())


def test_padding_is_known_by_the_attention_mask():
    """It says which tokens are there, and must fit them."""

    class Masked(nn.Module):
        def __init__(self):
            super().__init__()
            self.blocks = nn.ModuleList([nn.Linear(4, 3)])

        def forward(self, values, attention_mask):
            return self.blocks[0](values)

    encoder, values = ModuleTaps(Masked(), "blocks.*"), torch.randn(2, 3, 4)
    given = torch.tensor([[1, 1, 0], [1, 0, 0]])
    (tap,) = encoder.read({"values": values, "attention_mask": given})
    assert torch.equal(tap.here, given.bool())
    with pytest.raises(ValueError, match=r"attention_mask for encoder 'Masked' has the shape \(2, 5\), its tokens"):
        encoder.read({"values": values, "attention_mask": torch.ones(2, 5)})
    (vector,) = encoder.read({"values": values[:, 0], "attention_mask": given})
    assert vector.here is None


def test_an_encoder_can_be_copied():
    """The copy has weights of its own, and gives the same."""
    encoder = ModuleTaps(Chain(), "blocks.*").truncated(2)
    other = copy.deepcopy(encoder)
    assert same(other.read(VALUES), [tap.values for tap in encoder.read(VALUES)])
    assert other.module is not encoder.module
    assert other.fingerprint() == encoder.fingerprint()


def test_a_torch_transformer_with_padding_is_read_as_without_a_shortcut():
    """Its layers would pack their tokens; the taps are those of layers that run one by one."""
    torch.manual_seed(0)
    net = nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), 2).train()
    values, padding = torch.randn(2, 3, 8), torch.tensor([[False, False, True], [False, False, False]])
    taps = ModuleTaps(net, "layers.*").read({"src": values, "src_key_padding_mask": padding})
    alone = ModuleTaps(net, "layers.*").read(values[:1, :2])
    assert torch.backends.mha.get_fastpath_enabled()  # the shortcut is there again
    for tap, one in zip(taps, alone, strict=True):
        assert tap.values.shape == (2, 3, 8)
        assert torch.allclose(tap.values[:1, :2], one.values, atol=1e-6)
