"""Where all modalities stand between two turns."""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor


@dataclass
class State:
    """Local and global features of every modality, and what they have in common.

    Args:
        tokens: Local features of every modality; zero where a token is not there.
        pooled: Global features of every modality; zero where it is absent.
        joint: The joint global state.
    """

    tokens: list[Float[Tensor, "batch _ width"]]
    pooled: list[Float[Tensor, "batch width"]]
    joint: Float[Tensor, "batch width"]

    def copy(self) -> "State":
        """Another state of the same tensors: what is written to it leaves this one as it is."""
        return State(list(self.tokens), list(self.pooled), self.joint)
