"""Classes weighed by how rare they are, in training and in validation."""

import numpy as np
import pytest
import torch
from sklearn.utils.class_weight import compute_class_weight

from plait import EarlyFusion, FusionClassifier, FusionRegressor, Trainer
from plait.methods.gated import GatedFusion
from plait.nn.criteria import CrossEntropy
from plait.training.weighting import CLASS_WEIGHTS, class_weights, criterion_of
from tiny import course, fresh_cohort, same, samples, weights

CODES = np.array([0] * 6 + [1] * 3 + [2])


def one_hot(codes, classes=None):
    return torch.eye(classes or codes.max() + 1, dtype=torch.float64)[torch.from_numpy(codes)]


def test_balanced_is_that_of_scikit_learn():
    """n / (classes * count)."""
    expected = compute_class_weight("balanced", classes=np.arange(3), y=CODES)
    assert class_weights(one_hot(CODES), CLASS_WEIGHTS["balanced"]).tolist() == pytest.approx(expected.tolist())


def test_sqrt_weighs_by_the_root_of_it():
    """Up to one factor."""
    balanced, root = (class_weights(one_hot(CODES), CLASS_WEIGHTS[name]) for name in ("balanced", "sqrt"))
    torch.testing.assert_close(root / root[0], (balanced / balanced[0]).sqrt())


@pytest.mark.parametrize("name", CLASS_WEIGHTS)
def test_the_mean_weight_of_the_samples_is_one(name):
    """So that losses stay of the size they had."""
    found = class_weights(one_hot(CODES), CLASS_WEIGHTS[name])
    assert float(found[CODES].mean()) == pytest.approx(1.0, abs=1e-15)
    assert found[0] < 1 < found[2]


@pytest.mark.parametrize("name", CLASS_WEIGHTS)
def test_a_class_without_training_samples_counts_one(name):
    """The weights of the others are as if it were not there."""
    power = CLASS_WEIGHTS[name]
    found = class_weights(one_hot(CODES, 4), power)
    assert found[3] == 1
    torch.testing.assert_close(found[:3], class_weights(one_hot(CODES), power), rtol=0, atol=1e-15)


def test_classes_are_counted_among_the_training_samples():
    """Validation samples do not count; with folds every sample does."""
    data = samples("classification", 3)
    for name, power in CLASS_WEIGHTS.items():
        expected = class_weights(data.samples.target[data.train], power)
        assert torch.equal(criterion_of(data, name).weights, expected)
        assert not torch.equal(class_weights(data.samples.target, power), expected)
    folds = samples("classification", 3, folds=4)
    assert torch.equal(criterion_of(folds, "sqrt").weights, class_weights(folds.samples.target, 0.5))
    assert criterion_of(data, None).weights is None


def test_the_validation_loss_is_weighted():
    """The reported loss is that of the restored weights, each sample times the weight of its class."""
    data, cohort = fresh_cohort(task="classification", outputs=3)
    result = course(data, class_weight="balanced").run(cohort, 1, "training")
    batch = data.samples.rows(data.validation).to(torch.device("cpu"), torch.float64)
    each = CrossEntropy().score(CrossEntropy().link(cohort(batch.features, batch.present)), batch.target)
    counted = class_weights(data.samples.target[data.train].double(), 1.0)[batch.target.argmax(1)]
    torch.testing.assert_close(result.losses, (each * counted).mean(1).detach(), rtol=0, atol=1e-12)
    assert not torch.allclose(result.losses, each.mean(1).detach(), atol=1e-3)


def test_classes_of_equal_size_count_alike():
    """The same weights as without, up to rounding."""
    ends = []
    for kind in (None, "balanced", "sqrt"):
        data, cohort = fresh_cohort(task="classification", outputs=2)
        data.samples.target[data.train] = torch.eye(2)[torch.arange(len(data.train)) % 2]
        course(data, class_weight=kind).run(cohort, 1, "training")
        ends.append(weights(cohort))
    assert same(ends[0], ends[1])
    assert same(ends[0], ends[2])


def test_weights_of_classes_are_refused_where_there_are_none():
    """With what to do."""
    data, cohort = fresh_cohort()
    with pytest.raises(ValueError, match=r"class_weight='sqrt'.*the task is regression.*Leave class_weight=None"):
        course(data, class_weight="sqrt").run(cohort, 1, "training")
    rng = np.random.default_rng(0)
    model = FusionRegressor(GatedFusion(), trainer=Trainer(epochs=1, class_weight="balanced"))
    with pytest.raises(ValueError, match="the task is regression"):
        model.fit({"a": rng.normal(size=(20, 2))}, rng.normal(size=20))


@pytest.mark.parametrize("value", ["even", 1.0, {0: 2.0}])
def test_other_weightings_are_refused(value):
    """With those that there are."""
    with pytest.raises(ValueError, match=r"class_weight of the trainer must be one of 'balanced', 'sqrt' \(got"):
        Trainer().set_params(class_weight=value).check()


@pytest.mark.parametrize(("kind", "expected"), [(None, 0.1), ("sqrt", 0.25), ("balanced", 0.5)])
@pytest.mark.parametrize("validation", [0.2, 2])
def test_balanced_classes_are_predicted_as_if_equally_frequent(kind, expected, validation):
    """One class of ten, told by nothing: its probability is a tenth without weights and a half with them."""
    y = (np.arange(100) % 10 == 0).astype(int)
    X = {"a": np.random.default_rng(0).normal(size=(100, 1))}
    steps = {"epochs": 20, "learning_rate": 0.1, "weight_decay": 0.0, "batch_size": 100}
    trainer = Trainer(**steps, class_weight=kind, threads=1)
    model = FusionClassifier(EarlyFusion(hidden=()), trainer=trainer, validation=validation, random_state=0).fit(X, y)
    assert model.predict_proba(X)[:, 1].mean() == pytest.approx(expected, abs=0.05)
