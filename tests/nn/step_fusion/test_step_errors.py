"""What a step block refuses, and how it says so."""

import math
import re

import pytest
import torch
from small_blocks import BATCH, block, drawn, tokens

from plait.nn import StepFusionBlock
from plait.nn.step_fusion.settings import WORDS


@pytest.mark.parametrize("name", WORDS)
def test_words_are_those_that_are_listed(name):
    """The error names the option, what it may be, and what came."""
    with pytest.raises(ValueError, match=re.escape(f"{name} must be one of '{WORDS[name][0]}'")):
        block(**{name: "other"})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"width": 1, "heads": 1}, "width must be a whole number of at least 2"),
        ({"heads": 0}, "heads must be a whole number of at least 1"),
        ({"heads": 3}, "width must be divisible by heads (got width=8 and heads=3)"),
        ({"steps": -1}, "steps must be a whole number of at least 0"),
        ({"alpha": -0.1}, "alpha must be a number of at least 0"),
        ({"alpha": math.nan}, "alpha must be a number"),
        ({"beta_init": math.nan}, "beta_init must be a number"),
        ({"dropout": 1.0}, "dropout must be a number of at least 0 and below 1"),
        ({"init_scale": -1.0}, "init_scale must be a number of at least 0"),
        ({"size": 0}, "The width of modality 'a' must be a whole number of at least 1"),
    ],
    ids=str,
)
def test_options_have_ranges(options, message):
    """The error names the option and what came."""
    with pytest.raises(ValueError, match=re.escape(message)):
        block(**options)


def test_heads_matter_where_there_is_attention():
    """Without local displacement, or in the literal variant, they need not divide the width."""
    block(heads=3, local=False)
    block(heads=3, variant="literal")


def test_there_must_be_a_modality():
    """Nothing cannot be joined."""
    with pytest.raises(ValueError, match="widths must name one modality at least"):
        StepFusionBlock({})


def test_modalities_must_be_those_of_the_block():
    """None less, none more."""
    for given in ({"a": drawn(5, 8)}, {**tokens(), "x": drawn(5, 8)}):
        with pytest.raises(ValueError, match=re.escape("features must hold the modalities ['a', 'b'] (got ['a'")):
            block()(given)


@pytest.mark.parametrize(
    ("values", "shape"),
    [
        (drawn(BATCH, 3, 7), "(5, 3, 7)"),
        (drawn(BATCH, 7), "(5, 7)"),
        (drawn(BATCH), "(5,)"),
        (drawn(BATCH, 1, 3, 8), "(5, 1, 3, 8)"),
    ],
)
def test_shapes_must_fit(values, shape):
    """The error names the modality and both shapes."""
    expected = f"Modality 'b' must be numbers of shape (batch, token, 8) or (batch, 8) (got {shape}, torch.float64)"
    with pytest.raises(ValueError, match=re.escape(expected)):
        block()({**tokens(), "b": values})


def test_sequences_must_not_be_empty():
    """No token is not an absent modality."""
    with pytest.raises(ValueError, match=re.escape("Modality 'b' has no token (got shape (5, 0, 8))")):
        block()({**tokens(), "b": drawn(BATCH, 0, 8)})


def test_modalities_must_have_the_same_samples():
    """The error tells how many there are of each."""
    with pytest.raises(ValueError, match=re.escape("(got numbers of samples {'a': 5, 'b': 4})")):
        block()({**tokens(), "b": drawn(4, 3, 8)})


def test_presence_must_fit():
    """One boolean a sample and modality."""
    with pytest.raises(
        ValueError, match=re.escape("present must be booleans of shape (5, 2) (got (5, 3), torch.bool)")
    ):
        block()(tokens(), torch.ones(BATCH, 3, dtype=torch.bool))


def test_validity_must_fit():
    """One boolean a token, of modalities that there are."""
    with pytest.raises(
        ValueError, match=re.escape("valid['b'] must be booleans of shape (5, 3) (got (5, 4), torch.bool)")
    ):
        block()(tokens(), valid={"b": torch.ones(BATCH, 4, dtype=torch.bool)})
    with pytest.raises(ValueError, match=re.escape("valid must name modalities of ['a', 'b'] (got ['x'])")):
        block()(tokens(), valid={"x": torch.ones(BATCH, 4, dtype=torch.bool)})


def test_every_sample_needs_a_modality():
    """The error names the rows."""
    present = torch.ones(BATCH, 2, dtype=torch.bool)
    present[[1, 3]] = False
    with pytest.raises(ValueError, match=re.escape("present is False for all of ['a', 'b'] in rows 1, 3.")):
        block()(tokens(), present)


def test_a_present_modality_needs_a_valid_token():
    """The error names the modality and the row; an absent one needs none."""
    valid = torch.ones(BATCH, 3, dtype=torch.bool)
    valid[2] = False
    with pytest.raises(ValueError, match=re.escape("Modality 'b' is present without a valid token in row 2.")):
        block()(tokens(), valid={"b": valid})
    present = torch.ones(BATCH, 2, dtype=torch.bool)
    present[2, 1] = False
    assert torch.isfinite(block()(tokens(), present, {"b": valid}).z).all()


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_values_that_are_there_must_be_numbers(value):
    """The error names the modality and the first rows; those of padding and of absent modalities do not count."""
    values = tokens(batch=9)
    values["b"][2:, 1, 3] = value
    with pytest.raises(
        ValueError, match=re.escape("Modality 'b' holds NaN or infinity in valid tokens of rows 2, 3, 4, 5, 6, ...")
    ):
        block()(values)
    valid = torch.ones(9, 3, dtype=torch.bool)
    valid[:, 1] = False
    assert torch.isfinite(block()(values, valid={"b": valid}).z).all()
    present = torch.ones(9, 2, dtype=torch.bool)
    present[2:, 1] = False
    assert torch.isfinite(block()(values, present).z).all()


def test_large_values_are_numbers():
    """Sums that overflow in half precision are looked at again."""
    made = block().bfloat16()
    values = {name: torch.full((2, 3, 8), 1e38, dtype=torch.bfloat16) for name in "ab"}
    made(values)


def test_literal_steps_need_equally_many_tokens():
    """The error tells how many there are."""
    with pytest.raises(ValueError, match=re.escape("needs equally many of all (got {'a': 4, 'b': 3})")):
        block(variant="literal")(tokens())


def test_kinds_of_alignment_are_those_that_are_listed():
    """The error names them."""
    made = block()
    with pytest.raises(ValueError, match=re.escape("kind must be one of 'mse', 'infonce', 'coral', 'mmd', 'cca'")):
        made.alignment_loss(made(tokens()), "other")


def test_a_batch_without_samples_has_an_empty_answer():
    """Shapes stay; nothing is looked at."""
    block = StepFusionBlock({"a": 5, "b": 7}, 8, heads=2)
    found = block({"a": torch.zeros(0, 3, 5), "b": torch.zeros(0, 4, 7)})
    assert found.z.shape == (0, 8)
