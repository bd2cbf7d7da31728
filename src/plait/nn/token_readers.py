"""One modality as tokens for a network that is a plain module: by an encoder chosen by shape, or the user's own."""

import copy
from math import prod

from jaxtyping import Float
from torch import Tensor, nn

from plait.data.shapes import Features
from plait.data.spec import DataSpec
from plait.nn.encoders import encoder_for
from plait.nn.extractors import is_frozen, output_shape

_TOKENS = 2  # axes of a token sequence


class TokenReader(nn.Module):
    """Reads a modality's cached representation (named "modality/source") as tokens.

    The user's module may give a sequence (token, width), which is taken as it is, or anything else, which becomes one
    token. A frozen module's outputs come from the cache; any other is trained with the network.

    Args:
        spec: Shapes of the data, and the user's modules.
        name: The modality.
        kind: Encoder of a modality without a module of the user, as `plait.nn.encoders.encoder_for` takes it.
        width: Size of the tokens of such an encoder.
        dropout: Dropout of such an encoder, in [0, 1).

    Attributes:
        tokens: Number of tokens.
        width: Size of a token.
    """

    def __init__(self, spec: DataSpec, name: str, kind: str, width: int, dropout: float) -> None:
        super().__init__()
        given = spec.encoders.get(name)
        self.own = given is None
        self.key = f"{name}/{'identity' if given is None else 'module'}"
        if given is None:
            encoder = encoder_for(spec.shapes[name], kind, width, dropout)
            self.tokens, self.width = encoder.tokens, encoder.width
            self.encoder: nn.Module = encoder
        else:
            shape = output_shape(given, name, spec.shapes[name])
            self.tokens, self.width = shape if len(shape) == _TOKENS else (1, prod(shape))
            self.encoder = nn.Identity() if is_frozen(given) else copy.deepcopy(given)

    def forward(self, features: Features) -> Float[Tensor, "batch token width"]:
        """The tokens."""
        values = features[self.key]
        found: Tensor = self.encoder(
            values if self.own else values.clone()
        )  # the user's may begin with a step in place
        return found.reshape(len(found), self.tokens, self.width)
