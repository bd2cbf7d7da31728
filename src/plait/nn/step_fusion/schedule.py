"""In what order the steps move the modalities."""

from collections.abc import Sequence
from dataclasses import dataclass

from plait.nn.step_fusion.settings import StepSettings


@dataclass(frozen=True)
class Turn:
    """Modalities that are moved at once, reading the states before; then the joint state follows them.

    Args:
        step: Number of the step that it belongs to, counted from 1.
        round: How often each of its targets was moved before.
        targets: Places of the modalities that are moved.
    """

    step: int
    round: int
    targets: tuple[int, ...]


def default_steps(schedule: str, modalities: int) -> int:
    """Two rounds: each modality is guided, and then reacts to the others' reaction."""
    return 2 * modalities if schedule == "alternate" else 2


def default_order(modalities: int) -> tuple[int, ...]:
    """1, ..., M - 1, 0: the first modality is moved last, so that its tokens have seen the most refined guides."""
    return (*range(1, modalities), 0)


def alternate(steps: int, order: Sequence[int]) -> tuple[Turn, ...]:
    """One target a step, in turns, such that the last step moves the last of the order."""
    count = len(order)
    first = -steps % count
    return tuple(Turn(step + 1, step // count, (order[(step + first) % count],)) for step in range(steps))


def sequential(steps: int, order: Sequence[int]) -> tuple[Turn, ...]:
    """All targets one after the other in each step."""
    return tuple(Turn(step + 1, step, (target,)) for step in range(steps) for target in order)


def parallel(steps: int, order: Sequence[int]) -> tuple[Turn, ...]:
    """All targets at once in each step."""
    return tuple(Turn(step + 1, step, tuple(range(len(order)))) for step in range(steps))


SCHEDULES = {"alternate": alternate, "sequential": sequential, "parallel": parallel}


def planned(names: Sequence[str], settings: StepSettings) -> tuple[Turn, ...]:
    """The turns of a block; none where there is one modality, for it has no guides.

    Raises:
        ValueError: If the order is no permutation of the modalities.
    """
    order = default_order(len(names)) if settings.order is None else _places(settings.order, names)
    steps = default_steps(settings.schedule, len(names)) if settings.steps is None else settings.steps
    return SCHEDULES[settings.schedule](steps, order) if len(names) > 1 else ()


def _places(order: Sequence[str], names: Sequence[str]) -> tuple[int, ...]:
    if isinstance(order, str) or sorted(map(str, order)) != sorted(names):
        raise ValueError(
            f"order must name each of the modalities once, for example {list(names)} (got {order!r}). "
            "The last one is moved last."
        )
    return tuple(list(names).index(name) for name in order)
