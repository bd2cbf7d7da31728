"""Tables of a reproduction: means, intervals, differences over the same seeds, and other people's numbers."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from tiny_study import NUMBERS, Tiny

from plait.reproduce.outcome import Outcome
from plait.reproduce.running import reproduce
from plait.reproduce.tables import ONE_SEED, spread_of


@pytest.fixture
def outcome(tmp_path: Path) -> Outcome:
    return reproduce(Tiny().study(), tmp_path, verbose=0)


def of(frame: pd.DataFrame, **values: object) -> pd.Series:
    """The one row with these values."""
    rows = frame[np.logical_and.reduce([frame[name] == value for name, value in values.items()])]
    assert len(rows) == 1
    return rows.iloc[0]


def test_intervals_are_those_of_scipy() -> None:
    """Of the t test of one sample."""
    values = np.random.default_rng(0).normal(size=7)
    spread = spread_of(values)
    expected = stats.ttest_1samp(values, 0).confidence_interval()
    assert (spread.low, spread.high) == pytest.approx((expected.low, expected.high), rel=1e-12)
    assert (spread.mean, spread.sd, spread.count) == pytest.approx((values.mean(), values.std(ddof=1), 7))


def test_an_interval_by_hand() -> None:
    """1, 2, 6: mean 3, sd sqrt(7); t of 2 degrees of freedom at 97.5 % is 4.302653; NaN does not count."""
    spread = spread_of(np.array([1.0, 2.0, np.nan, 6.0]))
    assert spread.low == pytest.approx(3 - 4.302653 * np.sqrt(7 / 3), abs=1e-5)
    assert spread.high == pytest.approx(3 + 4.302653 * np.sqrt(7 / 3), abs=1e-5)


@pytest.mark.parametrize(("values", "mean", "count"), [([2.0], 2.0, 1), ([], np.nan, 0)])
def test_one_number_has_no_spread(values: list[float], mean: float, count: int) -> None:
    """Neither deviation nor interval."""
    spread = spread_of(np.array(values))
    assert spread.mean == pytest.approx(mean, nan_ok=True)
    assert spread.count == count
    assert np.isnan([spread.sd, spread.low, spread.high]).all()


def test_equal_numbers_have_an_interval_of_no_length() -> None:
    """And no division by zero."""
    spread = spread_of(np.array([2.0, 2.0]))
    assert (spread.sd, spread.low, spread.high) == (0.0, 2.0, 2.0)


def test_the_summary_is_of_the_seeds(outcome: Outcome) -> None:
    """Mean, deviation and number, with the labels in every row; numbers that are NaN throughout are left out."""
    row = of(outcome.summary, kind="here", group="a", method="new", metric="error")
    assert (row["mean"], row["seeds"]) == (3.0, 3)
    assert row["sd"] == pytest.approx(np.sqrt(7))
    assert of(outcome.summary, kind="here", group="b", metric="error")["seeds"] == 1
    ours = outcome.summary[outcome.summary["kind"] == "here"]
    assert set(ours["metric"]) == {"error"}
    assert (ours["lookback"] == 96).all()
    assert (ours["protocol"] == "ours").all()


def test_public_numbers_keep_their_labels_and_say_whose_they_are(outcome: Outcome) -> None:
    """Marked, with source, look-back and protocol of their own, their deviation, and no seeds of ours."""
    row = of(outcome.summary, kind="published", metric="error")
    assert (row["method"], row["mean"], row["sd"]) == ("theirs", 0.5, 0.01)
    assert (row["lookback"], row["protocol"], row["source"]) == ("336", "their protocol", "a table | of theirs")
    assert pd.isna(row["seeds"])


def test_differences_are_taken_seed_by_seed(outcome: Outcome) -> None:
    """1-2, 2-4, 6-5: mean -2/3, whatever the arms' own spread; arms without a run are passed over."""
    differences = outcome.differences
    assert len(differences) == 1
    row = differences.iloc[0]
    expected = stats.ttest_rel([1.0, 2.0, 6.0], [2.0, 4.0, 5.0]).confidence_interval()
    assert row["difference"] == pytest.approx(-2 / 3)
    assert (row["low"], row["high"]) == pytest.approx((expected.low, expected.high))
    assert (row["group"], row["minus"], row["seeds"], row["reading"]) == ("a", "a/x/old", 3, "not told apart")


def test_seeds_that_one_arm_lacks_do_not_count(tmp_path: Path) -> None:
    """Neither in the difference nor in the number of seeds."""
    tiny = Tiny(numbers={**NUMBERS, "a/x/old": {3: 5.0, 2: 4.0, 9: 100.0}})
    row = reproduce(tiny.study(), tmp_path, verbose=0).differences.iloc[0]
    assert (row["difference"], row["seeds"]) == (pytest.approx((2 - 4 + 6 - 5) / 2), 2)


def test_a_metric_that_an_arm_does_not_have_is_left_out(tmp_path: Path) -> None:
    """Of groups with metrics of their own: no difference of nothing, and no error where no run has the first one."""
    tiny, metrics = Tiny(), {"accuracy": "higher", "undefined": "lower", "error": "lower"}
    found = reproduce(replace(tiny.study(), metrics=metrics), tmp_path, verbose=0)
    assert found.differences["metric"].tolist() == ["error"]
    assert found.errors == {}


def test_one_common_seed_has_a_difference_and_no_interval(tmp_path: Path) -> None:
    """And says so; no common seed has neither."""
    one = reproduce(Tiny().study(), tmp_path, ["*/2"], verbose=0)
    row = one.differences.iloc[0]
    assert (row["difference"], row["reading"]) == (-2.0, ONE_SEED)
    assert np.isnan(row["low"])
    assert ONE_SEED in (tmp_path / "summary.md").read_text()
    none = reproduce(Tiny(settings={}).study(), tmp_path, ["a/x/new/1", "a/x/old/2"], verbose=0)
    assert none.differences.empty


@pytest.mark.parametrize(
    ("old", "reading"), [({1: 2.0, 2: 3.1, 3: 7.0}, "better"), ({1: 0.0, 2: 1.1, 3: 5.0}, "worse")]
)
def test_the_reading_knows_that_errors_should_be_small(tmp_path: Path, old: dict[int, float], reading: str) -> None:
    """An interval below 0 is better."""
    tiny = Tiny(numbers={**NUMBERS, "a/x/old": old})
    assert reproduce(tiny.study(), tmp_path, verbose=0).differences.iloc[0]["reading"] == reading


def test_files_hold_what_the_tables_say(outcome: Outcome, tmp_path: Path) -> None:
    """CSV of every table, of the runs' own tables too; the page has ours beside theirs."""
    assert pd.read_csv(tmp_path / "results.csv")["run"].tolist() == outcome.results["run"].tolist()
    assert len(pd.read_csv(tmp_path / "summary.csv")) == len(outcome.summary)
    assert pd.read_csv(tmp_path / "differences.csv")["difference"].tolist() == pytest.approx([-2 / 3])
    cells = pd.read_csv(tmp_path / "counts.csv")
    assert len(cells) == 4 * len(outcome.stored)
    assert of(cells, run="a/x/new/3", row="S", column="S")["value"] == 3
    assert not list(tmp_path.glob("*.svg"))
    page = (tmp_path / "summary.md").read_text()
    assert "No number of the paper is claimed." in page
    assert "| here | 96 | new | ours | 3.0000 ± 2.6458 | 3 |" in page
    assert "| published: a table \\| of theirs | 336 | theirs | their protocol | 0.5000 ± 0.0100 |  |" in page
    assert "| theirs | other | 0.2500 | their protocol | a table \\| of theirs |" in page
    assert "| a/x/new | a/x/old | error | -0.6667 | [-4.4612, +3.1279] not told apart | 3 |" in page


def test_a_confusion_has_a_picture_of_every_arm(tmp_path: Path) -> None:
    """The mean over its seeds: 1, 2, 3 make 2."""
    reproduce(Tiny(table="confusion").study(), tmp_path, ["a/x/new/*"], verbose=0)
    assert [one.name for one in tmp_path.glob("*.svg")] == ["confusion-a_x_new.svg"]
    drawn = (tmp_path / "confusion-a_x_new.svg").read_text()
    assert ">2</text>" in drawn
    assert len(pd.read_csv(tmp_path / "confusion.csv")) == 3 * 4


def test_runs_of_several_states_of_the_code_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In development a version may have several."""
    reproduce(Tiny().study(), tmp_path, ["b/*"], verbose=0)
    assert "states of the code" not in (tmp_path / "summary.md").read_text()
    monkeypatch.setattr("plait.reproduce.store.code_version", lambda: "another")
    reproduce(Tiny().study(), tmp_path, verbose=0)
    assert "The runs come from 2 states of the code" in (tmp_path / "summary.md").read_text()


def test_everything_is_there_for_programs(outcome: Outcome) -> None:
    """Name, runs, summary, differences, published, settings."""
    told = outcome.to_json()
    assert told["name"] == "tiny/study"
    assert [row["run"] for row in told["runs"]] == outcome.results["run"].tolist()
    assert {row["kind"] for row in told["summary"]} == {"here"}
    assert [row["metric"] for row in told["published"]] == ["error", "other"]
    assert told["differences"][0]["minus"] == "a/x/old"
    assert told["settings"] == {"epochs": 3, "sizes": (1, 2)}
