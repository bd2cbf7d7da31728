"""Missing steps of a series that is forecast are interpolated, not imputed."""

import numpy as np
import pytest
from forecast_windows import SMALL, holed, ramps, windows

from plait import Forecast, FusionRegressor, Trainer, load, save


def quick(scaling="standard", epochs=1, **settings):
    """A regressor that learns in no time."""
    trainer = Trainer(epochs=epochs, learning_rate=0.01, batch_size=16, patience=None)
    return FusionRegressor(
        SMALL, scaling=scaling, target_scaling=scaling, trainer=trainer, random_state=0, validation=0, **settings
    )


@pytest.mark.parametrize("scaling", ["standard", "none"])
@pytest.mark.parametrize("normalise", ["window", "last", "none"])
def test_missing_steps_of_lines_change_nothing(scaling, normalise):
    """They are interpolated within window and channel before all else, in fit and in predict, if channelwise too."""
    X, y = ramps()
    lines = holed(X, names=("series", "other"))
    model = quick(scaling, forecast=Forecast(channelwise=("other",), normalise=normalise))
    full = model.fit(X, y).predict(X)
    np.testing.assert_allclose(model.predict(lines), full, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(model.fit(lines, y).predict(X), full, rtol=1e-3, atol=1e-3)
    assert np.isnan(lines["series"]).any()


def test_an_end_that_is_missing_is_the_nearest_value():
    """Before the first known step and after the last; other samples and channels do not notice."""
    X, y = windows()
    model = quick(forecast=Forecast()).fit(X, y)
    ends, nearest = X["series"].copy(), X["series"].copy()
    ends[3, [0, 10, 11], 1] = np.nan
    nearest[3, 0, 1], nearest[3, 10:, 1] = nearest[3, 1, 1], nearest[3, 9, 1]
    found = model.predict({"series": ends})
    np.testing.assert_array_equal(found, model.predict({"series": nearest}))
    np.testing.assert_array_equal(np.delete(found, 3, 0), np.delete(model.predict(X), 3, 0))


@pytest.mark.parametrize("normalise", ["window", "last"])
def test_a_forecast_with_a_hole_follows_its_level(normalise):
    """Windows of any level, with holes of their own, are forecast as much higher as they are; 1000 stays 1000."""
    X, y = windows()
    model = quick("none", forecast=Forecast(normalise=normalise)).fit(X, y)
    series = holed(X)["series"]
    low, high = model.predict({"series": series}), model.predict({"series": series + 1000})
    np.testing.assert_allclose(high, low + 1000, rtol=1e-9, atol=1e-6)
    assert np.abs(high - 1000).max() < 50


@pytest.mark.parametrize("scaling", ["standard", "none"])
def test_a_window_without_a_value_stands_at_the_training_mean(scaling):
    """Its channel is forecast near the mean of the channel; other channels and samples do not notice."""
    X, y = windows()
    model = quick(scaling, forecast=Forecast()).fit(X, y)
    series = X["series"].copy()
    series[3, :, 1] = np.nan
    found, full = (model.predict({"series": values}).reshape(60, -1, 2) for values in (series, X["series"]))
    np.testing.assert_allclose(found[3, :, 1], X["series"][..., 1].mean(), atol=0.1)
    found[3, :, 1] = full[3, :, 1]
    np.testing.assert_array_equal(found, full)


def test_gaps_of_other_modalities_are_training_means():
    """A series that is not channelwise is imputed step by step, as without a forecast."""
    X, y = ramps()
    model = quick(forecast=Forecast()).fit(X, y)
    other, filled = X["other"].copy(), X["other"].copy()
    other[3, 5, 1], filled[3, 5, 1] = np.nan, X["other"][:, 5, 1].mean()
    found = model.predict({**X, "other": other})
    np.testing.assert_allclose(found, model.predict({**X, "other": filled}), rtol=1e-9, atol=1e-9)


def test_gaps_are_filled_again_after_loading(tmp_path):
    """And score reads them as predict does."""
    X, y = windows()
    model = quick(forecast=Forecast()).fit(X, y)
    again = load(save(model, tmp_path / "model"))
    np.testing.assert_array_equal(again.predict(holed(X)), model.predict(holed(X)))
    assert again.score(holed(X), y) == model.score(holed(X), y)


def test_missing_steps_leave_absent_series_absent():
    """A sample without the series is forecast as before; nothing is interpolated from nothing."""
    X, y = ramps()
    series = X["series"].copy()
    series[[2, 7]] = np.nan
    model = quick(forecast=Forecast()).fit({**X, "series": series}, y)
    alone = model.predict({"series": None, "other": X["other"]})
    np.testing.assert_allclose(model.predict({**X, "series": series})[[2, 7]], alone[[2, 7]], rtol=1e-9, atol=1e-9)
