"""Who takes part in a comparison: the methods asked for, and what is always beside them."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

from sklearn.base import clone

from plait.compare.labels import label_of, twins, unique_labels
from plait.compare.outcomes import Kind
from plait.compare.runs.changes import OnlyModalities, ShuffledModality, ShuffledTarget
from plait.compare.runs.plan import Contender
from plait.compare.verdict.controls import TARGET_SHUFFLED
from plait.data.settings import check_one_of
from plait.methods import Baseline, EarlyFusion, LateFusion, SingleModality
from plait.methods.base import Method
from plait.methods.registry import method_by_name, methods_by_name
from plait.nn.shapley import MOST_PLAYERS

Methods = str | Method | Iterable[str | Method] | Mapping[str, Method]
LEDGERS = ("auto", "full", "none")
_EXACT = 4
"""Modalities up to which all subsets are refitted by default: 14 refits a split."""

VARIANTS: tuple[Method, ...] = (
    LateFusion(rule="weighted"),
    LateFusion(rule="product"),
    LateFusion(rule="stacking"),
    LateFusion(base="linear"),
    EarlyFusion(base="linear"),
    LateFusion(base="forest"),
    EarlyFusion(base="forest"),
)
"""What "all" has beside every method with its defaults."""


def chosen_methods(methods: Any) -> dict[str, Method]:
    """The methods asked for, by label.

    Args:
        methods: "all"; names such as "late", and methods; or methods by labels of the user's own. "all" may stand
            among names.

    Raises:
        ValueError: If there is none, a name is unknown, or one is there twice.
        TypeError: If an entry is neither a name nor a method.
    """
    if isinstance(methods, Mapping):
        found = {str(label): _checked(method) for label, method in methods.items()}
    else:
        entries = [methods] if isinstance(methods, str | Method) else list(methods)
        found = unique_labels(method for entry in entries for method in _of_entry(entry))
    if not found:
        raise ValueError("There is nothing to compare: give methods, for example 'all' or ['late', 'early'].")
    return found


def _of_entry(entry: Any) -> list[Method]:
    if isinstance(entry, str) and entry == "all":
        beside = (Baseline, SingleModality)  # always there
        return [kind() for kind in methods_by_name().values() if kind not in beside] + list(VARIANTS)
    return [method_by_name(entry)()] if isinstance(entry, str) else [_checked(entry)]


def _checked(method: Any) -> Method:
    if not isinstance(method, Method):
        raise TypeError(f"A method such as LateFusion(), or its name, is expected; got {method!r}.")
    return method


@dataclass(frozen=True)
class Lineup:
    """Who is compared.

    Args:
        methods: The methods asked for, by label.
        names: The modalities.
        probe: Label of the method that is refitted for the ledger and the controls; None is early fusion, where it is
            among the methods, else the first of them.
        ledger: Refits for the ledger: "full" (every subset of the modalities, exact Shapley values), "none", or "auto":
            every subset of up to 4 modalities; of more, each alone and all but each.
        controls: Whether the probe is fitted on spoiled data too: the target shuffled, and each modality shuffled.
    """

    methods: Mapping[str, Method]
    names: tuple[str, ...]
    probe: str | None = None
    ledger: str = "auto"
    controls: bool = True

    @property
    def probing(self) -> str:
        """Label of the probe; "" where nothing fuses.

        Raises:
            ValueError: If the probe asked for is not among the methods.
        """
        early = label_of(EarlyFusion())
        fusions = [label for label, method in self.methods.items() if self._kind(method) == "fusion"]
        usual = early if early in self.methods else next(iter(fusions), "")
        if self.probe is not None and self.probe not in self.methods:
            raise ValueError(f"The probe {self.probe!r} is none of the methods compared: {', '.join(self.methods)}.")
        return self.probe or usual

    def contenders(self, calibration: str | None = None) -> tuple[Contender, ...]:
        """Baseline, each modality alone, the methods, then controls and refits on subsets.

        Args:
            calibration: Of every classifier.

        Raises:
            ValueError: If `ledger` or `probe` is unknown, or a label is taken.
        """
        check_one_of("ledger", self.ledger, LEDGERS)
        if self.ledger == "full" and len(self.names) > MOST_PLAYERS:
            raise ValueError(
                f"ledger='full' refits every subset of up to {MOST_PLAYERS} modalities; there are {len(self.names)}. "
                "Use ledger='auto': each alone, and all but each."
            )
        if "" in self.methods:
            raise ValueError("A method needs a name that is not empty.")
        asked = [
            Contender(label, self._kind(method), method, names=self._reads(method))
            for label, method in self.methods.items()
        ]
        found = [Contender("baseline", "baseline", Baseline()), *self._singles(), *asked]
        if self.probing:
            found += self._controls() if self.controls else []
            found += self._subsets()
        labels = [one.label for one in found]
        twice = sorted({label for label in labels if labels.count(label) > 1})
        if twice:
            raise ValueError(f"These names stand for something else in a comparison: {twice}. Give others.")
        settings = {} if calibration is None else {"calibration": calibration}
        return tuple(replace(one, settings=settings) for one in found)

    def _kind(self, method: Method) -> Kind:
        if isinstance(method, Baseline):
            return "baseline"
        return "single" if method.joins == "nothing" else "fusion"

    def _reads(self, method: Method) -> tuple[str, ...] | None:
        """The one modality that a method reads; None is all."""
        only = isinstance(method, SingleModality) and method.modality is not None
        return (method.modality,) if only else None

    def _singles(self) -> list[Contender]:
        """Each modality alone, with the learner of every method: a fusion of forests has forests to beat."""
        found = [twin for method in self.methods.values() for twin in twins(method)] or [SingleModality()]
        kinds = list({repr(twin): twin for twin in found}.values())
        asked = {repr(method) for method in self.methods.values()}
        counts: Counter[str] = Counter()
        singles = []
        for twin in kinds:
            words = label_of(twin).removeprefix("single modality")
            counts[words] += 1
            again = f" {counts[words]}" if counts[words] > 1 else ""
            for name in self.names:
                one = clone(twin).set_params(modality=name)
                if repr(one) not in asked:
                    singles.append(Contender(f"{name} alone{words}{again}", "single", one, names=(name,)))
        return singles

    def _controls(self) -> list[Contender]:
        probe = self.methods[self.probing]
        shuffled = [Contender(TARGET_SHUFFLED, "control", probe, ShuffledTarget())]
        shuffled += [
            Contender(f"control: {name} shuffled", "control", probe, ShuffledModality(name)) for name in self.names
        ]
        return shuffled

    def _subsets(self) -> list[Contender]:
        probe = self.methods[self.probing]
        return [
            Contender(f"{self.probing} on {' + '.join(chosen)}", "subset", probe, OnlyModalities(chosen))
            for chosen in self._sets()
        ]

    def _sets(self) -> list[tuple[str, ...]]:
        """The proper subsets that are refitted."""
        count = len(self.names)
        if self.ledger == "none" or count < 2:
            return []
        whole = self.ledger == "full" or count <= _EXACT
        sizes: Sequence[int] = range(1, count) if whole else (1, count - 1)
        return [chosen for size in sizes for chosen in combinations(self.names, size)]
