"""What is written down on the way through the steps."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from plait.nn.step_fusion.presence import Presence
from plait.nn.step_fusion.schedule import Turn
from plait.nn.step_fusion.state import State
from plait.nn.step_fusion.step import Move, Step
from plait.nn.step_fusion.trace import StepRecord, Trace


class Diary:
    """Where the modalities stood before the first step and after each step, and what moved them.

    Args:
        first: Where they stand before the first step.
        moves: Whether what moved them is written down as well.
    """

    def __init__(self, first: State, *, moves: bool) -> None:
        self.states = [first]
        self.records: list[StepRecord] = []
        self._moves = moves

    def note(self, turn: Turn, state: State, moves: Sequence[Move], steps: Sequence[Step], presence: Presence) -> None:
        """Write down a turn: the state after the last turn of a step is that after the step."""
        self.states[turn.step :] = [state]
        if self._moves:
            for target, move, step in zip(turn.targets, moves, steps, strict=True):
                self.records.append(_record(turn.step, target, move, step, presence))

    def trace(self, names: Sequence[str], presence: Presence) -> Trace:
        """The way through the steps, without gradients."""
        pooled = torch.stack([torch.stack(state.pooled, 1) for state in self.states]).detach()
        return Trace(tuple(names), pooled, presence.present, tuple(self.records))


def _record(step: int, target: int, move: Move, module: Step, presence: Presence) -> StepRecord:
    with torch.no_grad():
        length = torch.linalg.vector_norm(move.by.displacement.detach(), dim=1)
        local = torch.zeros_like(length) if move.local is None else _lengths(move.local, target, presence)
        return StepRecord(step, target, move.by.zoom.detach(), module.angles().detach(), length, local)


def _lengths(local: Float[Tensor, "batch token width"], target: int, presence: Presence) -> Float[Tensor, " batch"]:
    """Root mean square length of the displacements of the tokens that are there."""
    squares = presence.cleared(target, local).square().sum((1, 2))
    return (squares / presence.count(target, squares.dtype).clamp(min=1)).sqrt()
