"""ETT: electricity transformer temperature, to be forecast from loads, its own past, and the calendar."""

from collections.abc import Sequence
from typing import Any, Literal, overload

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.utils import Bunch

from plait.data.modalities import Modalities
from plait.datasets._ett_files import COLUMNS, SOURCES
from plait.datasets._ett_numbers import ett_published
from plait.datasets._ett_samples import EttRequest, ett_samples, ett_scale, ett_table
from plait.datasets._fetch import Folder, fetch

DESCR = """ETT: electricity transformer temperature, four tables of two years.

ETTh1 and ETTh2 are hourly (17,420 rows from 2016-07-01), ETTm1 and ETTm2 every 15 minutes (69,680 rows) of the same
two transformers. Columns: six loads (HUFL, HULL, MUFL, MULL, LUFL, LULL) and the oil temperature OT. A sample is a
window: `lookback` steps of history; the target is the next `horizon` steps of each variable, in one row with the
horizon as the slower axis (`target.reshape(n, horizon, variables)`).

Source: ETT-small of github.com/zhouhaoyi/ETDataset, unmodified. Licence: CC BY-ND 4.0: share the files unmodified
or not at all.
Citation: Zhou et al., "Informer: Beyond Efficient Transformer for Long Sequence Time-Series Forecasting", AAAI 2021.
Split: chronological, in months of 30 days: 12 training, 4 validation, 4 test; later rows are unused. Columns are
standardised by mean and population standard deviation of the training rows, and errors are of these units. A window
belongs to the part that holds all its targets; its history may reach back into the part before. All windows count,
the last partial batch too.
Trap: in 2021 the names ETTm1 and ETTm2 were once swapped upstream, and the scaling changed after the paper, so
Informer's numbers on ETTm1, ETTm2 and ETTh2 cannot be reproduced exactly.

Published numbers (MSE / MAE, 7 variables to 7, ETTh1, horizon 96; `published` has the rest): look-back 96:
iTransformer .386 / .405, RLinear .386 / .395, PatchTST .414 / .419, DLinear .386 / .400; look-back 336 or 512: DLinear
.375 / .399, PatchTST/64 .370 / .400, the last value repeated 1.295 / .713. The look-back decides rankings (arXiv
2502.09683), and differences of a few thousandths vanish under tuning (arXiv 2502.14045): compare like with like.
"""


@overload
def fetch_ett(
    name: str = "ETTh1",
    lookback: int = 96,
    horizon: int = 96,
    split: str = "train",
    *,
    modalities: Sequence[str] = ("series",),
    variables: str | Sequence[str] = "all",
    data_home: Folder = None,
    download: bool = True,
    return_X_y: Literal[False] = False,
) -> Bunch: ...
@overload
def fetch_ett(
    name: str = "ETTh1",
    lookback: int = 96,
    horizon: int = 96,
    split: str = "train",
    *,
    modalities: Sequence[str] = ("series",),
    variables: str | Sequence[str] = "all",
    data_home: Folder = None,
    download: bool = True,
    return_X_y: Literal[True],
) -> tuple[Modalities, NDArray[Any]]: ...
def fetch_ett(
    name: str = "ETTh1",
    lookback: int = 96,
    horizon: int = 96,
    split: str = "train",
    *,
    modalities: Sequence[str] = ("series",),
    variables: str | Sequence[str] = "all",
    data_home: Folder = None,
    download: bool = True,
    return_X_y: bool = False,
) -> Bunch | tuple[Modalities, NDArray[Any]]:
    """Load ETT: windows of two years of transformer loads and oil temperature, the next steps as targets.

    Data and target are read-only views into one table of float32 (0.4 MB, or 1.6 MB), which every window of
    stride 1 shares, except for "train+validation", which is copied once. Choosing rows by a slice keeps that.

    Args:
        name: "ETTh1", "ETTh2" (hourly), "ETTm1" or "ETTm2" (every 15 minutes).
        lookback: Steps of history, at least 1.
        horizon: Steps to predict, at least 1 and at most the rows of a part (2880 hourly); with the look-back at
            most the training rows (8640 hourly).
        split: "train", "validation", "test"; "train+validation" to fit with a fixed validation part; "all" for
            every window, those that straddle two parts too, which are then in none of the three.
        modalities: In any order: "series", the history of the `variables`, (lookback, variables); "temperature",
            (lookback, 1); "loads", (lookback, 6); "calendar", (lookback + horizon, 4): hour, weekday, day of month
            and month of history and horizon, each from -0.5 to 0.5.
        variables: Columns to predict, a list, or "all" seven. Modalities ("temperature", "loads") with ["OT"] are
            the mode "MS" of the literature.
        data_home: Folder to look in first (for ett/ETT-small.zip or ett/ETTh1.csv ...) and to download into. Then
            come $PLAIT_DATA and the cache.
        download: Whether to download (2.6 or 10 MB) what is not on this machine.
        return_X_y: Return `(data, target)` alone.

    Returns:
        A Bunch with `data` (Modalities; ids are the times of the first predicted step), `target` (window,
        horizon * variables; the horizon is the slower axis), `target_names` ("OT +1", ...), `mean` and `sd` of every
        column before scaling, `times` (of the first predicted step), `groups` (its month of 30 days, from 0, so that
        a validation can hold out whole months), `DESCR`, and `published` (a table of public numbers). In addition
        for "train+validation" and "all" `validation` (booleans), and for "all" `train` and `test` (row numbers).

    Raises:
        FileNotFoundError: If the data are not on this machine and `download` is False.
        OSError: If the download fails.
        ValueError: If an argument is out of its range, or a file is damaged; the message names it.
    """
    request = EttRequest.of(name, (lookback, horizon), split, modalities, variables)
    arrays = fetch(SOURCES[name], data_home, download)
    mean, sd = ett_scale(arrays["values"], request)
    table = ett_table(arrays, request, mean, sd)
    times = pd.DatetimeIndex(arrays["times"][lookback:])[: request.division.count][request.rows]
    data, target = ett_samples(table, request, times)
    if return_X_y:
        return data, target
    return Bunch(
        data=data,
        target=target,
        target_names=np.array([f"{column} +{step}" for step in range(1, horizon + 1) for column in request.variables]),
        mean=pd.Series(mean, COLUMNS, name="mean"),
        sd=pd.Series(sd, COLUMNS, name="sd"),
        times=times,
        groups=request.months,
        DESCR=DESCR,
        published=ett_published(),
        **request.parts(),
    )
