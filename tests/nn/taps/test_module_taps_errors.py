"""What cannot be read as taps of a module is refused, with what to do."""

import pytest
import torch
from tap_toys import Chain, state
from torch import nn

from plait.nn.taps import ModuleTaps

VALUES = torch.ones(2, 4)


class Repeated(nn.Module):
    """One block that runs twice, one that runs once, one that never does."""

    def __init__(self):
        super().__init__()
        self.twice, self.once, self.never = nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 4)

    def forward(self, values):
        return self.once(self.twice(self.twice(values)))


@pytest.mark.parametrize("blocks", ["layers.*", "blocks", "blocks.9", "block*.*.*.*", ["blocks.0", "lost"], nn.Conv2d])
def test_a_block_that_is_not_there_is_named_with_what_is(blocks):
    """A star stands for no dot."""
    if blocks == "blocks":
        with pytest.raises(ValueError, match="did not run"):  # a list of modules is there, but never called
            ModuleTaps(Chain(), blocks).read(VALUES)
    else:
        wanted = r"Chain has no block '(layers\.\*|blocks\.9|block\*.*|lost|Conv2d)'. There is: norm \(BatchNorm1d\)"
        with pytest.raises(ValueError, match=wanted):
            ModuleTaps(Chain(), blocks)


@pytest.mark.parametrize("blocks", [3, None, torch.Tensor, [], [3], ["blocks.0", nn.Linear], b"blocks", Chain()])
def test_blocks_of_a_wrong_type_are_refused(blocks):
    """Neither a path, nor several, nor a type of module."""
    with pytest.raises(ValueError, match="blocks must be a path such as"):
        ModuleTaps(Chain(), blocks)


def test_a_long_list_of_parts_is_cut():
    """Thirty are shown."""
    net = nn.Sequential(*(nn.Linear(1, 1) for _ in range(33)))
    with pytest.raises(ValueError, match=r"29 \(Linear\) and 3 more"):
        ModuleTaps(net, "lost")


@pytest.mark.parametrize(
    ("blocks", "match"),
    [
        (["twice", "once"], r"\['twice'\] of encoder 'Repeated' ran more than once"),
        (["once", "never"], r"\['never'\] of encoder 'Repeated' did not run"),
        (["never"], r"\['never'\] of encoder 'Repeated' did not run"),
        (nn.Linear, r"\['twice'\] of encoder 'Repeated' ran more than once"),
    ],
)
def test_a_block_that_ran_twice_or_not_at_all_is_named(blocks, match):
    """And the module is left as it was."""
    net = Repeated().train()
    before = state(net)
    with pytest.raises(ValueError, match=match):
        ModuleTaps(net, blocks).read(VALUES)
    assert state(net) == before


def test_a_truncated_encoder_whose_block_never_runs_is_refused():
    """The run comes to its end instead."""
    encoder = ModuleTaps(Repeated(), ["never", "once"]).truncated(1)
    with pytest.raises(ValueError, match=r"expected|did not run"):
        encoder.read(VALUES)


def test_blocks_out_of_order_are_refused():
    """Tap l is that of block l in the order in which they run."""
    with pytest.raises(ValueError, match=r"in the order \['blocks.0', 'blocks.2'\], and \['blocks.2', 'blocks.0'\]"):
        ModuleTaps(Chain(), ["blocks.2", "blocks.0"]).read(VALUES)


def test_a_module_that_catches_the_end_of_a_run_is_refused():
    """Blocks above would run."""
    net = Chain()

    def stubborn(values):
        for block in net.blocks:
            try:
                values = block(values)
            except BaseException:  # noqa: BLE001
                values = torch.zeros(2, block.linear.out_features)
        return values

    net.forward = stubborn
    with pytest.raises(ValueError, match="let no part of the module catch what ends a run"):
        ModuleTaps(net, "blocks.*").truncated(1).read(VALUES)


@pytest.mark.parametrize(
    ("give", "match"),
    [
        (lambda values: "text", "Block 'part' of encoder 'Odd' gave no tensor"),
        (lambda values: values > 0, "gave a tensor of torch.bool"),
        (lambda values: values.sum(1), r"gave the shape \(2,\), which has no axis 1"),
    ],
)
def test_a_block_that_gives_no_tokens_is_named(give, match):
    """No tensor, no numbers, no width."""

    class Part(nn.Module):
        def forward(self, values):
            return give(values)

    class Odd(nn.Module):
        def __init__(self):
            super().__init__()
            self.part = Part()

        def forward(self, values):
            self.part(values)

    with pytest.raises(ValueError, match=match):
        ModuleTaps(Odd(), "part").read(VALUES)


@pytest.mark.parametrize("axis", [0, -1, True])
def test_the_axis_of_samples_is_not_that_of_a_token(axis):
    """It is 1 or more."""
    with pytest.raises(ValueError, match="width_axis must be a whole number of at least 1"):
        ModuleTaps(Chain(), "blocks.*", width_axis=axis)


def test_weights_and_values_lie_on_one_device():
    """The device without numbers stands for any other."""
    net = Chain()
    with pytest.raises(ValueError, match=r"'Chain' has its weights on cpu, and its values are on meta"):
        ModuleTaps(net, "blocks.*").read(VALUES.to("meta"))
    net.head.to("meta")
    with pytest.raises(ValueError, match=r"weights on cpu, meta, and its values are on cpu. Move both to one device"):
        ModuleTaps(net, "blocks.*").read(VALUES)
    with pytest.raises(ValueError, match="'meta' holds no numbers"):
        ModuleTaps(net.to("meta"), "blocks.*").read(VALUES.to("meta"))


def test_a_module_reads_no_texts():
    """It says so rather than fail inside."""
    with pytest.raises(ValueError, match="'Chain' reads tensors, not texts"):
        ModuleTaps(Chain(), "blocks.*").read(["a", "b"])
