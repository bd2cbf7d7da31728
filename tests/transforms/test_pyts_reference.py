"""The numbers of pyts 0.14.1 (Faouzi & Janati, JMLR 21, 2020) on two series, computed once with the calls given."""

import numpy as np

from plait.transforms import gadf, gasf, mtf, recurrence

SERIES = np.array([[0.0, 2.0, 1.0, 4.0, 3.0, 6.0, 5.0], [3.0, -1.0, 0.5, 2.0, 2.5, -2.0, 1.0]])
PYTS = {
    "GramianAngularField(image_size=3, method='summation').transform(SERIES)": [
        [
            [1.0, 0.1818181818, -1.0],
            [0.1818181818, -0.9338842975, -0.1818181818],
            [-1.0, -0.1818181818, 1.0],
        ],
        [
            [-0.7777777778, 0.3333333333, -0.3333333532],
            [0.3333333333, 1.0, -1.0],
            [-0.3333333532, -1.0, 1.0],
        ],
    ],
    "GramianAngularField(image_size=3, method='difference').transform(SERIES)": [
        [
            [0.0, 0.983332166, 0.0],
            [-0.983332166, 0.0, 0.983332166],
            [0.0, -0.983332166, 0.0],
        ],
        [
            [0.0, 0.9428090416, -0.9428090486],
            [-0.9428090416, 0.0, -2.107342426e-08],
            [0.9428090486, 2.107342426e-08, 0.0],
        ],
    ],
    "MarkovTransitionField(image_size=3, n_bins=3, strategy='quantile').transform(SERIES)": [
        [
            [0.6666666667, 0.5, 0.1111111111],
            [0.3333333333, 0.375, 0.3055555556],
            [0.0, 0.08333333333, 0.6111111111],
        ],
        [
            [0.3333333333, 0.5, 0.3333333333],
            [0.3333333333, 0.25, 0.3333333333],
            [0.3888888889, 0.3333333333, 0.3333333333],
        ],
    ],
    "MarkovTransitionField(image_size=7, n_bins=3, strategy='quantile').transform(SERIES)": [
        [
            [0.6666666667, 0.6666666667, 0.6666666667, 0.3333333333, 0.3333333333, 0.0, 0.0],
            [0.6666666667, 0.6666666667, 0.6666666667, 0.3333333333, 0.3333333333, 0.0, 0.0],
            [0.6666666667, 0.6666666667, 0.6666666667, 0.3333333333, 0.3333333333, 0.0, 0.0],
            [0.0, 0.0, 0.0, 0.5, 0.5, 0.5, 0.5],
            [0.0, 0.0, 0.0, 0.5, 0.5, 0.5, 0.5],
            [0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0],
            [0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0],
        ],
        [
            [0.0, 1.0, 1.0, 0.0, 0.0, 1.0, 0.0],
            [0.0, 0.3333333333, 0.3333333333, 0.6666666667, 0.0, 0.3333333333, 0.6666666667],
            [0.0, 0.3333333333, 0.3333333333, 0.6666666667, 0.0, 0.3333333333, 0.6666666667],
            [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0],
            [0.0, 1.0, 1.0, 0.0, 0.0, 1.0, 0.0],
            [0.0, 0.3333333333, 0.3333333333, 0.6666666667, 0.0, 0.3333333333, 0.6666666667],
            [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0],
        ],
    ],
    "RecurrencePlot(dimension=1, threshold=None).transform(SERIES)": [
        [
            [0.0, 2.0, 1.0, 4.0, 3.0, 6.0, 5.0],
            [2.0, 0.0, 1.0, 2.0, 1.0, 4.0, 3.0],
            [1.0, 1.0, 0.0, 3.0, 2.0, 5.0, 4.0],
            [4.0, 2.0, 3.0, 0.0, 1.0, 2.0, 1.0],
            [3.0, 1.0, 2.0, 1.0, 0.0, 3.0, 2.0],
            [6.0, 4.0, 5.0, 2.0, 3.0, 0.0, 1.0],
            [5.0, 3.0, 4.0, 1.0, 2.0, 1.0, 0.0],
        ],
        [
            [0.0, 4.0, 2.5, 1.0, 0.5, 5.0, 2.0],
            [4.0, 0.0, 1.5, 3.0, 3.5, 1.0, 2.0],
            [2.5, 1.5, 0.0, 1.5, 2.0, 2.5, 0.5],
            [1.0, 3.0, 1.5, 0.0, 0.5, 4.0, 1.0],
            [0.5, 3.5, 2.0, 0.5, 0.0, 4.5, 1.5],
            [5.0, 1.0, 2.5, 4.0, 4.5, 0.0, 3.0],
            [2.0, 2.0, 0.5, 1.0, 1.5, 3.0, 0.0],
        ],
    ],
    "RecurrencePlot(dimension=3, time_delay=1, threshold=None).transform(SERIES)": [
        [
            [0.0, 3.741657387, 3.0, 6.480740698, 6.403124237],
            [3.741657387, 0.0, 3.31662479, 3.464101615, 5.196152423],
            [3.0, 3.31662479, 0.0, 4.358898944, 3.464101615],
            [6.480740698, 3.464101615, 4.358898944, 0.0, 3.31662479],
            [6.403124237, 5.196152423, 3.464101615, 3.31662479, 0.0],
        ],
        [
            [0.0, 4.527692569, 4.387482194, 4.415880433, 1.224744871],
            [4.527692569, 0.0, 2.179449472, 5.385164807, 4.415880433],
            [4.387482194, 2.179449472, 0.0, 4.769696007, 4.716990566],
            [4.415880433, 5.385164807, 4.769696007, 0.0, 5.431390246],
            [1.224744871, 4.415880433, 4.716990566, 5.431390246, 0.0],
        ],
    ],
}


def same(images, call):
    """One channel, equal to what the call gave."""
    np.testing.assert_allclose(images[:, 0], PYTS[call], atol=1e-7)


def test_angular_fields_are_those_of_pyts():
    """Averaged over segments of 2, 2 and 3 steps; pyts rounds its sines to 2e-8."""
    same(gasf(SERIES, 3), "GramianAngularField(image_size=3, method='summation').transform(SERIES)")
    same(gadf(SERIES, 3), "GramianAngularField(image_size=3, method='difference').transform(SERIES)")


def test_markov_fields_are_those_of_pyts():
    """In full length, and averaged."""
    same(mtf(SERIES, bins=3), "MarkovTransitionField(image_size=7, n_bins=3, strategy='quantile').transform(SERIES)")
    same(mtf(SERIES, 3, bins=3), "MarkovTransitionField(image_size=3, n_bins=3, strategy='quantile').transform(SERIES)")


def test_recurrence_plots_are_those_of_pyts():
    """Of single values, and of states of three."""
    same(recurrence(SERIES), "RecurrencePlot(dimension=1, threshold=None).transform(SERIES)")
    same(recurrence(SERIES, embedding=3), "RecurrencePlot(dimension=3, time_delay=1, threshold=None).transform(SERIES)")
