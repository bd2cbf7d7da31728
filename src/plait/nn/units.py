"""Some of the independent networks of a cohort, and where their weights lie."""

from dataclasses import dataclass

import torch
from jaxtyping import Int
from torch import Tensor

from plait.nn.layers import Rows


@dataclass(frozen=True)
class Units:
    """Some students in some copies of a cohort; a unit is one student in one copy.

    Args:
        students: Their positions in one copy, ascending.
        copies: Which copies.
    """

    students: Rows
    copies: Rows

    def among(self, count: int) -> Int[Tensor, "copy student"]:
        """Where they are among all units of copies of so many students."""
        return self.copies[:, None] * count + self.students

    def rows_of(self, users: Rows) -> Int[Tensor, "copy student"]:
        """Where a layer has them that these students alone have, in each copy."""
        return self.copies[:, None] * len(users) + torch.searchsorted(users, self.students)

    def those(self, chosen: Tensor) -> "Units":
        """The same copies of some of the students (a bool for each)."""
        return Units(self.students[chosen], self.copies)
