"""Metrics: scikit-learn's number, and the same under any weighting of the samples."""

import numpy as np
import pytest
from sklearn import metrics as vetted

from plait.statistics.metrics import METRICS, metric_by_name, metrics_by_name, primary

CLASSES = METRICS["classification"].values()
VALUES = METRICS["regression"].values()
EVERY_CLASS = pytest.mark.parametrize("metric", CLASSES, ids=lambda metric: metric.name)
EVERY_VALUE = pytest.mark.parametrize("metric", VALUES, ids=lambda metric: metric.name)


def _classified(classes, n=60, seed=0, digits=1):
    """Codes and probabilities with many ties."""
    random = np.random.default_rng(seed)
    target = random.integers(classes, size=n)
    raw = np.round(random.random((n, classes)) + 0.7 * np.eye(classes)[target], digits) + 0.05
    return target, raw / raw.sum(1, keepdims=True)


def _valued(outputs, n=60, seed=0):
    random = np.random.default_rng(seed)
    target = random.normal(3, 2, size=(n, outputs)) * np.arange(1, outputs + 1)
    return target, target + random.normal(size=(n, outputs))


def _holds(metric, target, outputs):
    """All weights one gives the score; integer weights that of repeated rows; the scale of weights is nothing."""
    random = np.random.default_rng(1)
    counts = random.integers(0, 4, size=(5, len(target)))
    weights = np.vstack([np.ones(len(target)), counts, counts[0] / 3])
    repeated = [np.repeat(np.arange(len(target)), row) for row in counts]
    scores = [metric.score(target[rows], outputs[rows]) for rows in repeated]
    expected = [metric.score(target, outputs), *scores, scores[0]]
    np.testing.assert_allclose(metric.weighted(target, outputs, weights), expected, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(metric.weighted(target, outputs, np.asfortranarray(weights)), expected, rtol=1e-12)


@pytest.mark.parametrize("classes", [2, 3, 5])
@EVERY_CLASS
def test_weights_of_classes_are_repetitions(metric, classes):
    """Every metric, two classes and more, with ties."""
    _holds(metric, *_classified(classes))


@pytest.mark.parametrize("outputs", [1, 3])
@EVERY_VALUE
def test_weights_of_values_are_repetitions(metric, outputs):
    """Every metric, one output and several."""
    _holds(metric, *_valued(outputs))


@EVERY_VALUE
def test_a_flat_target_is_one_column(metric):
    """Shapes (n,) and (n, 1) score alike."""
    target, outputs = _valued(1)
    assert metric.score(target[:, 0], outputs) == metric.score(target, outputs)
    ones = np.ones((1, len(target)))
    assert metric.weighted(target[:, 0], outputs, ones) == metric.weighted(target, outputs, ones)


@pytest.mark.parametrize("classes", [2, 4])
def test_scores_are_those_of_scikit_learn(classes):
    """Where it has the metric."""
    target, outputs = _classified(classes, seed=3)
    guess = outputs.argmax(1)
    auc = vetted.roc_auc_score(target, outputs[:, 1] if classes == 2 else outputs, multi_class="ovr")
    expected = {
        "accuracy": vetted.accuracy_score(target, guess),
        "balanced_accuracy": vetted.balanced_accuracy_score(target, guess),
        "macro_f1": vetted.f1_score(target, guess, average="macro"),
        "roc_auc": auc,
        "log_loss": vetted.log_loss(target, outputs),
        "brier": np.square(np.eye(classes)[target] - outputs).sum(1).mean(),
    }
    assert {m.name: m.score(target, outputs) for m in CLASSES if m.name in expected} == pytest.approx(expected)


def test_the_brier_score_sums_over_classes():
    """Certain and right is 0, certain and wrong 2, undecided between two classes 1/2."""
    brier = metric_by_name("classification", "brier")
    assert brier.losses(np.array([0, 1, 0]), np.array([[1.0, 0], [1, 0], [0.5, 0.5]])).tolist() == [0, 2, 0.5]


def test_the_calibration_error_by_hand():
    """Bins of .9 (two samples, half right) and .6 (right): (2 * .4 + 1 * .4) / 3."""
    outputs = np.array([[0.9, 0.1], [0.1, 0.9], [0.6, 0.4]])
    assert metric_by_name("classification", "ece").score(np.array([0, 0, 0]), outputs) == pytest.approx(0.4)


def test_certain_and_right_is_calibrated():
    """Confidence 1 is in the last bin."""
    assert metric_by_name("classification", "ece").score(np.array([0, 1]), np.eye(2)) == 0


@EVERY_CLASS
def test_single_precision_is_enough(metric):
    """Probabilities that sum to one up to rounding raise no warning."""
    target, outputs = _classified(3)
    single = outputs.astype(np.float32)
    expected = metric.score(target, single.astype(np.float64))
    assert metric.score(target, single) == pytest.approx(expected, rel=1e-6)
    assert metric.weighted(target, single, np.ones((1, len(target))))[0] == pytest.approx(expected, rel=1e-6)


@EVERY_CLASS
def test_a_class_may_be_lacking(metric):
    """Class 2 of three does not occur: the AUC is undefined, all else is a number, by both ways."""
    target, outputs = _classified(3)
    target = target % 2
    score = metric.score(target, outputs)
    assert np.isnan(score) == (metric.name == "roc_auc")
    np.testing.assert_allclose(metric.weighted(target, outputs, np.ones((1, len(target)))), [score])


@EVERY_VALUE
def test_a_constant_target_has_no_r2(metric):
    """R² is undefined, errors are not; nor is R² where one sample has all the weight."""
    _, outputs = _valued(1)
    target = np.full(len(outputs), 0.1)
    assert np.isnan(metric.score(target, outputs)) == (metric.name == "r2")
    one = np.zeros((1, len(target)))
    one[0, 3] = 7
    assert np.isnan(metric.weighted(outputs[:, 0] ** 3, outputs, one))[0] == (metric.name == "r2")


@pytest.mark.parametrize("metric", [*CLASSES, *VALUES], ids=lambda metric: metric.name)
def test_what_is_not_known_is_not_a_number(metric):
    """Weights of NaN give NaN."""
    data = _classified(3) if metric in CLASSES else _valued(2)
    assert np.isnan(metric.weighted(*data, np.full((2, 60), np.nan))).all()


@pytest.mark.parametrize("metric", [*CLASSES, *VALUES], ids=lambda metric: metric.name)
def test_the_mean_loss_orders_as_the_metric_does(metric):
    """Losses of a sample exist for all but metrics of whole sets; better predictions have a lower mean."""
    target, outputs = _classified(3) if metric in CLASSES else _valued(2)
    if metric.losses is None:
        assert metric.name in {"balanced_accuracy", "macro_f1", "roc_auc", "ece", "rmse"}
        return
    worse = np.roll(outputs, 1, axis=0)
    assert metric.losses(target, outputs).mean() < metric.losses(target, worse).mean()
    assert metric.sign * (metric.score(target, outputs) - metric.score(target, worse)) > 0


def test_r2_is_one_minus_the_mean_of_its_losses():
    """Over several outputs of different scale."""
    target, outputs = _valued(3)
    r2 = metric_by_name("regression", "r2")
    assert 1 - r2.losses(target, outputs).mean() == pytest.approx(r2.score(target, outputs))


def test_the_primary_metrics():
    """Accuracy and R²."""
    assert (primary("classification").name, primary("regression").name) == ("accuracy", "r2")


def test_unknown_names_are_refused():
    """The message lists what there is."""
    with pytest.raises(ValueError, match=r"'auc' is no metric of a classification. Choose one of: accuracy, .*roc_auc"):
        metrics_by_name("classification", ["accuracy", "auc"])
    with pytest.raises(ValueError, match="No metric was named"):
        metrics_by_name("regression", [])
    assert [metric.name for metric in metrics_by_name("regression", "mae")] == ["mae"]
