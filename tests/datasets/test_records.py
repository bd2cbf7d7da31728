"""Heartbeats beside what is usual in their record."""

import numpy as np
import pytest

from plait.data.modalities import Modalities
from plait.datasets import relative_to_record
from plait.datasets._beats import standardised
from plait.datasets._records import RELATIVE_COLUMNS

TWO_RECORDS = np.repeat(np.array([1, 2]), 4)
SLOW = np.array([[1.0, 1.0, 1.0, 1.0], [0.5, 1.5, 1.0, 1.0], [1.5, 100.0, 1.0, 1.0], [1.0, 1.0, 1.0, 1.0]], np.float32)


def beats(leads=None, intervals=None):
    """Eight beats of two records."""
    leads = np.tile(np.array([0, 100, 0, -100]), (8, 1)) if leads is None else leads
    intervals = np.concatenate([SLOW, SLOW * 0.6]) if intervals is None else intervals
    return Modalities({"lead": leads[..., None].astype(np.float32), "rr": intervals.astype(np.float32)})


def hole(values):
    """One value of row 3 is missing."""
    values[3, 1] = np.nan
    return values


def test_intervals_are_relative_to_what_is_usual_and_to_late_beats():
    """An early beat has the same numbers at any heart rate; logarithms end at log 5; ends of a record are their own."""
    made = relative_to_record(beats(), TWO_RECORDS)
    found = made["rr"]
    assert made.columns["rr"] == RELATIVE_COLUMNS
    assert found[:4] == pytest.approx(found[4:], abs=1e-6)
    named = dict(zip(RELATIVE_COLUMNS, found[1].tolist(), strict=True))
    late = 1.0 + 0.25 * 0.5  # upper quartile of .5, 1, 1, 1.5
    expected = {"previous/usual": 0.5, "previous/late": 0.5 / late, "next/previous": 3, "before/usual": 1}
    expected |= {"before/late": 1 / late, "after/usual": 5, "after/late": 5, "local/late": 1 / late, "next/local": 1.5}
    for name, ratio in expected.items():
        assert named[f"log {name}"] == pytest.approx(np.log(ratio), abs=1e-6)
    assert found[4, RELATIVE_COLUMNS.index("log before/usual")] == pytest.approx(0)
    assert found.max() == pytest.approx(np.log(5))


def test_irregularity_is_the_size_of_changes_around_a_beat():
    """By hand over the whole of two short records; a steady record has none; an alternating one has it everywhere."""
    found = relative_to_record(beats(), TWO_RECORDS)["rr"][:, -3:]
    changes = np.abs(np.log([1, 0.5, 1.5 / 0.5, 1 / 1.5]))
    assert found == pytest.approx(np.tile([changes.mean(), np.median(changes), changes.mean()], (8, 1)), abs=1e-6)
    long = np.ones((200, 4), np.float32)
    long[100::2, 0] = 2.0
    data = Modalities({"rr": long})
    found = relative_to_record(data, np.repeat([1, 2], 100))["rr"][:, -3:]
    assert found[:100] == pytest.approx(0)
    assert found[106:194, 0] == pytest.approx(np.log(2))
    assert found[100:, 1] == pytest.approx(np.log(2))


def test_a_beat_is_told_apart_from_the_median_beat_of_its_record():
    """Usual beats deviate by nothing, in any unit; another one does by as many standard deviations, cut at 6."""
    usual = np.tile(np.array([0, 100, 0, -100]), (4, 1))
    other = usual.copy()
    other[3] = [0, 100, 100, 1e6]
    found = relative_to_record(beats(np.concatenate([usual, 3 * other])), TWO_RECORDS)["lead"]
    assert found[..., :1] == pytest.approx(standardised(np.concatenate([usual, 3 * other])))
    assert found[:7, :, 1] == pytest.approx(np.zeros((7, 4)))
    assert found[7, :, 1] == pytest.approx([0, 0, 100 / np.std(usual[0]), 6])


def test_late_beats_are_normal_where_odd_ones_are_the_rule():
    """Of four beats three are early and odd: the median beat is odd, the late one is not."""
    intervals = np.ones((8, 4), np.float32)
    intervals[[0, 1, 2, 4, 5, 6], 0] = 0.5
    normal, odd = np.array([0, 100, 0, -100]), np.array([0, 100, 100, -100])
    leads = np.tile(np.stack([odd, odd, odd, normal]), (2, 1))
    found = relative_to_record(beats(leads, intervals), TWO_RECORDS)["lead"]
    assert found[0, :, 1] == pytest.approx(np.zeros(4))
    assert found[3, 2, 1] < 0
    assert found[3, :, 2] == pytest.approx(np.zeros(4))
    assert found[0, 2, 2] > 0


def test_reference_beats_alone_say_what_is_usual():
    """Others are measured by them: a record thinned to its odd beats calls the normal ones odd."""
    reference = np.array([True, True, False, True] * 2)
    changed = np.concatenate([SLOW, SLOW * 0.6])
    changed[[2, 6], 0] = 77.0  # an interval that nobody asks
    plain, other = (
        relative_to_record(beats(intervals=given), TWO_RECORDS, reference)["rr"]
        for given in (np.concatenate([SLOW, SLOW * 0.6]), changed)
    )
    column = RELATIVE_COLUMNS.index("log previous/usual")
    assert plain[[0, 1, 3, 4, 5, 7], column] == pytest.approx(other[[0, 1, 3, 4, 5, 7], column])
    assert other[2, column] == pytest.approx(np.log(5))


def test_everything_else_is_as_it_was():
    """Images and vectors of beats, and names of samples."""
    data = Modalities({**beats(), "sex": np.arange(16.0).reshape(8, 2)}, ids=[f"b{row}" for row in range(8)])
    made = relative_to_record(data, TWO_RECORDS)
    assert made.names == data.names
    assert made.ids.tolist() == data.ids.tolist()
    np.testing.assert_array_equal(made["sex"], data["sex"])


@pytest.mark.parametrize(
    ("data", "records", "reference", "message"),
    [
        (beats().select(["lead"]), TWO_RECORDS, None, "need a modality 'rr' of 4 columns"),
        (beats(intervals=np.ones((8, 9))), TWO_RECORDS, None, "need a modality 'rr' of 4 columns"),
        (beats(), TWO_RECORDS[:5], None, "records has 5 entries for 8 beats"),
        (beats(), TWO_RECORDS, np.ones(3, bool), "reference has 3 entries for 8 beats"),
        (beats(), TWO_RECORDS, TWO_RECORDS == 2, "Record 1 has no reference beat"),
        (beats(), TWO_RECORDS, np.arange(8), "reference must be booleans"),
        (
            beats(intervals=np.where(np.arange(8)[:, None] == 3, np.nan, 1.0) * np.array([1, 1, 1, 1.0])),
            TWO_RECORDS,
            None,
            "'rr' is absent in row 3",
        ),
        (beats(intervals=hole(np.ones((8, 4)))), TWO_RECORDS, None, "'rr' holds NaN or infinity in row 3"),
        (beats(leads=hole(np.ones((8, 4)))), TWO_RECORDS, None, "'lead' holds NaN or infinity in row 3"),
        (
            beats(intervals=np.ones((8, 4)) * (np.arange(8) != 5)[:, None]),
            TWO_RECORDS,
            None,
            "row 5 of 'rr' is not above 0",
        ),
        (
            Modalities(dict(beats().items()), present=np.array([[True, True]] * 5 + [[False, True]] * 3)),
            TWO_RECORDS,
            None,
            "'lead' is absent in row 5",
        ),
    ],
)
def test_what_is_missing_is_told(data, records, reference, message):
    """Each error names the modality, record or argument."""
    with pytest.raises(ValueError, match=message):
        relative_to_record(data, records, reference)
