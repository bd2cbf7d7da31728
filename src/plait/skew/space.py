"""The space of pairs of taps: which layer of one modality's encoder can be joined with which layer of another's."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from numbers import Integral

from plait.skew.windows import window

_WRITTEN = re.compile(r"(.+)@([0-9]+) \+ (.+)@([0-9]+)", re.DOTALL)
_CLOSE = re.compile(r"(.+)@([0-9]+) *\+ *(.+)@([0-9]+)", re.DOTALL)  # by hand; names may hold "@1+"
_JOINT = re.compile(r"@[0-9]+ \+ ")


@dataclass(frozen=True)
class Pair:
    """A tap of one modality's encoder joined with a tap of another's, written "image@12 + text@4".

    Args:
        first: Name of the one modality.
        i: Its tap, 1 (the first block) or more.
        second: Name of the other modality.
        j: Its tap, 1 or more.

    Raises:
        ValueError: If a tap is below 1, the two modalities are one, or a name is empty or could not be read back.
    """

    first: str
    i: int
    second: str
    j: int

    def __post_init__(self) -> None:
        if self.first == self.second:
            raise ValueError(f"A pair joins two modalities, got {self.first!r} twice.")
        for name, tap in ((self.first, self.i), (self.second, self.j)):
            if not name or _JOINT.search(name):
                raise ValueError(f"The name of a modality must not be empty or hold '@1 + ', got {name!r}.")
            if tap < 1:
                raise ValueError(f"Taps count from 1; modality {name!r} got tap {tap}.")

    @classmethod
    def parse(cls, text: str) -> "Pair":
        """The pair that is written so, with blanks or without: `Pair.parse(str(pair)) == pair`.

        Raises:
            ValueError: If the text is no pair.
        """
        found = _WRITTEN.fullmatch(text) or _CLOSE.fullmatch(text)
        if found is None:
            raise ValueError(f"A pair is written like 'image@12 + text@4', got {text!r}.")
        first, i, second, j = found.groups()
        return cls(first, int(i), second, int(j))

    @property
    def swapped(self) -> "Pair":
        """The same two taps with the modalities in the other order."""
        return Pair(self.second, self.j, self.first, self.i)

    def __str__(self) -> str:
        return f"{self.first}@{self.i} + {self.second}@{self.j}"


@dataclass(frozen=True, eq=False)
class TapSpace:
    """All pairs of taps of two or more layered encoders, and the sets of pairs that have a name.

    Pairs are the edges between every two modalities; they keep the order of the modalities. Named sets are those of
    every two modalities, or of the two that `between` names. After Hu et al. (2024), generalised by us to unequal
    depths and to more than two modalities: a reconstruction, their formulas are published for 12 taps each only.

    Args:
        depths: Number of taps of each modality, at least 1; two modalities or more, order kept.

    Raises:
        ValueError: If there are fewer than two modalities, or one has no tap.
    """

    depths: Mapping[str, int]

    def __post_init__(self) -> None:
        if len(self.depths) < 2:
            raise ValueError(f"`depths` must name at least two modalities, got {list(self.depths)}.")
        for name, depth in self.depths.items():
            if depth < 1:
                raise ValueError(f"Modality {name!r} must have at least one tap, got {depth}.")
        object.__setattr__(self, "depths", dict(self.depths))
        self.late()  # refuses names that a pair cannot have

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TapSpace) and list(self.depths.items()) == list(other.depths.items())

    def __hash__(self) -> int:
        return hash(tuple(self.depths.items()))

    def __len__(self) -> int:
        """K, the number of all pairs: the sum of L_a * L_b over every two modalities."""
        return sum(self.depths[a] * self.depths[b] for a, b in self.edges)

    @property
    def edges(self) -> tuple[tuple[str, str], ...]:
        """Every two modalities, in order."""
        return tuple(combinations(self.depths, 2))

    def read(self, pair: Pair | str | Sequence[object]) -> Pair:
        """A pair of this space from any of its forms, in the order of the modalities.

        Args:
            pair: A pair, its text ("image@12 + text@4"), (first, i, second, j), or for two modalities (i, j).

        Raises:
            ValueError: If it is no pair, a modality is unknown or it has no such tap.
        """
        if isinstance(pair, str):
            pair = Pair.parse(pair)
        if not isinstance(pair, Pair):
            pair = self._from_numbers(pair)
        self._check(pair)
        return pair if (pair.first, pair.second) in self.edges else pair.swapped

    def short(self, pair: Pair) -> tuple[int, int]:
        """The taps (i, j) alone, in the order of the modalities; for two modalities.

        Raises:
            ValueError: If there are more modalities, or the pair is not of this space.
        """
        self._check_two(str(pair))
        read = self.read(pair)
        return read.i, read.j

    def all(self, between: tuple[str, str] | None = None) -> tuple[Pair, ...]:
        """Every pair, the last modality's taps fastest."""
        taps = {name: range(1, depth + 1) for name, depth in self.depths.items()}
        return tuple(Pair(a, i, b, j) for a, b in self._edges(between) for i in taps[a] for j in taps[b])

    def late(self, between: tuple[str, str] | None = None) -> tuple[Pair, ...]:
        """The last taps: late fusion, one pair for every two modalities."""
        return tuple(Pair(a, self.depths[a], b, self.depths[b]) for a, b in self._edges(between))

    def pairwise(self, between: tuple[str, str] | None = None) -> tuple[Pair, ...]:
        """Taps of equal depth, as many as the deeper of two encoders has, from the first to the last.

        With L = max(L_a, L_b): (ceil(k L_a / L), ceil(k L_b / L)) for k = 1 to L.
        """
        edges = self._edges(between)
        return tuple(p for a, b in edges for p in self._window(a, b, max(self.depths[a], self.depths[b]), 0, "bottom"))

    def window(self, m: int, d: int, anchor: str = "top", between: tuple[str, str] | None = None) -> tuple[Pair, ...]:
        """As many pairs as `m` that follow each other at one skewness.

        Args:
            m: Number of pairs for every two modalities, 1 to L = max(L_a, L_b).
            d: First tap minus second, -(L - m) to L - m. Unequal depths: on a grid of length L, whose positions are
                mapped to taps as in `pairwise`, so that `skewness` of a pair may differ from d, by less than
                L / min(L_a, L_b) + 1/2.
            anchor: "top" counts down from the last tap of the modality that is tapped deeper, "bottom" up from the
                first tap of the other.
            between: Two modalities, in order; None is every two.

        Raises:
            ValueError: If the window does not fit, or an argument is unknown.
        """
        return tuple(pair for a, b in self._edges(between) for pair in self._window(a, b, m, d, anchor))

    def single(self, i: int, j: int, between: tuple[str, str] | None = None) -> tuple[Pair, ...]:
        """One pair; with more than two modalities, `between` must say of which.

        Raises:
            ValueError: If there is no such tap, or more than two modalities and no `between`.
        """
        return (self.read((between[0], i, between[1], j) if between else (i, j)),)

    def cross(self, between: tuple[str, str] | None = None) -> tuple[Pair, ...]:
        """The pairs with the last tap of either modality, L_a + L_b - 1 for every two."""
        top = self.depths
        return tuple(pair for pair in self.all(between) if top[pair.first] == pair.i or top[pair.second] == pair.j)

    def relative_skewness(self, pair: Pair) -> float:
        """The difference of relative depths, s = i / L_a - j / L_b, between -1 and 1 (never either)."""
        return float(self._skewness(pair))

    def skewness(self, pair: Pair) -> int:
        """The whole number d = round(s max(L_a, L_b)), half to even; i - j for equal depths. Diagonal pairs have 0."""
        return round(self._skewness(pair) * max(self.depths[pair.first], self.depths[pair.second]))

    def density(self, pairs: Iterable[Pair]) -> float:
        """The eta of a set: number of different pairs over the largest number of taps; above 1 is possible."""
        return len(self._different(pairs)) / max(self.depths.values())

    def grid_density(self, pairs: Iterable[Pair]) -> float:
        """Number of different pairs over K, the number of all pairs: 0 to 1."""
        return len(self._different(pairs)) / len(self)

    def cost(self, pairs: Iterable[Pair]) -> float:
        """Share of the blocks of each encoder that must run, summed: i / L_a + j / L_b for one pair.

        For several pairs the highest tap of each modality counts; a modality that no pair reads costs nothing.
        """
        highest: dict[str, int] = {}
        for pair in self._different(pairs):
            for name, tap in ((pair.first, pair.i), (pair.second, pair.j)):
                highest[name] = max(tap, highest.get(name, 0))
        return sum((tap / self.depths[name] for name, tap in highest.items()), 0.0)

    def _different(self, pairs: Iterable[Pair]) -> set[Pair]:
        return {self.read(pair) for pair in pairs}

    def _window(self, a: str, b: str, m: int, d: int, anchor: str) -> tuple[Pair, ...]:
        taps = window((a, self.depths[a]), (b, self.depths[b]), m, d, anchor)
        return tuple(Pair(a, i, b, j) for i, j in taps)

    def _skewness(self, pair: Pair) -> Fraction:
        self._check(pair)
        return Fraction(pair.i, self.depths[pair.first]) - Fraction(pair.j, self.depths[pair.second])

    def _edges(self, between: tuple[str, str] | None) -> tuple[tuple[str, str], ...]:
        if between is None:
            return self.edges
        if between not in self.edges:
            allowed = ", ".join(map(str, self.edges))
            raise ValueError(f"`between` must be two modalities in their order, one of {allowed}; got {between}.")
        return (between,)

    def _from_numbers(self, numbers: Sequence[object]) -> Pair:
        match numbers:
            case [str(first), Integral() as i, str(second), Integral() as j]:
                return Pair(first, int(i), second, int(j))
            case [Integral() as i, Integral() as j]:
                self._check_two(str(tuple(numbers)))
                first, second = self.depths
                return Pair(first, int(i), second, int(j))
        raise ValueError(f"A pair of numbers is (i, j) or (first, i, second, j), got {tuple(numbers)}.")

    def _check(self, pair: Pair) -> None:
        for name, tap in ((pair.first, pair.i), (pair.second, pair.j)):
            if name not in self.depths:
                raise ValueError(f"No modality {name!r} in {pair}; the modalities are {', '.join(self.depths)}.")
            if tap > self.depths[name]:
                raise ValueError(f"Modality {name!r} has taps 1 to {self.depths[name]}, got {tap} in {pair}.")

    def _check_two(self, got: str) -> None:
        if len(self.depths) > 2:
            first, second, *_ = self.depths
            example = f"'{first}@1 + {second}@1'"
            raise ValueError(f"With {len(self.depths)} modalities a pair needs names, like {example}; got {got}.")
