"""What is measured of each statement about mutual learning: trained students, or closed-form heads of plait."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from plait.reproduce import theory_formulas as formulas
from plait.reproduce import theory_imitation as imitation
from plait.reproduce import theory_samples as samples
from plait.reproduce.study import Found
from plait.reproduce.theory_curves import Curve, standard_error, table_of
from plait.reproduce.theory_students import LinearStudents
from plait.training.trainer import Trainer

ROWS, WIDTH, NOISE = 50, 6, 0.7
"""Samples, columns of a modality, and variance of the labels' noise where students are trained."""
READS = (("a",), ("b",), ("c",), ("a", "b"), ("a", "b", "c"))
TEACH = (2, 3, 4)
"""What the five trained students read, and which of them teach."""
_DESIGN = 3  # seed of the designs, which are the same in all runs


@dataclass(frozen=True)
class TheoryProtocol:
    """Every constant that the numbers depend on.

    Args:
        rhos: Where curves are measured; the first is 0.
        draws: Draws of the labels for trained students.
        labels: Draws of the labels of students that can imitate each other.
        data_sets: Data sets of each model of new samples.
        epochs: Steps of the training, each on all samples.
        learning_rate: At the first of them; half a cosine.
    """

    rhos: tuple[float, ...] = (0.0, 0.05, 0.1, 0.25, 0.5, 0.99, 3.0, 10.0)
    draws: int = 100
    labels: int = 2000
    data_sets: int = 2000
    epochs: int = 500
    learning_rate: float = 0.05

    def trainer(self, threads: int | None) -> Trainer:
        """Adam on all samples at once, without decay."""
        return Trainer(
            epochs=self.epochs,
            batch_size=ROWS,
            learning_rate=self.learning_rate,
            weight_decay=0.0,
            patience=None,
            device="cpu",
            precision="float64",
            threads=threads,
            schedule="cosine",
        )


@dataclass(frozen=True)
class Trained:
    """Five students that were trained on many draws of the labels.

    Args:
        designs: What each of them reads.
        mean: The labels without noise.
        labels: Those without noise in the first column, then the draws.
        fits: Their fits.
        rhos: Where.
    """

    designs: Sequence[Float[ndarray, "row _"]]
    mean: Float[ndarray, " row"]
    labels: Float[ndarray, "row column"]
    fits: Float[ndarray, "rho student row column"]
    rhos: tuple[float, ...]

    @property
    def teachers(self) -> list[Float[ndarray, "row _"]]:
        """Designs of those who teach."""
        return [self.designs[place] for place in TEACH]

    def curves(
        self,
        draws: Float[ndarray, "rho student draw"],
        formula: Callable[[Float[ndarray, "row _"], float], float],
        slope: Callable[[Float[ndarray, "row _"]], float] = lambda _: float("nan"),
    ) -> list[Curve]:
        """A curve a student."""
        names = ["reads " + " + ".join(names) for names in READS]
        return [
            Curve.of_draws(name, self.rhos, draws[:, place], partial(formula, design), slope(design))
            for place, (name, design) in enumerate(zip(names, self.designs, strict=True))
        ]


def train(made: TheoryProtocol, threads: int | None, seed: int) -> Trained:
    """The students of statements T1 to T3; a seed draws labels, not designs."""
    random = np.random.default_rng(_DESIGN)
    x = {name: random.normal(size=(ROWS, WIDTH)) for name in "abc"}
    mean = x["a"][:, 0] + 0.3 * x["b"][:, 1] ** 2
    noise = NOISE**0.5 * np.random.default_rng((seed, 0)).normal(size=(ROWS, made.draws))
    labels = np.column_stack([mean, mean[:, None] + noise])
    fits = LinearStudents(x, READS, TEACH).trained(labels, made.rhos, made.trainer(threads), seed)
    return Trained([np.hstack([x[name] for name in names]) for names in READS], mean, labels, fits, made.rhos)


def t1(made: TheoryProtocol, found: Trained, trainer: Trainer, seed: int) -> Found:
    """Trained students end at fits of smoothed labels: what is left of directions that few teachers can express."""
    curves = _kept(made, trainer, seed)
    apart = [
        np.abs(formulas.hat(design) @ formulas.smoother(found.teachers, rho) @ found.labels - fit).max()
        for rho, fits in zip(found.rhos, found.fits, strict=True)
        for design, fit in zip(found.designs, fits, strict=True)
    ]
    return _found(curves, {"distance": float(max(*apart, *(curve.distance for curve in curves)))})


def _kept(made: TheoryProtocol, trainer: Trainer, seed: int) -> list[Curve]:
    """Teachers read a, a + b and a + b + c; a pupil reads d beside. Modalities are orthogonal to each other."""
    columns, _ = np.linalg.qr(np.random.default_rng((seed, 1)).normal(size=(ROWS, 4)))
    features = {name: ROWS**0.5 * columns[:, [place]] for place, name in enumerate("abcd")}
    reads = tuple(tuple("abcd"[: place + 1]) for place in range(4))
    fits = LinearStudents(features, reads, (0, 1, 2)).trained(columns, made.rhos, trainer, seed)[:, 3]
    shares = np.einsum("nk,rnk->kr", columns, fits)
    told = ("in all teachers", "in two of three", "in one", "in none")
    return [
        Curve(name, made.rhos, share, np.full(len(share), np.nan), _kept_share(1 - place / 3))
        for place, (name, share) in enumerate(zip(told, shares, strict=True))
    ]


def _kept_share(expressed: float) -> Callable[[float], float]:
    return lambda rho: float(formulas.kept_share(np.array(expressed), rho))


def t2(found: Trained) -> Found:
    """The part of the predictions' variance that is due to noise in the labels falls with rho."""
    noisy = np.square(found.fits[..., 1:] - found.fits[..., :1]).mean(2)

    def formula(design: Float[ndarray, "row _"], rho: float) -> float:
        return formulas.label_noise_variance(design, found.teachers, NOISE, rho)

    curves = found.curves(noisy, formula)
    rises = max(float(np.diff(curve.measured).max()) for curve in curves)
    return _found(curves, {**_apart(curves), "rise": rises})


def t3(found: Trained) -> Found:
    """The risk of every student falls at first: its change since rho = 0, on the same draws."""
    risks = np.square(found.fits[..., 1:] - found.mean[:, None]).mean(2)

    def formula(design: Float[ndarray, "row _"], rho: float) -> float:
        now, alone = (formulas.risk(design, found.teachers, found.mean, NOISE, at) for at in (rho, 0.0))
        return now - alone

    def slope(design: Float[ndarray, "row _"]) -> float:
        return formulas.risk_slope_at_zero(design, found.teachers, NOISE)

    curves = found.curves(risks - risks[0], formula, slope)
    slopes = _slopes(risks, found.rhos)
    off = np.abs(slopes.mean(-1) - [curve.slope for curve in curves]) / standard_error(slopes)
    highest = max(float(curve.measured[1] + 1.96 * curve.error[1]) for curve in curves)
    return _found(curves, {**_apart(curves), "slope_away": float(off.max()), "first_change": highest})


def _slopes(risks: Float[ndarray, "rho student draw"], rhos: Sequence[float]) -> Float[ndarray, "student draw"]:
    """Derivative at 0 of the parabola through the first three points."""
    h, k = rhos[1], rhos[2]
    near, far = (risks[place] - risks[0] for place in (1, 2))
    return np.asarray((near * k / h - far * h / k) / (k - h))


def t4(made: TheoryProtocol, seed: int) -> Found:
    """Students that can express their teachers' mean move towards it, to their gain or not."""
    stories = imitation.stories(made.labels, seed)
    risks = {name: one.risks(made.rhos)[:, 0] for name, one in stories.items()}
    curves = [
        Curve.of_draws(name, made.rhos, risks[name], partial(formulas.consensus_risk, *one.expected))
        for name, one in stories.items()
    ]
    finite, harmed = stories[imitation.WORSE], risks[imitation.ALIKE]
    change = harmed[made.rhos.index(0.25)] - harmed[0]
    told = {"over_best": imitation.over_best(finite), "harm": float(change.mean() - 1.96 * standard_error(change))}
    return _found(curves, {**_apart(curves), **told})


def t5(made: TheoryProtocol, seed: int) -> Found:
    """The ensemble is better than its students by their ambiguity, which mutual learning takes away."""
    story = imitation.stories(made.labels, seed)[imitation.EQUAL]
    single, ensemble, ambiguity = story.decomposed(made.rhos)
    count = len(story.labels)

    def left(rho: float) -> float:
        return (1 - 1 / count) / (1 + rho) ** 2

    curves = [
        Curve.of_draws("a student", made.rhos, single, lambda rho: 1 / count + left(rho)),
        Curve.of_draws("their ensemble", made.rhos, ensemble, lambda _: 1 / count),
        Curve.of_draws("their ambiguity", made.rhos, ambiguity, left),
    ]
    shrunk = ambiguity / ambiguity[0] - np.array([(1 + rho) ** -2 for rho in made.rhos])[:, None]
    exact = max(float(np.abs(part).max()) for part in (single - ambiguity - ensemble, ensemble - ensemble[0], shrunk))
    return _found(curves, {**_apart(curves), "inexact": exact})


def new_samples(made: TheoryProtocol, seed: int) -> Found:
    """Risk on new samples beside known values: mutual learning is no cure where one student is far worse."""
    random, curves, away = np.random.default_rng((seed, 3)), [], []
    for model, known in samples.REFERENCE.items():
        rhos = samples.RHOS[: max(map(len, known.values()))]
        risks = model(random, made.data_sets).risks(rhos)
        for student, values in known.items():
            own = risks[student]
            both = standard_error(own) * (1 + made.data_sets / samples.REFERENCE_DRAWS) ** 0.5
            away.append(float((np.abs(own.mean(1) - values) / both).max()))
            name = f"{model.__name__}, student {student + 1}"
            curves.append(Curve(name, rhos, own.mean(1), standard_error(own), reference=values))
    return _found(curves, {"away": max(away)})


def _apart(curves: Sequence[Curve]) -> Mapping[str, float]:
    """How far points are from formulas, at most."""
    return {"distance": max(one.distance for one in curves), "away": max(one.away for one in curves)}


def _found(curves: Sequence[Curve], numbers: Mapping[str, float]) -> Found:
    return Found(numbers, {"curves": table_of(curves)})
