"""What holds of every transform alike: shapes, types, limits, and that series do not influence each other."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone

from plait.transforms import (
    GramianAngularField,
    MarkovTransitionField,
    PeriodicFold,
    RecurrencePlot,
    dominant_period,
    gadf,
    gasf,
    mtf,
    periodic_fold,
    piecewise_aggregate,
    recurrence,
    transition_matrix,
    windows,
)

SERIES = np.random.default_rng(0).normal(size=(9, 20, 3)).cumsum(axis=1)
SQUARES = {"gasf": gasf, "gadf": gadf, "mtf": mtf, "recurrence": recurrence}
FUNCTIONS = {
    **SQUARES,
    "paa": piecewise_aggregate,
    "markov": lambda series, size=None: transition_matrix(series),
    "fold": lambda series, size=5: periodic_fold(series, size or 5),
}
TRANSFORMERS = {
    "sum": GramianAngularField(size=6),
    "difference": GramianAngularField("difference", size=6, low=0.0),
    "markov": MarkovTransitionField(size=6, bins=4),
    "recurrence": RecurrencePlot(size=6, embedding=2),
    "fold": PeriodicFold(),
}
each_square = pytest.mark.parametrize("function", SQUARES.values(), ids=SQUARES)
each = pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
each_transformer = pytest.mark.parametrize("transformer", TRANSFORMERS.values(), ids=TRANSFORMERS)


@each_square
@pytest.mark.parametrize("size", [1, 6, 7, 20, None])
def test_images_are_channels_first_and_of_the_size_asked_for(function, size):
    """(sample, time, channel) becomes (sample, channel, size, size), whether or not the size divides the length."""
    edge = size or 20
    assert function(SERIES, size).shape == (9, 3, edge, edge)
    assert function(SERIES[:, :, 0], size).shape == (9, 1, edge, edge)


@each
def test_each_channel_is_an_image_of_its_own(function):
    """The image of channel c is that of the series of channel c alone."""
    images = function(SERIES, 6)
    for channel in range(3):
        np.testing.assert_array_equal(images[:, channel], function(SERIES[:, :, channel], 6)[:, 0])


@each
@pytest.mark.parametrize("chunk", [1, 2**18])
def test_series_do_not_influence_each_other(function, chunk, monkeypatch):
    """Another order, other neighbours and other chunks give the same images, bit by bit."""
    images = function(SERIES, 6)
    monkeypatch.setattr(windows, "CHUNK", chunk)
    order = np.random.default_rng(1).permutation(9)
    np.testing.assert_array_equal(function(SERIES[order], 6), images[order])
    np.testing.assert_array_equal(function(SERIES[4:5], 6), images[4:5])


@each
def test_single_precision_stays_and_agrees_with_double(function):
    """float32 in, float32 out, near the result in double precision; integers and lists become float64."""
    single = function(SERIES.astype(np.float32), 6)
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, function(SERIES, 6), atol=2e-3)
    whole = np.round(SERIES[:, :, 0]).astype(np.int16)
    assert function(whole, 6).dtype == np.float64
    np.testing.assert_array_equal(function(whole.tolist(), 6), function(whole, 6))


@each
def test_the_series_given_is_not_changed(function):
    """Nothing is written into the array of the caller."""
    given = SERIES.copy()
    function(given, 6)
    np.testing.assert_array_equal(given, SERIES)


@each
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_refused_by_its_row(function, bad):
    """NaN and infinity have no place in an image."""
    series = SERIES.copy()
    series[[3, 5], 7, 1] = bad
    with pytest.raises(ValueError, match=r"2 of 9 series hold NaN or infinity, first in row 3"):
        function(series, 6)


@each
@pytest.mark.parametrize("shape", [(5,), (2, 3, 4, 5)])
def test_other_axes_are_refused(function, shape):
    """One series alone, and anything of four axes."""
    with pytest.raises(ValueError, match=r"axes \(sample, time\) or \(sample, time, channel\), got an array of shape"):
        function(np.zeros(shape))


@each
@pytest.mark.parametrize("shape", [(0, 5), (5, 0), (5, 4, 0)])
def test_nothing_to_read_is_refused(function, shape):
    """No sample, no step, no channel."""
    with pytest.raises(ValueError, match="minimum of 1 is required"):
        function(np.zeros(shape))


@each
def test_strings_are_refused(function):
    """With the hint to encode them."""
    with pytest.raises(ValueError, match="must hold numbers"):
        function([["a", "b"], ["c", "d"]])


@pytest.mark.parametrize("function", [*SQUARES.values(), piecewise_aggregate])
@pytest.mark.parametrize(
    ("size", "said"),
    [(21, r"at most 20, .* \(got 21\)"), (0, "at least 1"), (True, "whole number")],
)
def test_sizes_out_of_range_are_refused(function, size, said):
    """More points than the series has, none, and what is no whole number."""
    with pytest.raises(ValueError, match=said):
        function(SERIES, size)


@each
@pytest.mark.parametrize("unit", [1e300, 1e-300])
def test_extreme_values_do_not_leave_the_range_of_numbers(function, unit):
    """Very large and very small series have finite images, without a warning."""
    images = function(SERIES * unit, 6)
    assert np.isfinite(images).all()
    assert images.any()


@pytest.mark.parametrize("function", [gasf, gadf, mtf, transition_matrix])
@pytest.mark.parametrize("unit", [2.0**900, 2.0**-900])
def test_the_unit_does_not_matter(function, unit):
    """Fields of the shape of a series are the same in any unit; in powers of two bit by bit."""
    np.testing.assert_array_equal(function(SERIES * unit), function(SERIES))


@each_square
def test_series_of_one_step_have_images_of_one_point(function):
    """The least that there is."""
    assert function([[3.0], [4.0]]).shape == (2, 1, 1, 1)


@each_transformer
def test_transformers_do_what_the_functions_do(transformer):
    """Settings of the constructor are the arguments of the function."""
    expected = {
        "sum": lambda: gasf(SERIES, 6),
        "difference": lambda: gadf(SERIES, 6, 0.0),
        "markov": lambda: mtf(SERIES, 6, 4),
        "recurrence": lambda: recurrence(SERIES, 6, 2),
        "fold": lambda: periodic_fold(SERIES, dominant_period(SERIES)),
    }
    name = next(name for name, known in TRANSFORMERS.items() if known is transformer)
    np.testing.assert_array_equal(clone(transformer).fit_transform(SERIES), expected[name]())


@each_transformer
def test_transformers_are_cloned_and_pickled(transformer):
    """A clone has the settings and is unfitted; a copy from a file gives the same images."""
    fitted = clone(transformer).fit(SERIES)
    assert clone(fitted).get_params() == transformer.get_params()
    assert not any(name.endswith("_") for name in vars(clone(fitted)))
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(fitted)).transform(SERIES), fitted.transform(SERIES))


@pytest.mark.parametrize(
    ("transformer", "said"),
    [
        (GramianAngularField("product"), "kind must be one of 'sum', 'difference' "),
        (GramianAngularField(size=50), "size must be at most 20"),
        (GramianAngularField(size=6, low=0.5), "low must be a number from -1 to 0"),
        (MarkovTransitionField(size=6, bins=1), "bins must be a whole number of at least 2"),
        (RecurrencePlot(size=6, embedding=0), "embedding must be a whole number of at least 1"),
        (PeriodicFold(period=21), "period must be at most the length of the series, 20"),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, str) else "",
)
def test_fit_refuses_settings_out_of_range(transformer, said):
    """Constructors only store; fit says what is wrong."""
    with pytest.raises(ValueError, match=said):
        transformer.fit(SERIES)
