"""Skew-pair fusion: a layer of one encoder joined with a layer of another, found by a search (after Hu et al. 2024)."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import pandas as pd
import torch

from plait.data.batches import TrainingData
from plait.data.settings import check_one_of, check_real, check_whole, strengths, words
from plait.data.spec import DataSpec
from plait.methods.base import Fitted, Method
from plait.nn.averaged_net import AveragedNet
from plait.nn.taps.pooling import check_pooling
from plait.skew.bank import TapBank, highest_taps
from plait.skew.findings import Findings
from plait.skew.judge import HeadSettings
from plait.skew.judgeable import check_judgeable
from plait.skew.learning import Judging, judge_of, learn_sources
from plait.skew.mutual_pairs import learn_mutually, peers_of
from plait.skew.operators import check_scanned
from plait.skew.pair_cohort import Peers
from plait.skew.pair_net import Joint, PairCopies
from plait.skew.ridge import Tap
from plait.skew.search import ClosedForm, Search
from plait.skew.selection import Pairs
from plait.skew.sources import Sources
from plait.skew.space import TapSpace
from plait.skew.stacked import LEGACY, OPERATORS
from plait.skew.written import check_given, listed_pairs, read_pair, read_tap
from plait.statistics.metrics import Metric, metric_by_name, primary
from plait.training.course import Course
from plait.training.networks import LearnedNetwork, learn_network

FINDINGS = "search/"
"""What the names of the tables of a search begin with among the estimator's findings."""
_TRAINED = {
    "concat": "concat",
    "outer": "bilinear",
    "concat+outer": "bilinear",
}  # the trained operator of a scanned one
_SCANNED = ("concat", "outer")
_Tables = dict[str, pd.DataFrame]
_SEGMENTS = re.compile(r"segments-([1-9]\d*)")


@dataclass(repr=False, eq=False)
class SkewPairFusion(Method):
    """One layer of an encoder joined with one layer of another, the pair found by a search that says how sure it is.

    After Hu et al., "Skew-pair fusion theory" (2024); what the preprint does not state is a reconstruction, and the
    search with its bounds is ours. All pairs of taps (outputs of the blocks of frozen encoders) are scanned with ridge
    heads on samples held out; the smallest set that is not told apart from the best one is joined by a trained
    operator and a linear head. Where no set is supported over the best single tap, that tap alone is read. Blocks above
    the highest tap that is read do not run.

    Taps are those of a layered encoder (`encoders={"text": MiniLM()}`), which reads raw values, or of a torch module
    with `blocks`, `layers` or in a Sequential, which reads standardised and imputed ones as all networks do
    (`ModuleTaps(module, blocks)` makes a layered encoder of it). Both are frozen. Any other modality gets a small
    network of six blocks that is trained on it alone first. After a fit `search_` has maps, intervals, verdict and
    report; of one modality there is none.

    The search uses samples that have all modalities. In the network an absent modality is read as the mean of each
    of its taps; a sample without any modality that is read is predicted by the prior. Of one modality the best tap is
    read, by itself.

    Args:
        pairs: Pairs that are joined, each once: ((12, 4),) for the taps of two modalities, or "image@12 + text@4", or
            a list of such texts. () joins none and reads `tap`. None searches.
        operator: How two taps are joined: "concat", "sum", "mlp", "gated", "bilinear", "film", "outer", "coattn"
            (attention between tokens; see `pool`), "coattn_vec". None: "concat" or "bilinear", as the scan says.
        tap: The tap that is read where nothing is joined, with pairs=() alone: "image@5".
        scan: Closed-form operators that are scanned, one or several of "concat", "outer", "concat+outer"; None is the
            first two.
        pool: How the tokens of a tap become a vector: "mean", "cls", "first", "max", "mean+std", or "segments-8" (the
            means of eighths, which "coattn" reads as 8 tokens; the scan reads their mean).
        rank: Most principal components of a tap that are read, at least 1.
        width: Size of joint vectors, at least 1.
        dropout: Share of a joint vector dropped in training, in [0, 1).
        most: Most pairs of a set, at least 1; 1 is the authors' notion of the sparsest.
        margin: Score that may be given away for sparsity, at least 0.
        metric: What pairs are judged by; None is accuracy, or R2.
        level: Level of the simultaneous bounds, in (0, 1).
        draws: Draws of the bootstrap, at least 2.
        shortlist: Pairs from which greater sets are built, at least 1.
        rhos: Strengths of mutual learning (Liang, Qu and Shahbaba, 2025), at least 0, one of which is chosen by the
            validation loss of the head of the chosen pairs; the table "rhos" tells the losses. (0.0,) trains it alone.
            Else it learns beside the heads of up to `shortlist` single pairs, those not told apart from the best first:
            the best cluster of all these by validation loss at rho = 0 teaches, and as rho grows the head fits the mean
            of the teachers with weight rho / (1 + rho). The others are then thrown away: the network is no larger.
            They come from the search, so a fit with given `pairs` takes (0.0,) alone; where no fusion is supported,
            and of one modality, rhos are not used, and come back as (0.0,).
        batch_dependent: 1 allows "coattn_legacy", the published operator that attends across the samples of a batch,
            so that a prediction depends on its neighbours; for reproduction alone. 0 refuses it.
    """

    joins: ClassVar[str] = "representations"

    pairs: Sequence[tuple[int, int] | str] | None = None
    operator: str | None = None
    tap: str | None = None
    scan: Sequence[str] | None = None
    pool: str = "mean"
    rank: int = 64
    width: int = 16
    dropout: float = 0.1
    most: int = 4
    margin: float = 0.0
    metric: str | None = None
    level: float = 0.95
    draws: int = 2000
    shortlist: int = 12
    rhos: tuple[float, ...] = (0.0,)
    batch_dependent: Literal[0, 1] = 0

    @property
    def folds_allowed(self) -> bool:
        """There is a copy of the network for every fold, and pairs are judged by all folds together."""
        return True

    @property
    def validation_needed(self) -> bool:
        """Pairs that are given need no choice."""
        return self.pairs is None

    @property
    def tap_pooling(self) -> str | None:
        """All taps are read."""
        return self.pool

    def highest_taps(self, spec: DataSpec) -> Mapping[str, int] | None:
        """Of layered encoders: the highest tap that the pairs read."""
        found = highest_taps(self._joint(spec.names).taps, spec.names)
        return {name: found[name] for name in spec.taps}

    def build(self, spec: DataSpec) -> AveragedNet:
        """The network of given pairs with fresh weights; where they are still to be searched, of the last taps."""
        self._check(spec)
        generator = torch.Generator().manual_seed(0)
        return self._network(Sources(spec, self.pool, generator), spec, generator)

    def fit(self, course: Course) -> Fitted:
        """Train what is to be trained, search, and train the network of the pairs that were found."""
        spec = course.data.spec
        self._check(spec)
        self._check_peers()
        course.trainer.check()
        course = replace(course, data=course.data.to(torch.device("cpu"), course.trainer.dtype))
        heads = HeadSettings(rank=self.rank, draws=self.draws, random_state=course.stream(3))
        if self.pairs is None:
            check_judgeable(course.data, heads, self._metric(spec))
        generator = course.generator()
        sources = Sources(spec, self.pool, generator).to(course.trainer.dtype)
        encoders = learn_sources(sources, course)
        found, tables, search = self._found(sources, course, heads)
        peers = found._peers(search, sources, course.data) if any(self.rhos) and search is not None else None
        net = found._network(sources, spec, generator)
        net.representations.fit(course.data)  # type: ignore[operator]
        if peers is None:
            learned = learn_network(net, course, type(self).__name__)
        else:
            rhos = strengths("rhos", self.rhos)
            learned = learn_mutually(net, peers, rhos, course, generator)
            found, tables = replace(found, rhos=(rhos[learned.best],)), tables | {"rhos": _rho_table(rhos, learned)}
        history = pd.concat([part for part in (encoders, learned.result.history) if len(part)], ignore_index=True)
        return Fitted(found, learned.net, history, tables, learned.outputs)

    def _found(
        self, sources: Sources, course: Course, heads: HeadSettings
    ) -> "tuple[SkewPairFusion, _Tables, Search | None]":
        """The method with the pairs, the tap and the operator that were given or found; findings, and the search."""
        names = course.data.spec.names
        if self.pairs is not None:
            joint = self._joint(names)
            return self._resolved(joint.pairs, joint.tap, joint.operator, names), {}, None
        judge = judge_of(sources, course.data, Judging(heads, self._metric(course.data.spec), self._tokens))
        if len(names) == 1:
            best = judge.taps[int(judge.alone(judge.taps).values.argmax())]
            return self._resolved((), best, self.operator or _SCANNED[0], names), {}, None
        how = ClosedForm(self._scanned(), heads, self.shortlist, self.most, self.margin, self.level)
        search = how.judged(judge, course.verbose)
        findings = Findings.of(search, judge, level=self.level, margin=self.margin)
        operator = self.operator or _TRAINED[search.operator or _SCANNED[0]]
        resolved = self._resolved(search.selection.pairs, search.selection.tap, operator, names)
        return resolved, {f"{FINDINGS}{name}": table for name, table in findings.tables().items()}, search

    def _peers(self, search: Search, sources: Sources, data: TrainingData) -> Peers | None:
        """Whom the pairs that were found learn with; None if no fusion is supported, or there is no other pair."""
        sets = peers_of(search, self.shortlist, self.margin, self.level)
        joint = self._joint(data.spec.names)
        return Peers.read(TapBank(sources, joint.taps, self.rank, self._tokens), joint, sets, data) if sets else None

    def _resolved(self, pairs: Pairs, tap: Tap, operator: str, names: Sequence[str]) -> "SkewPairFusion":
        """The same method with nothing left to search; of two modalities a pair is written by its taps alone."""
        written = tuple((pair.i, pair.j) if len(names) == 2 else str(pair) for pair in pairs)
        found = {"pairs": written, "tap": None if pairs else f"{tap[0]}@{tap[1]}", "operator": operator}
        return SkewPairFusion(**{**self.get_params(deep=False), **found, "rhos": (0.0,)})

    def _network(self, sources: Sources, spec: DataSpec, generator: torch.Generator) -> AveragedNet:
        """The network on what its pairs read, all else cut off."""
        joint, depths = self._joint(spec.names), sources.depths
        if self.pairs is None and len(depths) > 1:
            joint = replace(joint, pairs=TapSpace(depths).late()[:1])
        _check_taps(joint, depths)
        sources.cut(highest_taps(joint.taps, spec.names))
        bank = TapBank(sources, joint.taps, self.rank, self._tokens)
        return AveragedNet(PairCopies(spec, joint, bank, generator), bank)

    def _joint(self, names: Sequence[str]) -> Joint:
        """What is joined, as far as it is given."""
        pairs = tuple(read_pair(pair, names) for pair in listed_pairs(self.pairs))
        tap = (names[0], 1) if self.tap is None else read_tap(self.tap, names)
        return Joint(pairs, tap, self.operator or "bilinear", self.width, self.dropout)

    @property
    def _tokens(self) -> int:
        """Tokens that a tap is made of."""
        found = _SEGMENTS.fullmatch(self.pool)
        return int(found[1]) if found else 1

    def _scanned(self) -> tuple[str, ...]:
        if self.scan is None:
            return _SCANNED
        return (self.scan,) if isinstance(self.scan, str) else words("scan", self.scan)

    def _metric(self, spec: DataSpec) -> Metric:
        return primary(spec.task) if self.metric is None else metric_by_name(spec.task, self.metric)

    def _check(self, spec: DataSpec) -> None:
        """Raise ValueError if a setting is out of its range, or not for the task."""
        self._check_operator()
        check_pooling(self.pool)
        for name, least in {"rank": 1, "width": 1, "most": 1, "draws": 2, "shortlist": 1}.items():
            check_whole(name, getattr(self, name), least)
        check_real("dropout", self.dropout, 0.0, 1.0)
        check_real("margin", self.margin)
        check_real("level", self.level, 0.0, 1.0, above=True)
        strengths("rhos", self.rhos)
        self._metric(spec)
        check_scanned(self._scanned())
        check_given(self.pairs, self.tap, spec.names)

    def _check_peers(self) -> None:
        if self.pairs is not None and any(self.rhos):
            raise ValueError(
                f"rhos={self.rhos!r} asks for other pairs to learn with, which a search finds, but pairs are given: "
                f"{self.pairs!r}. Leave them out (pairs=None), or train them alone (rhos=(0.0,))."
            )

    def _check_operator(self) -> None:
        if self.batch_dependent not in (0, 1):
            raise ValueError(f"batch_dependent must be 0 or 1 (got {self.batch_dependent!r}).")
        if self.operator in LEGACY:
            if not self.batch_dependent:
                raise ValueError(
                    f"operator={self.operator!r} attends across the samples of a batch: a prediction depends on its "
                    "neighbours. Use 'coattn', which attends between the tokens of a sample; to reproduce the "
                    "published operator pass batch_dependent=1."
                )
        elif self.operator is not None:
            check_one_of("operator", self.operator, OPERATORS)


def _check_taps(joint: Joint, depths: Mapping[str, int]) -> None:
    for name, tap in joint.taps:
        if tap > depths[name]:
            raise ValueError(f"Modality {name!r} has taps 1 to {depths[name]}, and tap {tap} is to be read.")


def _rho_table(rhos: Sequence[float], learned: LearnedNetwork) -> pd.DataFrame:
    """What each strength of mutual learning came to."""
    chosen = [place == learned.best for place in range(len(rhos))]
    return pd.DataFrame({"rho": rhos, "validation_loss": learned.losses, "chosen": chosen})
