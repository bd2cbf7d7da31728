"""The cooperative lasso as a method: its contract, what it chooses, what it tells."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import Lasso, LogisticRegression
from torch import nn

from plait import FusionClassifier, FusionRegressor
from plait.methods.cooperative_lasso import CooperativeLasso
from plait.nn.module import evaluate
from plait.testing.checks import METHOD_CHECKS, Scope
from plait.training.cooperative_folds import CooperativeFolds
from tiny import course, same, samples

SMALL = {"rhos": (0.0, 0.5), "n_lambdas": 12}
FIXED = {"rhos": (0.5,), "lambdas": (0.05,)}
TASKS = pytest.mark.parametrize(
    ("task", "outputs"), [("regression", 1), ("regression", 2), *[("classification", n) for n in (2, 3)]]
)


def fit(data, seed=0, **settings):
    return CooperativeLasso(**SMALL | settings).fit(course(data, seed))


def predict(fitted, data):
    batch = data.samples.to(torch.device("cpu"), torch.float64)
    return evaluate(fitted.module, batch.features, batch.present)


def shared(seed, n=150, width=20, factors=1.5):
    """The paper's simulation in small: factors drive both modalities (so much) and the target."""
    rng = np.random.default_rng(seed)
    hidden = rng.normal(size=(n, 3))
    X = {name: rng.normal(size=(n, width)) for name in ("rna", "protein")}
    for values in X.values():
        values[:, :3] += factors * hidden
    return X, hidden.sum(1) + rng.normal(size=n) * 2


# Contract


@pytest.mark.parametrize("check", METHOD_CHECKS, ids=lambda check: check.__name__)
def test_the_contract(check):
    """Every promise of a method; nothing is random, several values are chosen among."""
    check(CooperativeLasso(**SMALL), Scope(random=False))


@TASKS
def test_the_module_is_the_solution(task, outputs):
    """At rho = 0 and one lambda: scikit-learn's lasso, or logistic regression, on all samples and features."""
    data = samples(task, outputs, dtype=torch.float64)
    fitted = fit(data, rhos=(0.0,), lambdas=(0.05,))
    X = np.concatenate([values.flatten(1).numpy() for values in data.samples.features.values()], axis=1)
    y = data.samples.target.numpy()
    if task == "regression":
        known = Lasso(0.05, tol=1e-14, max_iter=100_000).fit(X, y)
        found, expected = predict(fitted, data).numpy(), known.predict(X).reshape(y.shape)
    else:
        settings = {"solver": "saga", "l1_ratio": 1.0, "tol": 1e-10, "max_iter": 100_000}
        known = LogisticRegression(C=1 / (len(X) * 0.05), **settings).fit(X, y.argmax(1))
        found, expected = predict(fitted, data).softmax(1).numpy(), known.predict_proba(X)
    np.testing.assert_allclose(found, expected, atol=1e-4)


@TASKS
@pytest.mark.parametrize("folds", [1, 4])
def test_outputs_for_validation_samples_are_of_fits_without_them(task, outputs, folds):
    """The same as those of a fit on the other samples alone, at the chosen rho and lambda."""
    data = samples(task, outputs, folds=folds, absent=0.3, dtype=torch.float64)
    fitted = fit(data, **FIXED)
    own = data.samples.fold == 0
    others = data.samples.rows(torch.nonzero(~own).flatten())
    others.fold[:] = torch.arange(len(others)) % 2 - 1
    alone = fit(type(data)(others, type(data.spec)(data.spec.shapes, outputs, task)), **FIXED)
    expected = predict(alone, data)[own]
    torch.testing.assert_close(fitted.validation[own[data.validation]], expected, atol=2e-2, rtol=0)


def test_the_last_fit_sees_all_samples():
    """Also those held out: their targets change the module, not the outputs for them."""
    data = samples(dtype=torch.float64)
    before = fit(data, **FIXED)
    data.samples.target[data.validation] += 1
    after = fit(data, **FIXED)
    assert not same(before.module.state_dict(), after.module.state_dict())
    assert torch.equal(before.validation, after.validation)


# Absent modalities


def test_absent_modalities_in_the_limits():
    """rho = 0: the present score alone; large rho: a sample is predicted alike by each modality that it has."""
    draw = torch.Generator().manual_seed(0)
    data = samples(shapes={"a": (30,), "b": (30,)}, dtype=torch.float64)
    factor = torch.randn(40, 1, generator=draw, dtype=torch.float64)
    for name, values in data.samples.features.items():
        data.samples.features[name] = factor + 0.1 * values
    data.samples.target[:] = factor
    gaps = {}
    for rho in (0.0, 1e5):
        fitted = fit(data, rhos=(rho,), lambdas=(1e-3,))
        batch = data.samples
        both, first, second = (
            evaluate(fitted.module, batch.features, torch.tensor(present).expand(40, 2))
            for present in ([True, True], [True, False], [False, True])
        )
        gaps[rho] = float((both - first).abs().max() + (both - second).abs().max())
        if rho == 0:
            torch.testing.assert_close(first + second - fitted.module.intercept, both)
    assert gaps[1e5] < 0.02 < gaps[0.0]


# Choices


def test_agreement_is_chosen_where_the_signal_is_shared():
    """On most seeds rho > 0, and the test error is no worse than without agreement, on average."""
    chosen, ratios = [], []
    for seed in range(4):
        X, y = shared(seed, n=400)
        train, test = ({name: values[rows] for name, values in X.items()} for rows in (slice(80), slice(80, None)))
        errors = []
        for rhos in ((0.0, 1.0), (0.0,)):
            model = FusionRegressor(CooperativeLasso(rhos=rhos, n_lambdas=12), random_state=0).fit(train, y[:80])
            errors.append(np.mean((model.predict(test) - y[80:]) ** 2))
            chosen += model.method_.rhos if len(rhos) > 1 else ()
        ratios.append(errors[0] / errors[1])
    assert sum(rho > 0 for rho in chosen) >= 3
    assert np.mean(ratios) < 1.02


def test_the_rule_of_one_standard_error_is_sparser():
    """At the same rho a larger lambda, fewer coefficients, and a loss within a standard error."""
    X, y = shared(0)
    models = [
        FusionRegressor(CooperativeLasso(**SMALL, select=rule), random_state=0).fit(X, y) for rule in ("best", "one-se")
    ]
    best, sparse = models
    assert best.method_.rhos == sparse.method_.rhos
    assert best.method_.lambdas < sparse.method_.lambdas
    assert len(best.tables_["coefficients"]) > len(sparse.tables_["coefficients"])


def test_the_chosen_pair_has_the_lowest_validation_loss():
    """Of all pairs tried one by one; the loss is that of the outputs for the validation samples."""
    data = samples("classification", 2, folds=4, count=60, dtype=torch.float64)
    together = fit(data, rhos=(0.0, 1.0), lambdas=(0.2, 0.05, 0.01))
    losses = {}
    for rho in (0.0, 1.0):
        for strength in (0.2, 0.05, 0.01):
            alone = fit(data, rhos=(rho,), lambdas=(strength,))
            table = alone.tables["rho_path"]
            losses[rho, strength] = table["validation_loss"].item()
            target = data.samples.target[data.validation]
            cross_entropy = -(target * alone.validation.log_softmax(1)).sum(1).mean()
            assert losses[rho, strength] == pytest.approx(float(cross_entropy))
    best = min(losses, key=losses.get)
    assert (together.method.rhos, together.method.lambdas) == ((best[0],), (best[1],))


# What it tells


@TASKS
def test_the_tables(task, outputs):
    """The path of rho has one row a rho; coefficients are those of the module, none of them zero."""
    data = samples(task, outputs, folds=3, dtype=torch.float64)
    fitted = fit(data)
    path, told = fitted.tables["rho_path"], fitted.tables["coefficients"]
    assert path.columns.tolist() == ["rho", "lambda", "validation_loss", "low", "high", "chosen"]
    assert path["rho"].tolist() == [0.0, 0.5]
    assert path["chosen"].sum() == 1
    assert path.loc[path["chosen"], "rho"].item() == fitted.method.rhos[0]
    assert (path["low"] <= path["validation_loss"]).all()
    assert (told["coefficient"] != 0).all()
    several = {("regression", 2): "target", ("classification", 3): "class"}.get((task, outputs))
    for place, (name, weight) in enumerate(zip(data.spec.names, fitted.module.weights, strict=True)):
        own = told[told["modality"] == name]
        columns = own[several].to_numpy() if several else np.full(len(own), -1)
        assert int((weight != 0).sum()) == len(own) * (1 + (task == "classification" and outputs == 2)), place
        found = weight.detach().numpy()[own["feature"].to_numpy(), columns]
        np.testing.assert_allclose(found * (2 if outputs == 2 and not several else 1), own["coefficient"], rtol=1e-12)


def test_the_history():
    """One row a rho, then the fit to all samples, whose loss is the last and the best."""
    history = fit(samples(folds=3)).history
    assert history["phase"].tolist() == ["rho 0", "rho 0.5", "all samples"]
    assert history["best_validation_loss"].iloc[-1] == history["validation_loss"].iloc[:2].min()
    assert (history["seconds"] >= 0).all()


@pytest.mark.parametrize(("width", "least"), [(50, 1e-2), (5, 1e-4)])
def test_lambdas_by_default(width, least):
    """From the smallest at which nothing is left, evenly in logarithms, down to 1 % (0.01 % where samples are many)."""
    data = samples(shapes={"a": (width,)}, dtype=torch.float64)
    net = CooperativeLasso().build(data.spec).double()
    found = CooperativeFolds(data, net, 3).losses(0.0).lambdas
    np.testing.assert_allclose(np.array(found) / found[0], [1, least**0.5, least])
    centred = [values - values.mean(0) for values in (data.samples.features["a"], data.samples.target)]
    assert found[0] == pytest.approx(float((centred[0].T @ centred[1]).abs().max()) / 40)


def test_the_origin_of_raw_features_does_not_matter():
    """Without standardising: shifted features give the same predictions."""
    X, y = shared(0, n=60)
    moved = {name: values + 100 for name, values in X.items()}
    found = [
        FusionRegressor(CooperativeLasso(**FIXED), scaling="none").fit(data, y).predict(data) for data in (X, moved)
    ]
    np.testing.assert_allclose(*found, atol=1e-4)


def test_one_target_value_is_predicted_as_it_is():
    """A target without variance: nothing to explain, no coefficient."""
    data = samples(folds=3)
    data.samples.target[:] = 2.0
    fitted = fit(data)
    assert fitted.tables["coefficients"].empty
    torch.testing.assert_close(predict(fitted, data), torch.full((40, 1), 2.0, dtype=torch.float64))


def test_an_own_frozen_encoder_is_read():
    """Its outputs are penalised as if they were scaled; their unit does not matter."""
    X, y = shared(0, n=60)
    found = []
    for unit in (1.0, 100.0):
        encoder = nn.Linear(20, 4).requires_grad_(requires_grad=False)
        encoder.weight.copy_(unit * torch.linspace(-1, 1, 80).reshape(4, 20).sin())
        model = FusionRegressor(CooperativeLasso(**FIXED), encoders={"rna": encoder}, random_state=0).fit(X, y)
        found.append(model.predict(X))
    np.testing.assert_allclose(*found, atol=1e-4)


# Errors


def test_an_encoder_to_be_trained_is_refused():
    """The message says how to freeze it."""
    data = samples(encoders={"a": nn.Linear(5, 3)})
    with pytest.raises(ValueError, match=r"modality 'a' .*requires_grad_\(False\)"):
        fit(data)


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        ({"rhos": (-1.0,)}, "rhos"),
        ({"rhos": ()}, "rhos"),
        ({"lambdas": (-0.1,)}, "lambdas"),
        ({"n_lambdas": 1}, "n_lambdas"),
        ({"l1_ratio": 0.0}, "l1_ratio"),
        ({"l1_ratio": 1.5}, "l1_ratio"),
        ({"select": "worst"}, "select"),
    ],
)
def test_settings_out_of_range_are_refused(wrong, word, monkeypatch):
    """By name."""
    kind = CooperativeLasso
    monkeypatch.setattr(kind, "__init__", getattr(kind.__init__, "__wrapped__", kind.__init__))
    with pytest.raises(ValueError, match=word):
        fit(samples(), **wrong)


def test_classes_end_to_end():
    """Three classes with absent modalities through the estimator: better than chance, and honest probabilities."""
    rng = np.random.default_rng(0)
    y = np.arange(90) % 3
    X = {name: rng.normal(size=(90, 6)) + np.eye(3)[y] @ rng.normal(size=(3, 6)) for name in ("rna", "clinical")}
    X["rna"][::4] = np.nan
    model = FusionClassifier(CooperativeLasso(**SMALL), random_state=0).fit(X, y)
    assert model.score(X, y) > 0.6
    np.testing.assert_allclose(model.predict_proba(X).sum(1), 1)
