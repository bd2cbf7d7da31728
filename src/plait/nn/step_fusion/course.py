"""All steps in order: who is moved when, by whom, and what is kept of the way."""

from collections.abc import Hashable, Sequence
from typing import TypeVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from plait.nn.step_fusion.diary import Diary
from plait.nn.step_fusion.literal import LiteralStep
from plait.nn.step_fusion.pooling import pool
from plait.nn.step_fusion.presence import Guides, Presence
from plait.nn.step_fusion.schedule import Turn
from plait.nn.step_fusion.settings import StepSettings
from plait.nn.step_fusion.starting import Start
from plait.nn.step_fusion.state import State
from plait.nn.step_fusion.step import GuidedStep, Move, Step
from plait.nn.step_fusion.transform import log_volume

Key = TypeVar("Key", bound=Hashable)


class Course(nn.Module):
    """The steps of a block, with weights for the pairs of round and target that are used, and for no others.

    Args:
        turns: Who is moved when.
        modalities: Number of modalities.
        settings: Options of the block.
        start: Source of the initial weights.
    """

    def __init__(self, turns: Sequence[Turn], modalities: int, settings: StepSettings, start: Start) -> None:
        super().__init__()
        self.turns = tuple(turns)
        owners = {(turn, target): _owner(turn, target, settings) for turn in turns for target in turn.targets}
        self._homes, count = _numbered(owners)
        rounds = 1 + max((turn.round for turn in turns), default=0) if settings.share_steps else 0
        self.steps = nn.ModuleList(_step(settings, modalities - 1, rounds, start) for _ in range(count))
        pools = 1 if settings.share_modalities else modalities
        self.pools = nn.ModuleList(pool(settings.pool, settings.width, start) for _ in range(pools))
        leads = {turn: _owner(turn, turn.targets[0] if len(turn.targets) == 1 else 0, settings) for turn in turns}
        self._paces, count = _numbered(leads)
        follows = count > 0 and settings.variant == "guided"
        self.pace = nn.Parameter(torch.zeros(count)) if follows else None  # omega

    def first(self, tokens: Sequence[Float[Tensor, "batch _ width"]], presence: Presence) -> State:
        """Where the modalities stand before the first step."""
        pooled = [self._pooled(place, values, presence) for place, values in enumerate(tokens)]
        return State(list(tokens), pooled, presence.mean(pooled))

    def forward(self, state: State, presence: Presence, diary: Diary | None = None) -> State:
        """Where the modalities stand after the last step.

        Args:
            state: Where they stand before the first one.
            presence: What is there.
            diary: Where the way is written down.
        """
        guides = self._guides(state, presence)
        for turn in self.turns:
            state, moves = self._turned(state, turn, presence, guides)
            if diary is not None:
                diary.note(turn, state, moves, [self._step(turn, target) for target in turn.targets], presence)
        return state

    def log_det(self, state: State, presence: Presence) -> Float[Tensor, " batch"]:
        """Logarithm of the factor by which the steps change volumes of the tokens that are there."""
        guides, total = self._guides(state, presence), state.joint.new_zeros(len(state.joint))
        for turn in self.turns:
            state, moves = self._turned(state, turn, presence, guides)
            for target, move in zip(turn.targets, moves, strict=True):
                total = total + presence.count(target, total.dtype) * log_volume(move.by)
        return total

    def inverse(self, state: State, presence: Presence) -> State:
        """Where the modalities stood before the first step; for single targets without local displacement alone."""
        guides = self._guides(state, presence)
        for turn in reversed(self.turns):
            (target,) = turn.targets
            step: GuidedStep = self._step(turn, target)  # type: ignore[assignment]
            tokens = step.back(state, target, guides[target], turn.round)
            state = state.copy()
            state.tokens[target] = presence.cleared(target, tokens)
            state.pooled[target] = self._pooled(target, state.tokens[target], presence)
        return state

    def _turned(
        self, old: State, turn: Turn, presence: Presence, guides: dict[int, Guides]
    ) -> tuple[State, list[Move]]:
        """The state after a turn: every target reads the old state, and what comes of it is written to a copy."""
        new, moves = old.copy(), []
        for target in turn.targets:
            move: Move = self._step(turn, target)(old, target, guides[target], turn.round)
            new.tokens[target] = presence.cleared(target, move.tokens)
            pooled = self._pooled(target, new.tokens[target], presence) if move.pooled is None else move.pooled
            new.pooled[target] = pooled if presence.everyone else pooled * presence.present[:, target, None]
            moves.append(move)
        mean = presence.mean(new.pooled)
        new.joint = (
            mean if self.pace is None else old.joint + self.pace[self._paces[turn]].sigmoid() * (mean - old.joint)
        )
        return new, moves

    def _guides(self, state: State, presence: Presence) -> dict[int, Guides]:
        """Who guides each target."""
        together = any(len(turn.targets) > 1 for turn in self.turns)
        targets = sorted({target for turn in self.turns for target in turn.targets})
        return {target: presence.guides(target, state.joint.dtype, together=together) for target in targets}

    def _pooled(
        self, place: int, tokens: Float[Tensor, "batch token width"], presence: Presence
    ) -> Float[Tensor, "batch width"]:
        found: Tensor = self.pools[place % len(self.pools)](tokens, presence.of(place))
        return found

    def _step(self, turn: Turn, target: int) -> Step:
        step: Step = self.steps[self._homes[turn, target]]  # type: ignore[assignment]
        return step


def _owner(turn: Turn, target: int, settings: StepSettings) -> tuple[int, int]:
    """Whose weights a turn uses: those of a round and a target, or of all of them."""
    return 0 if settings.share_steps else turn.round, 0 if settings.share_modalities else target


def _numbered(owners: dict[Key, tuple[int, int]]) -> tuple[dict[Key, int], int]:
    """Each key with the number of its owner, and how many owners there are."""
    numbers = {owner: number for number, owner in enumerate(dict.fromkeys(owners.values()))}
    return {key: numbers[owner] for key, owner in owners.items()}, len(numbers)


def _step(settings: StepSettings, guides: int, rounds: int, start: Start) -> Step:
    if settings.variant == "literal":
        return LiteralStep(settings, guides, start)
    return GuidedStep(settings, guides, rounds, start)
