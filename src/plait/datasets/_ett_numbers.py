"""What others reached on ETT: mean squared and absolute errors, each with its look-back, horizon and protocol."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from plait.datasets._published import COLUMNS

# Cells are MSE/MAE on the standardised scale, "-" where none was published. A row is data set, horizon, then one cell
# a method of the first line; "average" is the mean over the horizons 96, 192, 336 and 720.
SHORT = """
iTransformer RLinear PatchTST Crossformer TiDE TimesNet DLinear FEDformer Autoformer S-Mamba
ETTh1 96 .386/.405 .386/.395 .414/.419 .423/.448 .479/.464 .384/.402 .386/.400 .376/.419 .449/.459 .386/.405
ETTh1 192 .441/.436 .437/.424 .460/.445 .471/.474 .525/.492 .436/.429 .437/.432 .420/.448 .500/.482 .443/.437
ETTh1 336 .487/.458 .479/.446 .501/.466 .570/.546 .565/.515 .491/.469 .481/.459 .459/.465 .521/.496 .489/.468
ETTh1 720 .503/.491 .481/.470 .500/.488 .653/.621 .594/.558 .521/.500 .519/.516 .506/.507 .514/.512 .502/.489
ETTh1 average .454/.447 .446/.434 .469/.454 .529/.522 .541/.507 .458/.450 .456/.452 .440/.460 .496/.487 .455/.450
ETTh2 96 .297/.349 .288/.338 .302/.348 .745/.584 .400/.440 .340/.374 .333/.387 .358/.397 .346/.388 .296/.348
ETTh2 192 .380/.400 .374/.390 .388/.400 .877/.656 .528/.509 .402/.414 .477/.476 .429/.439 .456/.452 .376/.396
ETTh2 336 .428/.432 .415/.426 .426/.433 1.043/.731 .643/.571 .452/.452 .594/.541 .496/.487 .482/.486 .424/.431
ETTh2 720 .427/.445 .420/.440 .431/.446 1.104/.763 .874/.679 .462/.468 .831/.657 .463/.474 .515/.511 .426/.444
ETTh2 average .383/.407 .374/.398 .387/.407 .942/.684 .611/.550 .414/.427 .559/.515 .437/.449 .450/.459 .381/.405
ETTm1 96 .334/.368 .355/.376 .329/.367 .404/.426 .364/.387 .338/.375 .345/.372 .379/.419 .505/.475 .333/.368
ETTm1 192 .377/.391 .391/.392 .367/.385 .450/.451 .398/.404 .374/.387 .380/.389 .426/.441 .553/.496 .376/.390
ETTm1 336 .426/.420 .424/.415 .399/.410 .532/.515 .428/.425 .410/.411 .413/.413 .445/.459 .621/.537 .408/.413
ETTm1 720 .491/.459 .487/.450 .454/.439 .666/.589 .487/.461 .478/.450 .474/.453 .543/.490 .671/.561 .475/.448
ETTm1 average .407/.410 .414/.407 .387/.400 .513/.496 .419/.419 .400/.406 .403/.407 .448/.452 .588/.517 .398/.405
ETTm2 96 .180/.264 .182/.265 .175/.259 .287/.366 .207/.305 .187/.267 .193/.292 .203/.287 .255/.339 .179/.263
ETTm2 192 .250/.309 .246/.304 .241/.302 .414/.492 .290/.364 .249/.309 .284/.362 .269/.328 .281/.340 .250/.309
ETTm2 336 .311/.348 .307/.342 .305/.343 .597/.542 .377/.422 .321/.351 .369/.427 .325/.366 .339/.372 .312/.349
ETTm2 720 .412/.407 .407/.398 .402/.400 1.730/1.042 .558/.524 .408/.403 .554/.522 .421/.415 .433/.432 .411/.406
ETTm2 average .288/.332 .286/.327 .281/.326 .757/.610 .358/.404 .291/.333 .350/.401 .305/.349 .327/.371 .288/.332
"""
LONG = """
DLinear NLinear PatchTST/64 PatchTST/42 Repeat_last_value
ETTh1 96 .375/.399 .374/.394 .370/.400 .375/.399 1.295/.713
ETTh1 192 .405/.416 .408/.415 .413/.429 .414/.421 1.325/.733
ETTh1 336 .439/.443 .429/.427 .422/.440 .431/.436 1.323/.744
ETTh1 720 .472/.490 .440/.453 .447/.468 .449/.466 1.339/.756
ETTh2 96 .289/.353 .277/.338 .274/.337 .274/.336 .432/.422
ETTh2 192 .383/.418 .344/.381 .341/.382 .339/.379 .534/.473
ETTh2 336 .448/.465 .357/.400 .329/.384 .331/.380 .591/.508
ETTh2 720 .605/.551 .394/.436 .379/.422 .379/.422 .588/.517
ETTm1 96 .299/.343 .306/.348 .293/.346 .290/.342 1.214/.665
ETTm1 192 .335/.365 .349/.375 .333/.370 .332/.369 1.261/.690
ETTm1 336 .369/.386 .375/.388 .369/.392 .366/.392 1.283/.707
ETTm1 720 .425/.421 .433/.422 .416/.420 .420/.424 1.319/.729
ETTm2 96 .167/.262 .167/.255 .166/.256 .165/.255 .266/.328
ETTm2 192 .224/.303 .221/.293 .223/.296 .220/.292 .340/.371
ETTm2 336 .281/.342 .274/.327 .274/.329 .278/.329 .412/.410
ETTm2 720 .397/.421 .368/.384 .362/.385 .367/.385 .521/.465
"""
INFORMER = """
Informer S4 LogTrans Reformer LSTMa LSTnet
ETTh1 24 .577/.549 .525/.542 .686/.604 .991/.754 .650/.624 1.293/.901
ETTh1 48 .685/.625 .641/.615 .766/.757 1.313/.906 .702/.675 1.456/.960
ETTh1 168 .931/.752 .980/.779 1.002/.846 1.824/1.138 1.212/.867 1.997/1.214
ETTh1 336 1.128/.873 1.407/.910 1.362/.952 2.117/1.280 1.424/.994 2.655/1.369
ETTh1 720 1.215/.896 1.162/.842 1.397/1.291 2.415/1.520 1.960/1.322 2.143/1.380
ETTh2 24 .720/.665 .871/.736 .828/.730 1.531/1.613 1.143/.813 2.742/1.457
ETTh2 48 1.457/1.001 1.240/.867 1.806/1.034 1.871/1.735 1.671/1.221 3.567/1.687
ETTh2 168 3.489/1.515 2.580/1.255 4.070/1.681 4.660/1.846 4.117/1.674 3.242/2.513
ETTh2 336 2.723/1.340 1.980/1.128 3.875/1.763 4.028/1.688 3.434/1.549 2.544/2.591
ETTh2 720 3.467/1.473 2.650/1.340 3.913/1.552 5.381/2.015 3.963/1.788 4.625/3.709
ETTm1 24 .323/.369 .426/.487 .419/.412 .724/.607 .621/.629 1.968/1.170
ETTm1 48 .494/.503 .580/.565 .507/.583 1.098/.777 1.392/.939 1.999/1.215
ETTm1 96 .678/.614 .699/.649 .768/.792 1.433/.945 1.339/.913 2.762/1.542
ETTm1 288 1.056/.786 .824/.674 1.462/1.320 1.820/1.094 1.740/1.124 1.257/2.076
ETTm1 672 1.192/.926 .846/.709 1.669/1.461 2.187/1.232 2.736/1.555 1.917/2.941
"""
UNIVARIATE = """
Informer
ETTh1 24 .098/.247
ETTh1 48 .158/.319
ETTh1 168 .183/.346
ETTh1 336 .222/.387
ETTh1 720 .269/.435
ETTh2 24 .093/.240
ETTh2 48 .155/.314
ETTh2 168 .232/.389
ETTh2 336 .263/.417
ETTh2 720 .277/.431
ETTm1 24 .030/.137
ETTm1 48 .069/.203
ETTm1 96 .194/.372
ETTm1 288 .401/.554
ETTm1 672 .512/.644
"""
MIXER = """
TimeMixer
ETTh1 average .447/.440
ETTh2 average .364/.395
ETTm1 average .381/.395
ETTm2 average .275/.323
"""
XER = """
TimeXer
ETTh1 average .437/.437
"""
SEARCHED = """
TimeMixer
ETTh1 average .411/.423
"""
ZERO_SHOT = """
VisionTS_(zero-shot)
ETTh1 average -/.414
ETTm1 average .374/-
ETTm2 average .282/-
"""
ZERO_SHOT_RECALLED = """
VisionTS_(zero-shot)
ETTh1 average .390/-
ETTh2 average .333/.375
"""
_RECALLED = " (recalled, not checked at the source)"


@dataclass(frozen=True)
class _Quoted:
    """Numbers of one source.

    Args:
        text: A line of methods, then a line a data set and horizon.
        lookback: Steps of history that the models saw, in words.
        source: Where the numbers were published.
        variables: From how many variables how many were predicted.
        own_lookback: The look-back of those methods that had another one.
    """

    text: str
    lookback: str
    source: str
    variables: str = "7 variables to 7"
    own_lookback: Mapping[str, str] = field(default_factory=dict)

    def rows(self) -> list[dict[str, object]]:
        """One entry a method, data set, horizon and metric."""
        methods, *lines = (line.split() for line in self.text.strip().splitlines())
        return [
            entry
            for data, horizon, *cells in lines
            for method, cell in zip(methods, cells, strict=True)
            for entry in self._entries(method.replace("_", " "), data, horizon, cell)
        ]

    def _entries(self, method: str, data: str, horizon: str, cell: str) -> list[dict[str, object]]:
        lookback = self.own_lookback.get(method, self.lookback)
        steps = "mean of horizons 96, 192, 336, 720" if horizon == "average" else f"horizon {horizon}"
        protocol = f"{data}, look-back {lookback}, {steps}, {self.variables}, months 12/4/4, standardised errors"
        fixed = {"method": method, "sd": float("nan"), "protocol": protocol, "data": data, "horizon": horizon}
        return [
            {**fixed, "metric": metric, "value": float(value), "source": self._source(method, data, metric)}
            | {"lookback": lookback}
            for metric, value in zip(("mse", "mae"), cell.split("/"), strict=True)
            if value != "-"
        ]

    def _source(self, method: str, data: str, metric: str) -> str:
        slip = (method, data, metric) == ("PatchTST/64", "ETTm2", "mae")
        return self.source + _RECALLED * slip


_BORROWED = "public LaTeX table that borrows from the original papers"
_QUOTED = (
    _Quoted(SHORT, "96", "S-Mamba (arXiv 2403.11144), baselines as in iTransformer"),
    _Quoted(MIXER, "96", "TimeMixer" + _RECALLED),
    _Quoted(XER, "96", "TimeXer" + _RECALLED),
    _Quoted(LONG, "336", _BORROWED, own_lookback={"PatchTST/64": "512", "Repeat last value": "1 (the last value)"}),
    _Quoted(SEARCHED, "searched", "TimeMixer" + _RECALLED),
    _Quoted(ZERO_SHOT, "not stated", "VisionTS (arXiv 2408.17253), as listed by wizwand"),
    _Quoted(ZERO_SHOT_RECALLED, "not stated", "VisionTS (arXiv 2408.17253)" + _RECALLED),
    _Quoted(INFORMER, "not stated (chosen per model)", "S4 paper, table 14, which quotes Informer's table"),
    _Quoted(UNIVARIATE, "not stated (chosen per model)", "Informer" + _RECALLED, "OT alone to OT"),
)


def ett_published() -> pd.DataFrame:
    """All public numbers on ETT that we know, one row a method, data set, horizon and metric ("mse", "mae").

    Returns:
        Columns method, metric, value, sd (NaN: none was published), protocol, source, data (ETTh1 ...), horizon
        ("96" ..., or "average") and lookback (in words where it is no number).
    """
    rows = [row for quoted in _QUOTED for row in quoted.rows()]
    return pd.DataFrame(rows, columns=[*COLUMNS, "data", "horizon", "lookback"])
