"""Missing steps are the line between their neighbours."""

import numpy as np
import pytest

from plait.data.gaps import fill_gaps, without_empty

NAN = np.nan


def ramps(samples: int = 5) -> np.ndarray:
    """Lines of two channels, of level 1000 and slope by sample."""
    steps = np.arange(12.0)[:, None] * np.array([1.0, -3.0])
    return np.asarray(1000 + np.arange(1, samples + 1)[:, None, None] * steps)


@pytest.mark.parametrize("share", [0.02, 0.5])
def test_a_line_with_holes_is_restored(share: float) -> None:
    """Exactly, wherever the holes are between two known steps."""
    full = ramps()
    holed = np.where(np.random.default_rng(0).random(full.shape) < share, NAN, full)
    holed[:, [0, -1]] = full[:, [0, -1]]
    np.testing.assert_allclose(fill_gaps(holed), full, rtol=1e-14)


def test_what_is_known_stays_and_the_input_too() -> None:
    """Bit for bit; a copy is filled."""
    holed = ramps()
    holed[1, 4:7, 0] = NAN
    before, filled = holed.copy(), fill_gaps(holed)
    np.testing.assert_array_equal(filled[~np.isnan(before)], before[~np.isnan(before)])
    np.testing.assert_array_equal(holed, before)


def test_a_channel_without_a_value_stays_missing() -> None:
    """Its neighbours say nothing of it, neither channels nor samples; they are filled all the same."""
    holed = ramps()
    holed[0], holed[2, :, 1], holed[2, 3, 0] = NAN, NAN, NAN
    filled = fill_gaps(holed)
    assert np.isnan(filled[0]).all()
    assert np.isnan(filled[2, :, 1]).all()
    np.testing.assert_allclose(filled[2, :, 0], ramps()[2, :, 0])
    np.testing.assert_array_equal(without_empty(holed), [False, True, False, True, True])
