"""The shapes that flow between modules, named once.

`Features` are one tensor a modality, samples first; `Present` says which modalities (columns, in the order
of the spec) each sample has; `Output` is one row of raw outputs a sample, with any leading axes (seeds,
values of rho, students) in front.
"""

from typing import TypeAlias

from jaxtyping import Bool, Float
from torch import Tensor

Features: TypeAlias = dict[str, Float[Tensor, "batch ..."]]
Present: TypeAlias = Bool[Tensor, "batch modality"]
Output: TypeAlias = Float[Tensor, "*lead batch out"]
