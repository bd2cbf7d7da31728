"""A model in the manner of Hugging Face, which is not needed for it."""

from types import SimpleNamespace

import torch
from tap_toys import CALLS, Block
from torch import nn


class Layer(Block):
    """A block whose output is a tuple."""

    def forward(self, values):
        return (super().forward(values),)


class Configuration(SimpleNamespace):
    """Settings that can be told."""

    def to_dict(self):
        return vars(self)


class Model(nn.Module):
    """Three layers under an embedding, a normalisation behind them, and outputs by name."""

    def __init__(self, told=3, layers=3, extra=0, final=False):
        super().__init__()
        torch.manual_seed(0)
        self.config = Configuration(num_hidden_layers=told, transformers_version="1")
        self.embed = nn.Embedding(9, 4)
        self.encoder = nn.Module()
        self.encoder.layer = nn.ModuleList(Layer(str(place + 1), 4, 4) for place in range(layers))
        self.others = nn.ModuleList(nn.Linear(4, 4) for _ in range(extra))
        self.final = nn.LayerNorm(4) if final else nn.Identity()
        self.register_buffer("places", torch.arange(4), persistent=False)

    def forward(self, input_ids, attention_mask=None, output_hidden_states=False, return_dict=False):
        states = [self.embed(input_ids)]
        for layer in self.encoder.layer:
            states += layer(states[-1])
        states[-1] = self.final(states[-1])
        CALLS.append("end")
        assert return_dict or not output_hidden_states
        return SimpleNamespace(last=states[-1], hidden_states=tuple(states) if output_hidden_states else None)


IDS = torch.tensor([[1, 2, 3], [4, 5, 0]])
BATCH = {"input_ids": IDS, "attention_mask": torch.tensor([[1, 1, 1], [1, 1, 0]])}
