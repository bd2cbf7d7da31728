"""Gates as a shortlister: which pairs are still open when the price of a pair has risen, and what of them is needed."""

from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Bool
from torch import Tensor

from plait.data.settings import check_one_of, check_real, check_whole
from plait.skew.judge import Judge
from plait.skew.searches.elimination import backward_elimination
from plait.skew.searches.gate_net import GATED, GatedPairs
from plait.skew.searches.gumbel import steady_trainer
from plait.skew.searches.ramp import Ramp, of_steps
from plait.skew.searches.resident import Resident, residents
from plait.skew.searches.tried import Scan, Tried
from plait.skew.selection import Pairs
from plait.training.course import Course
from plait.training.trainer import Trainer


@dataclass(frozen=True)
class Gates:
    """How gates are learned.

    Args:
        operator: "sum" has no products of the two modalities' features, "bilinear" has.
        width: Size of joint vectors, at least 1.
        restarts: Runs, at least 1, trained side by side with weights and draws of their own.
        steps: Steps, at least 1; rounded up to whole epochs.
        prices: Of a pair at the first and at the last step, above 0, in units of the loss.
        trainer: Its epochs are not looked at.
        random_state: Seed of initial weights, order of samples and draws.
    """

    operator: str = "bilinear"
    width: int = 8
    restarts: int = 3
    steps: int = 1500
    prices: tuple[float, float] = (0.01, 0.5)
    trainer: Trainer = field(default_factory=steady_trainer)
    random_state: int = 0

    def check(self) -> None:
        """Raise ValueError if a setting is out of its range."""
        check_one_of("operator", self.operator, GATED)
        for name in ("width", "restarts", "steps"):
            check_whole(name, getattr(self, name), 1)
        for price in self.prices:
            check_real("prices", price, above=True)


def gate_shortlist(judge: Judge, how: Gates | None = None, verbose: int = 0) -> Pairs:
    """Pairs that are the last to be open in some run, without any ranking: a shortlist for `gated_elimination`.

    After Louizos et al. (2018). At one fixed price gates do not isolate a pair; it must rise. Where it rises above what
    the last pairs are worth, those that were open before are meant. What the price leaves may be more than is needed,
    and without products (i, anything) + (anything, j) may stand for (i, j): elimination with heads fitted anew follows.

    Args:
        judge: Gates are learned on the training rows of its splits, with its rank.
        how: Of the gates.
        verbose: 1 shows a progress bar.

    Returns:
        One pair or more, in the order of the space.

    Raises:
        ValueError: If a setting is out of its range or training diverged.
    """
    how = how or Gates()
    how.check()
    pairs = judge.space.all()
    last = [_last_open(resident, pairs, how, verbose) for resident in residents(judge)]
    return tuple(pairs[row] for row in torch.cat(last).any(0).nonzero().flatten().tolist())


def gated_elimination(judge: Judge, scan: Scan, how: Gates | None = None, most: int = 8, verbose: int = 0) -> Tried:
    """The shortlist of the gates, then backward elimination with heads fitted anew.

    Args:
        judge: Gates are learned on the training rows of its splits, with its rank.
        scan: Fits heads of sets anew and scores them.
        how: Of the gates.
        most: Pairs with which elimination begins, at least 1: those of the shortlist that score best by themselves.
        verbose: 1 shows a progress bar.

    Raises:
        ValueError: If a setting is out of its range or training diverged.
    """
    check_whole("most", most, 1)
    pairs = gate_shortlist(judge, how, verbose)
    if len(pairs) > most:
        scores = scan([(pair,) for pair in pairs]).fused.values
        pairs = tuple(pairs[row] for row in sorted(np.argsort(-scores, kind="stable")[:most]))
    return backward_elimination(scan, pairs)


def _last_open(resident: Resident, pairs: Pairs, how: Gates, verbose: int) -> Bool[Tensor, "run pair"]:
    """Which gates of each run were open at the end of the last epoch at which any was."""
    trainer, steps = of_steps(how.trainer, how.steps, len(resident.data.samples))
    course = Course(trainer, resident.data, how.random_state, verbose)
    net = GatedPairs(
        pairs,
        resident.taps,
        how.restarts,
        resident.read,
        resident.data.spec.outputs,
        how.operator,
        how.width,
        Ramp(*how.prices, steps),
        generator=course.generator(),
    )
    last = net.open().cpu()

    def note(_epochs: int, _losses: Tensor) -> None:
        now = net.open().cpu()
        last.copy_(now.where(now.any(1, keepdim=True), last))

    course.run(net, 1, "gates of pairs", after_epoch=note)
    return last
