"""Hidden states of models in the manner of Hugging Face, which is not needed for it."""

from types import SimpleNamespace

import pytest
import torch
from hidden_models import BATCH, IDS, Model
from tap_toys import CALLS, state
from torch import nn

from plait.nn.taps import HiddenStates, ModuleTaps


def test_taps_are_the_hidden_states_without_the_embedding():
    """Exactly what the layers give by hand, in evaluation mode; the mask says what is padding."""
    model = Model().train()
    before, encoder = state(model), HiddenStates(model)
    taps = encoder.read(BATCH)
    assert (encoder.taps, encoder.name) == (3, "Model")
    assert state(model) == before
    values = model.eval().embed(IDS)
    for tap, layer in zip(taps, model.encoder.layer, strict=True):
        (values,) = layer(values)
        assert torch.equal(tap.values, values)
        assert torch.equal(tap.here, BATCH["attention_mask"].bool())
        assert not tap.values.requires_grad
    assert encoder.read(IDS)[0].here is None
    assert torch.equal(encoder.read((IDS,))[2].values, taps[2].values)


def test_the_model_is_left_as_it_was_after_an_error():
    """A word that the embedding does not have."""
    model = Model().train()
    before = state(model)
    with pytest.raises(ValueError, match=r"cannot read a tensor of shape \(1, 1\) and torch.int64: index out of range"):
        HiddenStates(model).read(torch.tensor([[10]]))
    assert state(model) == before


@pytest.mark.parametrize("layers", ["", "encoder.layer.*"])
@pytest.mark.parametrize("final", [False, True])
@pytest.mark.parametrize("tap", [1, 2, 3])
def test_a_truncated_model_gives_the_same_taps_and_holds_no_layer_above(tap, final, layers):
    """Nothing above runs; what is below is shared, so that no weight is held twice; the model keeps all."""
    model = Model(final=final)
    encoder = HiddenStates(model, layers=layers)
    whole, short = encoder.read(BATCH), encoder.truncated(tap)
    CALLS.clear()
    taps = short.read(BATCH)
    assert ["1", "2", "3"][:tap] + (["end"] if tap == 3 else []) == CALLS
    assert (short.taps, short.name, len(model.encoder.layer)) == (tap, "Model", 3)
    for one, other in zip(taps, whole, strict=False):
        assert torch.equal(one.values, other.values)
        assert torch.equal(one.here, other.here)
    held = short.module if tap < 3 else short.model
    assert len(held.encoder.layer) == tap
    assert {id(one) for one in held.parameters()} <= {id(one) for one in model.parameters()}
    assert {id(one) for one in held.buffers()} == {id(one) for one in model.buffers()}


def test_layers_that_are_in_no_list_are_left_out_of_the_run_alone():
    """The model is the same, but stops."""
    model = Model()
    first, second, third = model.encoder.layer
    model.encoder.layer = nn.Sequential(first, second, third)
    encoder = HiddenStates(model, layers="encoder.layer.*")
    whole, short = encoder.read(IDS), encoder.truncated(2)
    CALLS.clear()
    assert torch.equal(short.read(IDS)[1].values, whole[1].values)
    assert CALLS == ["1", "2"]
    assert isinstance(short, ModuleTaps)
    assert short.module is model


@pytest.mark.parametrize("model", [Model(told=4), Model(extra=3), Model(told=None), nn.Linear(2, 2)])
def test_layers_that_cannot_be_found_must_be_told(model):
    """None of the length that is told, two of them, or nothing told."""
    with pytest.raises(ValueError, match=r"The layers of \w+ cannot be found: .* Pass their path"):
        HiddenStates(model)


def test_told_layers_are_taken():
    """Where two lists are as long."""
    assert HiddenStates(Model(extra=3), layers="encoder.layer.*").taps == 3
    with pytest.raises(ValueError, match="has no block"):
        HiddenStates(Model(), layers="layers.*")


def test_another_number_of_hidden_states_is_refused():
    """One tap a layer, and the embedding."""
    with pytest.raises(ValueError, match="gave 4 hidden_states; with 1 layers it must give 2"):
        HiddenStates(Model(), layers="encoder.layer.0").read(IDS)


def test_a_model_without_hidden_states_is_refused():
    """It says what to use instead."""

    class Mute(Model):
        def forward(self, input_ids, **others):
            return SimpleNamespace(last=input_ids)

    with pytest.raises(ValueError, match=r"gave no hidden_states; .* or use ModuleTaps"):
        HiddenStates(Mute()).read(IDS)


def test_a_mask_of_a_waveform_is_turned_into_one_of_frames():
    """By the model's own rule: two numbers a frame here."""
    model = Model()
    model._get_feature_vector_attention_mask = lambda frames, given: given[:, ::2][:, :frames]
    given = torch.tensor([[1, 1, 1, 1, 0, 0], [1, 1, 1, 1, 1, 1]])
    tap = HiddenStates(model).read({"input_ids": IDS, "attention_mask": given})[0]
    assert tap.here.tolist() == [[True, True, False], [True, True, True]]


def test_weights_and_values_lie_on_one_device():
    """The device without numbers stands for any other."""
    with pytest.raises(ValueError, match="'Model' has its weights on cpu, and its values are on meta"):
        HiddenStates(Model()).read(IDS.to("meta"))


def test_the_fingerprint_tells_weights_and_configuration():
    """Not the version of the library, nor the mode."""
    model = Model()
    mark = HiddenStates(model).fingerprint()
    model.config.transformers_version = "2"
    assert HiddenStates(model.eval()).fingerprint() == mark
    model.config.hidden_act = "relu"
    changed = HiddenStates(model).fingerprint()
    nn.init.zeros_(model.embed.weight)
    assert len({mark, changed, HiddenStates(model).fingerprint()}) == 3
    assert HiddenStates(model).truncated(1).fingerprint() != HiddenStates(model).truncated(2).fingerprint()
