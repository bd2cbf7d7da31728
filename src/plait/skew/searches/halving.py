"""Successive halving: many heads for few epochs, fewer for more, and the last ones for many."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import torch
from jaxtyping import Bool, Float
from numpy import ndarray
from torch import Tensor

from plait.data.settings import check_whole
from plait.skew.judge import Judge
from plait.skew.searches.resident import Resident, residents, scored_by_seed
from plait.skew.searches.stacked_scan import TrainedHeads
from plait.skew.searches.tried import Tried, singles, written
from plait.skew.selection import Pairs
from plait.skew.uncertainty import Scored
from plait.training.course import Course
from plait.training.optimiser import Moments
from plait.training.progress import progress_bar

BUDGETS = (1, 3, 9, 27)
"""Epochs of each round."""


def successive_halving(
    judge: Judge,
    sets: Sequence[Pairs] | None = None,
    how: TrainedHeads | None = None,
    budgets: Sequence[int] = BUDGETS,
    share: int = 3,
    verbose: int = 0,
) -> Tried:
    """Train all sets for some epochs, the best third of them further, and so on (Jamieson and Talwalkar, 2016).

    Survivors go on from their weights and the optimiser's memory; the schedule of the learning rate begins anew in each
    round, for a cosine a warm restart (Loshchilov and Hutter, 2017). A candidate's score is that of its last round:
    those that left early are scored by heads that learned for less, and may be better than it says. The first round
    must be some tens of steps for its order to mean anything: with few training rows, take smaller batches.

    Args:
        judge: Its splits are trained on and judged, with its rank and its draws.
        sets: The candidates; None is every single pair.
        how: Of the heads; the epochs of its trainer are not looked at.
        budgets: Epochs of each round, at least 1 each; further ones for those that have survived.
        share: One of so many goes on after a round, at least 2; never fewer than one set.
        verbose: 1 shows a progress bar.

    Returns:
        All candidates. The history has a row for each of them in each round: round (from 0), pairs, epochs (so far),
        score, kept.

    Raises:
        ValueError: If a setting is out of its range or training diverged.
    """
    how, sets = how or TrainedHeads(), singles(judge) if sets is None else tuple(sets)
    _check(how, budgets, share)
    contests = [_Contest(resident, sets, how) for resident in residents(judge)]
    latest = Scored(np.empty(len(sets)), np.empty((judge.how.draws, len(sets))))
    by_seed, alive, history = np.empty((how.seeds, len(sets))), np.arange(len(sets)), []
    with progress_bar(len(budgets), "halving", "round", verbose) as bar:
        for place, budget in enumerate(budgets):
            found, by_seed[:, alive] = scored_by_seed(judge, [one.trained(budget) for one in contests], how.seeds)
            latest.values[alive], latest.drawn[:, alive] = found.values, found.drawn
            kept = _best(found, 1 if place == len(budgets) - 1 else max(1, len(alive) // share))
            told = {"round": place, "pairs": [written(sets[row]) for row in alive], "epochs": sum(budgets[: place + 1])}
            history.append(pd.DataFrame({**told, "score": found.values, "kept": kept}))
            alive = alive[kept]
            for contest in contests:
                contest.narrow(kept)
            bar.update()
    spent = sum(budget * len(rows) for budget, rows in zip(budgets, history, strict=True)) * how.seeds * len(contests)
    every = tuple((how.operator, pairs) for pairs in sets)
    return Tried(every, latest, by_seed, sets[alive[0]], pd.concat(history, ignore_index=True), spent)


class _Contest:
    """The heads of one split that are still in it.

    Args:
        resident: The split's taps.
        sets: The candidates.
        how: Of the heads.
    """

    def __init__(self, resident: Resident, sets: Sequence[Pairs], how: TrainedHeads) -> None:
        self.resident, self.how, self.rounds = resident, how, 0
        self.course = Course(how.trainer, resident.data, how.random_state)
        self.heads = how.heads(tuple(sets) * how.seeds, resident, self.course.generator())
        self.moments: Moments | None = None

    def trained(self, epochs: int) -> Float[ndarray, "unit held out"]:
        """Predictions after so many further epochs."""
        self.rounds += 1
        course = replace(self.course, trainer=replace(self.how.trainer, epochs=epochs))
        found = course.run(self.heads, self.rounds, "halving", warm=self.moments, keep_moments=True).moments
        if found is not None and self.moments is not None:
            found = replace(found, steps=found.steps + self.moments.steps)  # of all rounds
        self.moments = found
        return self.resident.predicted(self.heads)

    def narrow(self, kept: Bool[ndarray, " set"]) -> None:
        """Go on with these sets alone, with their weights and the optimiser's memory of them."""
        units = torch.from_numpy(np.tile(kept, self.how.seeds))
        before, owners = self.heads, {name: torch.as_tensor(own).cpu() for name, own in self.heads.owners().items()}
        stays = {name: units[own] for name, own in owners.items()}
        chosen = [pairs for pairs, stay in zip(before.sets, units.tolist(), strict=True) if stay]
        self.heads = self.how.heads(chosen, self.resident, self.course.generator())
        self.heads.load_state_dict(_rows(before.state_dict(), stays))
        if self.moments is not None:
            first, second = _rows(self.moments.first, stays), _rows(self.moments.second, stays)
            self.moments = Moments(first, second, self.moments.steps.cpu()[units])


def _rows(state: Mapping[str, Tensor], stays: Mapping[str, Bool[Tensor, " row"]]) -> dict[str, Tensor]:
    return {name: tensor[stays[name].to(tensor.device)] for name, tensor in state.items()}


def _best(found: Scored, count: int) -> Bool[ndarray, " set"]:
    """Which sets have the highest scores, the first of equals."""
    kept = np.zeros(len(found.values), dtype=bool)
    kept[np.argsort(-found.values, kind="stable")[:count]] = True
    return kept


def _check(how: TrainedHeads, budgets: Sequence[int], share: int) -> None:
    how.check()
    check_whole("share", share, 2)
    check_whole("number of budgets", len(budgets), 1)
    for budget in budgets:
        check_whole("budgets", budget, 1)
