"""Step Fusion on ETT: forecasts from a series and its image, from temperature and loads, from series and calendar."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import lru_cache, partial
from itertools import product

import pandas as pd

from plait import datasets
from plait.data.forecast import Forecast
from plait.estimators import FusionRegressor
from plait.methods.base import Method
from plait.reproduce.ett_windows import Group, Inputs, Windows, forecast, last_value, load
from plait.reproduce.step_fusion_arms import ALONE, CONCAT, CROSS, RECONSTRUCTION, STEP, alone, fusions
from plait.reproduce.study import Contrast, Found, Request, Run, Study
from plait.training.trainer import Trainer

NAMES, HORIZONS = ("ETTh1", "ETTh2", "ETTm1", "ETTm2"), (96, 192)
REPEAT = "repeat-last-value"
SINGLE = (
    Inputs("series", "series", ("series",)),
    Inputs("OT", "OT", ("temperature",), "OT to OT", ("OT",), reference="OT"),
)
SEVERAL = (
    Inputs("E-A", "series + its Gramian image", ("series",), images=("image",)),
    Inputs("E-B", "OT + six loads", ("temperature", "loads"), "7 to OT (MS)", ("OT",), reference="OT"),
    Inputs("E-C", "series + calendar", ("series", "calendar")),
)
_SAME_MODE = "7 variables to 7"
_ANY_LOOKBACK = "1 (the last value)"


@dataclass(frozen=True)
class EttProtocol:
    """Every constant of the experiment; ours, since the paper's are not public.

    Args:
        lookback: Steps of history.
        image: Pixels of a side of the Gramian image of a window.
        long_lookback: Steps of history of the one group with a long look-back.
        long_image: Pixels of a side there.
        width: Size of a token.
        steps: Steps of Step Fusion.
        dropout: Share dropped in training.
        epochs: Most epochs.
        batch_size: Windows a step of training.
        learning_rate: Of the first epoch; half as much in every further one.
        weight_decay: Of AdamW; 0 is Adam.
        patience: Epochs without progress after which training stops.
        clip: Largest norm of a gradient.
        epoch_windows: Training windows of an epoch, drawn anew for each: neighbours differ by one step, so that
            passes over all of them cost more and, on ETTh1's validation months, gave no less error.
        validation_hours: Hours from one validation window to the next; the test has all windows.
    """

    lookback: int = 96
    image: int = 24
    long_lookback: int = 336
    long_image: int = 48
    width: int = 64
    steps: int = 4
    dropout: float = 0.1
    epochs: int = 5
    batch_size: int = 32
    learning_rate: float = 1e-3
    weight_decay: float = 0.0
    patience: int = 3
    clip: float = 1.0
    epoch_windows: int = 4224
    validation_hours: int = 4


def study(request: Request, protocol: EttProtocol | None = None) -> Study:
    """All runs: tasks x sets of modalities x seeds x ways to fuse.

    Args:
        request: Seeds, epochs, threads.
        protocol: Constants; None is the default ones.
    """
    made = protocol or EttProtocol()
    plan = Plan(replace(made, epochs=request.epochs or made.epochs), request, lru_cache(maxsize=1)(load))
    return Study(
        name="step-fusion/ett",
        note=f"{RECONSTRUCTION} Errors are of standardised values, over all test windows, steps and variables.",
        settings=asdict(plan.protocol),
        runs=tuple(run for group in groups(made) for run in plan.runs(group)),
        metrics={"mse": "lower", "mae": "lower"},
        contrasts=contrasts,
        published=published,
    )


def groups(protocol: EttProtocol) -> list[Group]:
    """All data sets and horizons with the short look-back; the first of them with the long one."""
    short = [
        Group(data, horizon, protocol.lookback, protocol.image, f"{data}-{horizon}")
        for data, horizon in product(NAMES, HORIZONS)
    ]
    far = protocol.long_lookback
    return [*short, replace(short[0], lookback=far, image=protocol.long_image, name=f"{short[0].name}-L{far}")]


@dataclass(frozen=True)
class Plan:
    """Makes the runs of a task.

    Args:
        protocol: Constants.
        request: Seeds and threads.
        load: Gives the windows of a task and set of modalities, validation windows some hours apart.
    """

    protocol: EttProtocol
    request: Request
    load: Callable[[Group, Inputs, int], Windows]

    def runs(self, group: Group) -> list[Run]:
        """Each series by its last value and by a network, then every way to fuse every set of modalities."""
        made = self.protocol
        several = fusions(made.width, made.steps, "patches", "tokens", made.dropout)
        single = {ALONE: partial(alone, made.width, "patches", "tokens", made.dropout)}
        repeats = [self._run(group, one, REPEAT, 0, partial(self._repeat, group, one)) for one in SINGLE]
        fits = [run for one in SINGLE for run in self._fits(group, one, single)]
        return [*repeats, *fits, *(run for one in SEVERAL for run in self._fits(group, one, several))]

    def _fits(self, group: Group, inputs: Inputs, ways: Mapping[str, Callable[[], Method]]) -> list[Run]:
        return [
            self._run(group, inputs, way, seed, partial(self._fit, group, inputs, make, seed))
            for seed in self.request.seeds
            for way, make in ways.items()
        ]

    def _run(self, group: Group, inputs: Inputs, way: str, seed: int, fit: Callable[[int], Found]) -> Run:
        labels: dict[str, str | int] = {"group": group.name, "data": group.data, "horizon": group.horizon}
        labels |= {"lookback": group.lookback, "variables": inputs.variables, "modalities": inputs.words, "method": way}
        protocol = "months 12/4/4, standardised errors, all test windows"
        if way != REPEAT:
            made = self.protocol
            protocol += f", windows normalised, <= {made.epochs} epochs of {made.epoch_windows} random windows"
            protocol += f", chosen by validation windows {made.validation_hours} hours apart"
        return Run(f"{group.name}/{inputs.name}/{way}", seed, {**labels, "protocol": protocol}, fit)

    def _repeat(self, group: Group, inputs: Inputs, verbose: int) -> Found:
        return last_value(self.load(group, inputs, self.protocol.validation_hours), inputs.fetched[0])

    def _fit(self, group: Group, inputs: Inputs, make: Callable[[], Method], seed: int, verbose: int) -> Found:
        windows = self.load(group, inputs, self.protocol.validation_hours)
        model = FusionRegressor(
            make(),
            scaling="none",
            target_scaling="none",
            forecast=Forecast(inputs.fetched[0], channelwise=inputs.images),
            validation=windows.validation,
            trainer=self._trainer(),
            random_state=seed,
            verbose=verbose,
        )
        return forecast(model, windows)

    def _trainer(self) -> Trainer:
        made = self.protocol
        return Trainer(
            epochs=made.epochs,
            batch_size=made.batch_size,
            learning_rate=made.learning_rate,
            weight_decay=made.weight_decay,
            patience=made.patience,
            schedule="halving",
            clip=made.clip,
            epoch_samples=made.epoch_windows,
            threads=self.request.threads,
        )


def contrasts(results: pd.DataFrame) -> list[Contrast]:
    """Step Fusion against the other ways and the series alone; concatenation against the series alone."""
    found = []
    for group, inputs in product(results["group"].unique(), SEVERAL):
        step, concat, cross = (f"{group}/{inputs.name}/{way}" for way in (STEP, CONCAT, CROSS))
        single = f"{group}/{inputs.reference}/{ALONE}"
        pairs = ((step, concat), (step, cross), (step, single), (concat, single))
        found += [Contrast(arm, minus) for arm, minus in pairs]
    return found


def published(results: pd.DataFrame) -> pd.DataFrame:
    """Public numbers of the same data, horizon and mode, with a like look-back: 96, or 336 and 512."""
    tasks = results[["group", "data", "horizon", "lookback"]].drop_duplicates() if len(results) else results
    return pd.concat([pd.DataFrame(), *(_beside(*task) for task in tasks.itertuples(index=False))], ignore_index=True)


def _beside(group: str, data: str, horizon: int, lookback: int) -> pd.DataFrame:
    public: pd.DataFrame = datasets.fetch_ett(data).published
    like = {str(lookback), _ANY_LOOKBACK} | ({"512"} if lookback > EttProtocol.lookback else set())
    same = (public["data"] == data) & (public["horizon"] == str(horizon)) & public["lookback"].isin(like)
    chosen = public[same & public["protocol"].str.contains(_SAME_MODE)]
    return chosen.assign(group=group, variables="7 to 7", modalities="series")
