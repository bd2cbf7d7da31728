import io
import tracemalloc
import zipfile
from dataclasses import replace
from types import MappingProxyType

import numpy as np
import pandas as pd
import pooch
import pytest

from plait.data.modalities import Modalities
from plait.datasets import ett, fetch_ett
from plait.datasets._ett_files import COLUMNS, SOURCES
from plait.datasets._ett_numbers import ett_published
from plait.datasets._fetch import digest
from plait.datasets._windows import Division, flat_windows, windows

HOURLY = 14400
ALL = ("series", "temperature", "loads", "calendar")


def real(*arguments, **options):
    """A real table that lies on this machine, or a skipped test."""
    try:
        return fetch_ett(*arguments, download=False, **options)
    except FileNotFoundError as error:
        pytest.skip(str(error))


def frame(rows=HOURLY):
    """A table of the published layout: column k holds k in row 0 and grows by 1 a row, so that rows can be told."""
    values = np.arange(rows)[:, None] + np.arange(7.0)
    table = pd.DataFrame(values, columns=list(COLUMNS))
    table.insert(0, "date", pd.date_range("2016-07-01", periods=rows, freq="h").strftime("%Y-%m-%d %H:%M:%S"))
    return table


def write(home, table, name="ETTh1"):
    """Write a zip of the published layout below a data folder."""
    (home / "ett").mkdir(exist_ok=True)
    text = io.StringIO()
    table.to_csv(text, index=False)
    with zipfile.ZipFile(home / "ett" / "ETT-small.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"ETT-small/{name}.csv", text.getvalue())
    return home / "ett" / "ETT-small.zip"


@pytest.fixture
def nowhere(tmp_path, monkeypatch):
    """A machine without data."""
    monkeypatch.delenv("PLAIT_DATA", raising=False)
    monkeypatch.setattr(pooch, "os_cache", lambda name: tmp_path / "cache")
    return tmp_path


@pytest.fixture
def steps(nowhere, monkeypatch):
    """Fetch from a synthetic file that is taken for the published one; undone scaling gives the row numbers."""
    write(nowhere, frame())
    source = SOURCES["ETTh1"]
    arrays = source.read(nowhere / "ett" / "ETT-small.zip")
    monkeypatch.setattr(ett, "SOURCES", MappingProxyType({"ETTh1": replace(source, sha256=digest(arrays))}))

    def fetched(*arguments, **options):
        return fetch_ett("ETTh1", *arguments, data_home=nowhere, download=False, **options)

    return fetched


def rows_of(bunch, scaled, column=0):
    """Row numbers of the synthetic table from standardised values of one of its columns."""
    name = COLUMNS[column]
    return np.rint(scaled * bunch.sd[name] + bunch.mean[name] - column).astype(int)


@pytest.mark.parametrize(
    ("name", "split", "count"),
    [
        ("ETTh1", "train", 8449),
        ("ETTh2", "validation", 2785),
        ("ETTh1", "test", 2785),
        ("ETTm1", "train", 34560 - 192 + 1),
        ("ETTm2", "test", 11520 - 96 + 1),
        ("ETTh1", "train+validation", 8449 + 2785),
        ("ETTh1", "all", HOURLY - 192 + 1),
    ],
)
def test_windows_are_as_many_as_the_protocol_has(name, split, count):
    """At look-back and horizon 96, stride 1, the last partial batch included."""
    bunch = real(name, split=split)
    assert len(bunch.data) == len(bunch.target) == len(bunch.times) == count
    assert bunch.data.sample_shapes == {"series": (96, 7)}
    assert bunch.target.shape == (count, 96 * 7)


def test_a_window_is_followed_by_its_targets(steps):
    """The history is `lookback` rows, the target the next `horizon` rows, horizon before variable."""
    bunch = steps(4, 3, "train", modalities=ALL)
    history = rows_of(bunch, bunch.data["series"][:, :, 0])
    future = rows_of(bunch, bunch.target.reshape(-1, 3, 7)[:, :, 0])
    assert history[:2].tolist() == [[0, 1, 2, 3], [1, 2, 3, 4]]
    assert future[:2].tolist() == [[4, 5, 6], [5, 6, 7]]
    assert bunch.target_names[[0, 6, 7, 20]].tolist() == ["HUFL +1", "OT +1", "HUFL +2", "OT +3"]
    assert np.array_equal(bunch.data["temperature"], bunch.data["series"][:, :, 6:])
    assert np.array_equal(bunch.data["loads"], bunch.data["series"][:, :, :6])
    assert bunch.times[0] == pd.Timestamp("2016-07-01 04:00:00")
    assert np.array_equal(bunch.data.ids, bunch.times)


@pytest.mark.parametrize(
    ("split", "first", "last"), [("train", 4, 8639), ("validation", 8640, 11519), ("test", 11520, 14399)]
)
def test_targets_fill_their_part_and_history_reaches_back(steps, split, first, last):
    """First and last target are the first and last row of the part; the first history lies before it."""
    bunch = steps(4, 3, split)
    future = rows_of(bunch, bunch.target[:, ::7])
    assert (future[0, 0], future[-1, -1]) == (first, last)
    assert rows_of(bunch, bunch.data["series"][0, :, 0]).tolist() == list(range(first - 4, first))
    assert set(bunch.groups) == set(range(first // 720, last // 720 + 1))


def test_only_training_rows_make_the_scale(steps, nowhere, monkeypatch):
    """Mean and population standard deviation of the first 8640 rows; later rows change neither."""
    bunch = steps(4, 3)
    assert np.allclose(bunch.mean, np.arange(8640).mean() + np.arange(7))
    assert np.allclose(bunch.sd, np.arange(8640).std())
    later = frame()
    later.loc[8640:, "OT"] = 1e6
    path = write(nowhere, later)
    source = SOURCES["ETTh1"]
    changed = replace(source, sha256=digest(source.read(path)))
    monkeypatch.setattr(ett, "SOURCES", {"ETTh1": changed})
    assert np.array_equal(steps(4, 3).sd, bunch.sd)


def test_the_real_training_rows_are_standardised():
    """Mean 0 and standard deviation 1 of the rows that train, in every column."""
    train = real("ETTh1", split="all").data["series"][:8640, 0]
    assert np.allclose(train.mean(0), 0, atol=1e-4)
    assert np.allclose(train.std(0), 1, atol=1e-4)


def test_training_and_validation_keep_off_windows_between(steps):
    """The boolean marks validation windows; no window has targets in both parts."""
    bunch = steps(4, 3, "train+validation")
    future = rows_of(bunch, bunch.target[:, ::7])
    assert bunch.validation.dtype == bool
    assert np.array_equal(bunch.validation, future[:, 0] >= 8640)
    assert np.array_equal(bunch.validation, future[:, -1] >= 8640)
    assert len(future) == 8640 - 6 + 2880 - 2
    for split, rows in (("train", ~bunch.validation), ("validation", bunch.validation)):
        assert np.array_equal(steps(4, 3, split).target, bunch.target[rows])


def test_all_windows_come_with_the_rows_of_each_part(steps):
    """`train`, `validation` and `test` give what the splits give; windows between parts are in none."""
    bunch = steps(4, 3, "all", modalities=ALL)
    for split, rows in (("train", bunch.train), ("validation", bunch.validation), ("test", bunch.test)):
        part = steps(4, 3, split, modalities=ALL)
        assert np.array_equal(part.target, bunch.target[rows])
        assert all(np.array_equal(part.data[name], bunch.data[name][rows]) for name in ALL)
    assert len(bunch.target) - len(bunch.train) - bunch.validation.sum() - len(bunch.test) == 2 * (3 - 1)


@pytest.mark.parametrize("split", ["train", "validation", "test", "all"])
def test_windows_share_one_table(split):
    """No value is held twice: neighbours share memory, data and target too, and fetching allocates little."""
    real("ETTh1")
    tracemalloc.start()
    bunch = real("ETTh1", split=split, modalities=ALL)
    kept, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    one_copy = bunch.target.nbytes
    assert one_copy > 7e6
    assert kept < peak < one_copy / 1.5
    for array in (*bunch.data.values(), bunch.target):
        assert np.shares_memory(array[0, 1:], array[1, :-1])
        assert not array.flags.writeable
    assert np.shares_memory(bunch.data["series"][96], bunch.target[0])
    assert np.shares_memory(bunch.data["loads"][0], bunch.data["series"][0])


def test_the_calendar_knows_history_and_horizon(steps):
    """Hour, weekday, day and month, from -0.5 to 0.5, of all lookback + horizon steps."""
    calendar = steps(4, 3, modalities=["calendar"]).data["calendar"]
    assert calendar.shape == (8634, 7, 4)
    assert calendar[0, 0] == pytest.approx([-0.5, 4 / 6 - 0.5, -0.5, 6 / 11 - 0.5])  # a Friday in July, 0 h, the 1st
    assert calendar[0, :, 0] == pytest.approx(np.arange(7) / 23 - 0.5)
    assert (calendar.min((0, 1)) == -0.5).all()
    assert (calendar.max((0, 1)) == 0.5).all()


def test_quarters_of_an_hour_move_the_clock():
    """With a row every 15 minutes, the last quarter of a day is 0.5."""
    calendar = real("ETTm1", modalities=["calendar"]).data["calendar"]
    assert calendar[0, :5, 0] == pytest.approx(np.arange(5) / 95 - 0.5)
    assert calendar[..., 0].max() == 0.5


def test_chosen_variables_are_predicted_from_others(steps):
    """Mode MS: seven columns in, the oil temperature out; the series follows the variables, in their order."""
    bunch = steps(4, 3, modalities=("temperature", "loads"), variables=["OT"])
    assert bunch.data.sample_shapes == {"temperature": (4, 1), "loads": (4, 6)}
    assert bunch.target.shape == (8634, 3)
    assert rows_of(bunch, bunch.target[5], 6).tolist() == [9, 10, 11]
    two = steps(4, 3, variables=["OT", "HUFL"])
    assert np.array_equal(two.data["series"], steps(4, 3).data["series"][:, :, [6, 0]])
    assert two.target_names.tolist()[:3] == ["OT +1", "HUFL +1", "OT +2"]


def test_fetched_windows_are_as_sound_as_checked_ones():
    """What is put together without checks is what the constructor would have made."""
    trusted, _ = real("ETTh1", split="test", modalities=ALL, return_X_y=True)
    checked = Modalities(dict(trusted.items()), ids=trusted.ids)
    assert np.array_equal(trusted.present, checked.present)
    assert trusted.names == checked.names
    assert trusted.own_ids == checked.own_ids
    assert trusted[3:5]["series"].shape == (2, 96, 7)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"name": "ETTx1"}, "name must be one of 'ETTh1'"),
        ({"split": "val"}, "split must be one of 'train', 'validation'"),
        ({"modalities": ["image"]}, "modalities must list one or more of 'series'"),
        ({"modalities": "series"}, "modalities must list"),
        ({"modalities": []}, "modalities must list"),
        ({"modalities": ["loads", "loads"]}, "each once"),
        ({"variables": ["XYZ"]}, "variables must list one or more of 'HUFL'"),
        ({"variables": "OT"}, "variables must list"),
        ({"lookback": 0}, "lookback must be a whole number of at least 1"),
        ({"horizon": True}, "horizon must be a whole number of at least 1"),
        ({"lookback": 8600, "horizon": 41}, r"at most the 8640 training rows \(got 8600 \+ 41\)"),
        ({"horizon": 2881}, "horizon must be at most 2880"),
    ],
)
def test_wrong_arguments_are_told_before_anything_is_read(nowhere, options, message):
    """Each names the argument, what is allowed and what came; a machine without data gives the same error."""
    with pytest.raises(ValueError, match=message):
        fetch_ett(**options, download=False)


def test_the_longest_windows_fit(steps):
    """A look-back and horizon that fill the training rows are one window; a horizon of the part too."""
    assert len(steps(8639, 1).data) == 1
    assert len(steps(1, 2880, "test").data) == 1


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_value_that_is_not_finite_is_named(nowhere, value):
    """By file, table, column, row and date; windows would spread it over many samples."""
    table = frame()
    table.loc[17, "MULL"] = value
    path = write(nowhere, table)
    with pytest.raises(ValueError, match=r"column MULL, row 17 \(2016-07-01 17:00:00\)") as caught:
        fetch_ett(data_home=nowhere, download=False)
    assert f"{path} (ETT-small/ETTh1.csv)" in str(caught.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda table: table.drop(columns="OT"), "must have the columns date, HUFL"),
        (lambda table: table.assign(OT="warm"), "cannot be read"),
        (lambda table: table.assign(date="soon"), "cannot be read"),
        (lambda table: table.assign(OT=1.0), "does not hold the published data set"),
    ],
)
def test_another_table_is_refused(nowhere, change, message):
    """Missing columns, words, no dates and other numbers are errors that name the file."""
    path = write(nowhere, change(frame(50)))
    with pytest.raises(ValueError, match=message) as caught:
        fetch_ett(data_home=nowhere, download=False)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"date,OT", b"PK\x03\x04 cut off"])
def test_a_damaged_zip_is_named(nowhere, content):
    """Emptied, replaced or cut off: one error with the path and what to do."""
    path = write(nowhere, frame(5))
    path.write_bytes(content)
    with pytest.raises(ValueError, match="Remove it and fetch again") as caught:
        fetch_ett(data_home=nowhere, download=False)
    assert str(path) in str(caught.value)


def test_a_zip_without_the_table_is_named(nowhere):
    """A zip of other tables does not do."""
    write(nowhere, frame(5), name="ETTh2")
    with pytest.raises(ValueError, match=r"cannot be read .*ETT-small/ETTh1\.csv"):
        fetch_ett(data_home=nowhere, download=False)


def test_a_short_table_is_told(nowhere, monkeypatch):
    """A table that does not reach to the end of the test part has no published split."""
    path = write(nowhere, frame(9000))
    short = replace(SOURCES["ETTh1"], sha256=digest(SOURCES["ETTh1"].read(path)))
    monkeypatch.setattr(ett, "SOURCES", {"ETTh1": short})
    with pytest.raises(ValueError, match="9000 rows, fewer than the 14400"):
        fetch_ett(data_home=nowhere, download=False)


def test_a_published_table_does_as_well_as_the_zip(nowhere, steps):
    """ETTh1.csv alone, as the public source has it, gives the same arrays; it is what a download keeps."""
    expected = steps(4, 3).target
    (nowhere / "home" / "ett").mkdir(parents=True)
    with zipfile.ZipFile(nowhere / "ett" / "ETT-small.zip") as archive:
        (nowhere / "home" / "ett" / "ETTh1.csv").write_bytes(archive.read("ETT-small/ETTh1.csv"))
    found = fetch_ett(lookback=4, horizon=3, data_home=nowhere / "home", download=False)
    assert np.array_equal(found.target, expected)


def test_without_data_the_error_says_where_it_looked(nowhere):
    """The file, the places, and what to do."""
    with pytest.raises(FileNotFoundError, match=r"ett/ETT-small\.zip in .*Set PLAIT_DATA.*download=True"):
        fetch_ett(download=False)


def test_windows_are_views_of_any_table():
    """Windows of a small table, by hand."""
    table = np.arange(8, dtype=np.float32).reshape(4, 2)
    assert windows(table, 3).tolist() == [table[:3].tolist(), table[1:].tolist()]
    assert flat_windows(table, 3).tolist() == [[0, 1, 2, 3, 4, 5], [2, 3, 4, 5, 6, 7]]
    assert np.shares_memory(windows(table, 3), table)
    assert np.shares_memory(flat_windows(table, 3), table)


def test_a_division_by_hand():
    """Six, three and two rows, two of history and one of target: windows 0-3, 4-6 and 7-8."""
    division = Division(6, 3, 2, lookback=2, horizon=1)
    parts = [division.part(name) for name in ("train", "validation", "test")]
    assert [(part.start, part.stop) for part in parts] == [(0, 4), (4, 7), (7, 9)]
    assert division.count == 9
    assert division.several("train", "test").tolist() == [0, 1, 2, 3, 7, 8]
    assert division.within("test").tolist() == [False] * 7 + [True] * 2


CELLS = [
    ("ETTh1", "96", "iTransformer", "96", 0.386, 0.405),
    ("ETTh1", "720", "Crossformer", "96", 0.653, 0.621),
    ("ETTh2", "336", "TiDE", "96", 0.643, 0.571),
    ("ETTm2", "720", "Crossformer", "96", 1.730, 1.042),
    ("ETTm2", "average", "S-Mamba", "96", 0.288, 0.332),
    ("ETTm1", "192", "S-Mamba", "96", 0.376, 0.390),
    ("ETTh2", "average", "TimeMixer", "96", 0.364, 0.395),
    ("ETTh1", "average", "TimeXer", "96", 0.437, 0.437),
    ("ETTh1", "average", "TimeMixer", "searched", 0.411, 0.423),
    ("ETTh1", "96", "DLinear", "336", 0.375, 0.399),
    ("ETTm2", "336", "PatchTST/64", "512", 0.274, 0.329),
    ("ETTm1", "720", "Repeat last value", "1 (the last value)", 1.319, 0.729),
    ("ETTh2", "720", "LSTnet", "not stated (chosen per model)", 4.625, 3.709),
    ("ETTm1", "288", "S4", "not stated (chosen per model)", 0.824, 0.674),
    ("ETTh2", "average", "VisionTS (zero-shot)", "not stated", 0.333, 0.375),
]


@pytest.mark.parametrize(("data", "horizon", "method", "lookback", "mse", "mae"), CELLS)
def test_published_numbers_are_those_published(data, horizon, method, lookback, mse, mae):
    """Cells from every part of the tables, with their look-back, in the protocol too."""
    table = ett_published().query("data == @data and horizon == @horizon and method == @method")
    table = table[(table["lookback"] == lookback) & ~table["protocol"].str.contains("OT alone")]
    assert dict(zip(table["metric"], table["value"], strict=True)) == {"mse": mse, "mae": mae}
    assert table["protocol"].str.contains(f"{data}, look-back {lookback}", regex=False).all()


def test_published_averages_are_the_means_of_their_horizons():
    """Of the table at look-back 96: ten methods, four sets, both metrics, within the rounding of three decimals.

    One published average is off by more, RLinear's MAE on ETTm1 (.407, its horizons give .408).
    """
    table = ett_published().query("lookback == '96' and method not in ('TimeMixer', 'TimeXer')")
    wide = table.pivot_table(index=["data", "method", "metric"], columns="horizon", values="value")
    assert wide.shape == (80, 5)
    gap = (wide[["96", "192", "336", "720"]].mean(axis=1) - wide["average"]).abs()
    assert gap[gap > 0.00076].index.tolist() == [("ETTm1", "RLinear", "mae")]
    assert gap.max() < 0.0013


def test_every_published_number_says_its_look_back_and_protocol():
    """All of them: 400 + 128 + 180 + 30 in tables of four sources, and 20 single ones."""
    table = ett_published()
    assert len(table) == 20 * 10 * 2 + 16 * 5 * 2 + 15 * 6 * 2 + 15 * 2 + 8 + 2 + 2 + 3 + 3
    assert table["protocol"].str.contains("look-back").all()
    assert not table.duplicated(["method", "metric", "protocol"]).any()
    assert table["value"].between(0.02, 6).all()
    words = ("Source:", "CC BY-ND 4.0", "AAAI 2021", "swapped", "12 training, 4 validation, 4 test")
    assert all(word in ett.DESCR for word in words)
