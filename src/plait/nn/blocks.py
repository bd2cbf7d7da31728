"""A block of a cohort's first layer: everything that reads one representation of one modality."""

from jaxtyping import Bool, Float
from torch import Tensor, nn

from plait.data.shapes import Features
from plait.nn.layers import Rows, StackedLinear


class Block(nn.Module):
    """The contribution of one representation to the first layer of the heads that read it.

    A head's first layer on concatenated representations is the sum of one such block a representation, so
    no student pays for what it does not read.

    Args:
        modality: Name of the modality that is read.
        source: Name of the cached values that are read.
        width: Number of values a sample; of a wider cached representation the first ones.
        users: Positions, in one copy of the cohort, of the students that read it.
        units: The units that read it: these students in every copy of the cohort.
        encoder: The part that is trained with each student; None reads the cached values.
        linear: Weights of the first layer, one copy a student that reads the representation.
    """

    units: Rows

    def __init__(
        self,
        modality: str,
        source: str,
        width: int,
        users: Rows,
        units: Rows,
        encoder: nn.Module | None,
        linear: StackedLinear,
    ) -> None:
        super().__init__()
        self.modality, self.key, self.width, self.users = modality, f"{modality}/{source}", width, users
        self.encoder, self.linear = encoder, linear
        self.register_buffer("units", units, persistent=False)

    def forward(
        self, features: Features, present: Bool[Tensor, " batch"] | None = None
    ) -> Float[Tensor, "copy batch out"]:
        """What the block adds to the first layer; an encoder's output is zero where not present."""
        values = features[self.key]
        read = values[:, : self.width] if self.encoder is None else self.encoder(values)
        if self.encoder is not None and present is not None:
            read = read * present[:, None]
        added: Tensor = self.linear(read)
        return added
