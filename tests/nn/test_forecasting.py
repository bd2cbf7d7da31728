"""A network of one channel forecasts all channels of a series."""

import numpy as np
import pytest
import torch
from forecast_windows import SMALL, holed, windows

from plait import Forecast, FusionClassifier, FusionRegressor, GatedFusion, LateFusion, Trainer, load, save
from plait.data.batches import Batch
from plait.data.spec import DataSpec
from plait.nn.criteria import SquaredError
from plait.nn.forecasting import ForecastCopies, one_channel

SHAPES = {"series": (6, 3), "calendar": (4,), "image": (3, 5, 5)}
HORIZON = 2


def forecasting(normalise="window", folds=1):
    """A fresh network in double precision, samples, and who is present."""
    forecast = Forecast(channelwise=("image",), normalise=normalise)
    spec = DataSpec(SHAPES, HORIZON * 3, "regression", folds=folds, forecast=forecast)
    net = SMALL.build(spec).double().eval()
    draw = torch.Generator().manual_seed(1)
    features = {
        name: torch.randn(5, *shape, generator=draw, dtype=torch.float64) * 2 + 1 for name, shape in SHAPES.items()
    }
    return net, features, torch.ones(5, 3, dtype=torch.bool)


def test_every_channel_is_forecast_by_itself():
    """As the network of one channel does with this channel's window and picture, brought back to its level."""
    net, features, present = forecasting()
    found = net(features, present).reshape(5, HORIZON, 3)
    for channel in range(3):
        window = features["series"][:, :, channel]
        mean, sd = window.mean(1, keepdim=True), (window.var(1, correction=0, keepdim=True) + 1e-5).sqrt()
        one = {
            "series/identity": (window - mean) / sd,
            "calendar/identity": features["calendar"],
            "image/identity": features["image"][:, channel].flatten(1),
        }
        torch.testing.assert_close(found[:, :, channel], net.net.inner(one, present)[0] * sd + mean)


@pytest.mark.parametrize("normalise", ["window", "last"])
def test_a_forecast_follows_the_level_of_its_window(normalise):
    """Another level of a channel moves its forecast as much, and no other channel's."""
    net, features, present = forecasting(normalise)
    before = net(features, present).reshape(5, HORIZON, 3)
    features["series"][:, :, 1] += 7
    after = net(features, present).reshape(5, HORIZON, 3)
    torch.testing.assert_close(after[:, :, 1], before[:, :, 1] + 7)
    torch.testing.assert_close(after[:, :, ::2], before[:, :, ::2], rtol=0, atol=0)


def test_a_forecast_follows_the_scale_of_its_window():
    """A window times ten is forecast ten times as large (up to what guards a constant window)."""
    net, features, present = forecasting()
    before = net(features, present)
    features["series"] *= 10
    torch.testing.assert_close(net(features, present), before * 10, rtol=1e-3, atol=1e-3)


def test_windows_may_stay_as_they_are():
    """With "none" the level does change what the network sees."""
    net, features, present = forecasting("none")
    before = net(features, present)
    features["series"] += 7
    assert (net(features, present) - before - 7).abs().max() > 0.1


def test_the_objective_is_the_error_in_the_units_of_the_target():
    """The mean squared error of the forecasts, for every fold on its own samples."""
    net, features, present = forecasting(folds=2)
    target, fold = torch.randn(5, 6, dtype=torch.float64), torch.tensor([0, 1, 0, 1, 1])
    read = net.representations(features, present)
    outputs = net.net(read, present)
    losses = net.net.objective(Batch(read, present, target, fold), SquaredError())
    for unit in range(2):
        expected = (outputs[unit] - target)[fold != unit].square().mean()
        torch.testing.assert_close(losses[unit], expected)


def test_a_constant_window_is_forecast_near_its_value():
    """Nothing is divided by zero."""
    net, features, present = forecasting()
    features["series"][:] = 4.0
    assert (net(features, present) - 4).abs().max() < 0.05


def test_an_absent_series_is_forecast_from_the_others():
    """Around zero, with finite values, whatever the series held."""
    net, features, present = forecasting()
    present[:, 0] = False
    before = net(features, present)
    features["series"] *= 1e3
    assert torch.equal(net(features, present), before)
    assert before.isfinite().all()


def fitted(**settings):
    """A short fit."""
    trainer = Trainer(epochs=60, learning_rate=0.01, batch_size=16, patience=None, weight_decay=0.0)
    model = FusionRegressor(
        GatedFusion(width=16, hidden=(), encoder_hidden=(), dropout=0.0),
        scaling="none",
        target_scaling="none",
        trainer=trainer,
        random_state=0,
        validation=0.2,
        **settings,
    )
    X, y = windows()
    return model.fit(X, y)


@pytest.fixture(scope="module")
def learned():
    """A short fit of a forecast, once."""
    return fitted(forecast=Forecast())


def test_windows_of_any_level_are_learned(learned):
    """A linear network on normalised windows forecasts sines; without that their levels are in the way."""
    X, y = windows(seed=1)
    errors = [np.mean((model.predict(X) - y) ** 2) for model in (learned, fitted())]
    assert errors[0] < 0.05
    assert errors[0] < errors[1] / 2


def test_units_of_the_channels_do_not_matter():
    """Scaled by channel, series and target alike: a channel in thousandths is forecast in thousandths."""
    X, y = windows()
    factor = np.array([1.0, 1000.0])
    models = []
    for unit in (1.0, factor):
        trainer = Trainer(epochs=2, batch_size=16)
        model = FusionRegressor(SMALL, forecast=Forecast(), trainer=trainer, random_state=0, validation=0.2)
        models.append(model.fit({"series": X["series"] * unit}, (y.reshape(60, -1, 2) * unit).reshape(60, -1)))
    plain = models[0].predict(X).reshape(60, -1, 2) * factor
    scaled = models[1].predict({"series": X["series"] * factor}).reshape(60, -1, 2)
    np.testing.assert_allclose(scaled, plain, rtol=1e-3, atol=1e-2)


def test_a_missing_step_hardly_changes_a_forecast(learned):
    """The error on smooth windows stays below twice that without holes."""
    X, y = windows(seed=1)
    errors = [np.mean((learned.predict(new) - y) ** 2) for new in (X, holed(X, 0.02))]
    assert errors[1] < 2 * errors[0]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("load", r"forecast must be a Forecast or None, got 'load'\. Pass forecast=Forecast\('load'\)\."),
        (Forecast, r"forecast must be a Forecast or None, got <class .*\. Pass forecast=Forecast\('series'\)\."),
    ],
)
def test_a_forecast_is_a_forecast(given, message):
    """The name of a series alone is refused, with what to pass."""
    with pytest.raises(TypeError, match=message):
        FusionRegressor(SMALL).set_params(forecast=given).fit(*windows())


def test_series_and_target_have_the_same_units():
    """One scaled and one not is refused."""
    X, y = windows()
    with pytest.raises(ValueError, match="scaling='standard' and target_scaling='none' must be alike"):
        FusionRegressor(SMALL, forecast=Forecast(), target_scaling="none").fit(X, y)


def test_a_forecast_is_saved_and_loaded(tmp_path):
    """With the same predictions, and its settings in words."""
    model, (X, _) = fitted(forecast=Forecast(normalise="last")), windows(seed=2)
    again = load(save(model, tmp_path / "model"))
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    assert again.forecast == Forecast(normalise="last")
    assert again.spec_ == model.spec_


@pytest.mark.parametrize(
    ("forecast", "message"),
    [
        (Forecast("audio"), "names the modality 'audio'; the modalities are 'series'"),
        (Forecast("calendar"), r"'calendar' must have samples of shape \(time, channel\), has \(4,\)"),
        (Forecast(channelwise=("calendar",)), r"'calendar' is channelwise, but its samples of shape \(4,\) have 0"),
        (Forecast(channelwise=("series",)), "channelwise by itself"),
        (Forecast().set_params(channelwise="image"), "channelwise of the forecast must be a list of words"),
        (Forecast().set_params(normalise="mean"), "normalise of the forecast must be one of 'window', 'last', 'none'"),
    ],
)
def test_a_forecast_that_does_not_fit_is_refused(forecast, message):
    """By name, before anything is trained."""
    with pytest.raises(ValueError, match=message):
        DataSpec(SHAPES, 6, "regression", forecast=forecast)


def test_targets_must_be_horizon_times_channels():
    """Seven columns are no multiple of three channels."""
    with pytest.raises(ValueError, match=r"7 columns cannot be divided among the 3 channels of 'series'"):
        DataSpec(SHAPES, 7, "regression", forecast=Forecast())


def test_only_regressions_and_networks_forecast():
    """Others say what to use."""
    with pytest.raises(ValueError, match="use FusionRegressor"):
        DataSpec(SHAPES, 6, "classification", forecast=Forecast())
    X, y = windows()
    with pytest.raises(ValueError, match=r"LateFusion cannot forecast channel by channel. .*StepFusion"):
        FusionRegressor(LateFusion(), forecast=Forecast()).fit(X, y)
    assert not hasattr(FusionClassifier(), "forecast") or FusionClassifier().forecast is None


def test_the_network_of_one_channel_sees_one_channel():
    """Shapes and outputs of one channel; what is not channelwise stays whole."""
    forecast = Forecast(channelwise=("image",))
    one = one_channel(DataSpec(SHAPES, 6, "regression", forecast=forecast))
    assert one.shapes == {"series": (6, 1), "calendar": (4,), "image": (1, 5, 5)}
    assert (one.outputs, one.forecast) == (2, None)
    assert isinstance(
        SMALL.copies(DataSpec(SHAPES, 6, "regression", forecast=forecast), torch.Generator()), ForecastCopies
    )
