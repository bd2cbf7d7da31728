"""Scikit-learn estimators in late, early and single-modality fusion, and as students of Meta Fusion."""

import copy
import json

import numpy as np
import pytest
import torch
from scipy.special import softmax
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.decomposition import PCA
from sklearn.ensemble import BaggingClassifier, RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import PredefinedSplit, cross_val_predict
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn

from plait import FusionClassifier, FusionRegressor, Modalities, Trainer, load, save
from plait.cli.parameters import method_from_text
from plait.methods.early import EarlyFusion
from plait.methods.late import LateFusion
from plait.methods.meta import MetaFusion
from plait.methods.single import SingleModality
from plait.nn.ensembles import ensemble_weights
from plait.nn.module import evaluate
from plait.nn.validation import PROBABILITIES, Validation
from tiny import course, samples

EXACT = Trainer(precision="float64", epochs=2, threads=1)
LOGISTIC = LogisticRegression(C=0.1)
QUICK = {"extractors": ("identity", "null"), "hidden": (3,), "rhos": (0.0, 1.0)}


class Constant(ClassifierMixin, BaseEstimator):
    """A classifier of another library."""

    def __init__(self, share=0.5):
        self.share = share

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        return np.tile([self.share, 1 - self.share], (len(X), 1))


def data(n=60, seed=0):
    """Two complete modalities, a class and two real values that both tell of."""
    draw = np.random.default_rng(seed)
    arrays = {"a": 3 + 2 * draw.normal(size=(n, 5)), "b": draw.normal(size=(n, 2, 3))}
    value = arrays["a"][:, 0] + 2 * arrays["b"][:, 0, 0] + draw.normal(size=n)
    return arrays, np.where(value > 3, "yes", "no"), np.c_[10 * value, value**2]


def scaled(arrays):
    return {name: StandardScaler().fit_transform(array.reshape(len(array), -1)) for name, array in arrays.items()}


def classifier(method, **choices):
    return FusionClassifier(method, **{"trainer": EXACT, "validation": 3, "random_state": 0} | choices)


def regressor(method, **choices):
    return FusionRegressor(method, **{"trainer": EXACT, "validation": 3, "random_state": 0} | choices)


def fit(method, given, **settings):
    return method.fit(course(given, **settings))


def predict(fitted, given):
    batch = given.samples.to(torch.device("cpu"), torch.float64)
    return evaluate(fitted.module, batch.features, batch.present)


# Known answers


@pytest.mark.parametrize("validation", [3, 0.25])
def test_late_fusion_is_the_mean_of_fits_by_hand(validation):
    """Of logistic regressions on all samples, one a standardised modality."""
    arrays, y, _ = data()
    model = classifier(LateFusion(base=LOGISTIC), validation=validation).fit(arrays, y)
    values = {name: model.standardiser_.transform(Modalities(arrays))[name].reshape(60, -1) for name in arrays}
    expected = np.mean([clone(LOGISTIC).fit(value, y).predict_proba(value) for value in values.values()], axis=0)
    np.testing.assert_allclose(model.predict_proba(arrays), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("columns", [1, 2])
def test_early_fusion_is_one_fit_by_hand(columns):
    """Ridge regression of the scaled target on all standardised features, brought back to the target's units."""
    arrays, _, values = data()
    target = values[:, :columns]
    model = regressor(EarlyFusion(base=Ridge())).fit(arrays, target)
    side_by_side, scaler = np.hstack(list(scaled(arrays).values())), StandardScaler().fit(target)
    expected = Ridge().fit(side_by_side, scaler.transform(target)).predict(side_by_side).reshape(60, columns)
    np.testing.assert_allclose(model.predict(arrays), scaler.inverse_transform(expected), rtol=0, atol=1e-9)


def test_a_single_modality_is_the_fit_on_it():
    """The other is not read."""
    arrays, y, _ = data()
    model = classifier(SingleModality("b", base=LOGISTIC)).fit(arrays, y)
    value = scaled(arrays)["b"]
    expected = clone(LOGISTIC).fit(value, y).predict_proba(value)
    np.testing.assert_allclose(model.predict_proba(arrays), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("folds", [1, 4])
def test_validation_predictions_are_by_fits_that_had_not_seen_the_sample(folds):
    """Those of cross_val_predict on the same folds (of one fit on the training samples, with a hold-out set)."""
    given = samples("classification", 3, count=80, folds=folds)
    fitted = fit(LateFusion(base=LOGISTIC), given)
    each, target = blind(given, LOGISTIC)
    np.testing.assert_allclose(fitted.validation.softmax(-1).numpy(), each.mean(0), rtol=0, atol=1e-6)
    losses = -np.log(each[:, np.arange(len(target)), target]).mean(1)
    assert fitted.tables["cohort"].validation_loss.tolist() == pytest.approx(losses.tolist(), abs=1e-6)


@pytest.mark.parametrize("rule", ["stacking", "weighted"])
def test_weights_are_learned_on_such_predictions(rule):
    """Those of the rule on cross_val_predict; the module, the table and the prediction tell the same."""
    given = samples("classification", 3, count=80, folds=4)
    fitted = fit(LateFusion(base=LOGISTIC, rule=rule), given)
    each, target = blind(given, LOGISTIC)
    losses = -np.log(each[:, np.arange(80), target]).mean(1)
    everything = np.ones((2, 80), dtype=bool)
    weights = ensemble_weights(rule, Validation(each, target, everything, losses, PROBABILITIES))
    assert fitted.tables["cohort"].weight.tolist() == pytest.approx(weights.tolist(), abs=1e-6)
    batch = given.samples.to(torch.device("cpu"), torch.float64)
    students = fitted.module.students(batch.features, batch.present)
    mean = np.einsum("s,sro->ro", weights, students.numpy())
    np.testing.assert_allclose(predict(fitted, given).softmax(-1).numpy(), mean, rtol=0, atol=1e-6)


def blind(given, base):
    """Probabilities (modality, validation sample, class) by scikit-learn's own cross-validation, and the target."""
    batch = given.samples.rows(given.validation)
    target = given.samples.target.argmax(1).numpy()
    split = PredefinedSplit(given.samples.fold.numpy())
    train, held = given.train.numpy(), given.validation.numpy()
    each = []
    for values in given.samples.features.values():
        flat = values.flatten(1).double().numpy()
        if given.spec.folds == 1:
            each.append(clone(base).fit(flat[train], target[train]).predict_proba(flat[held]))
        else:
            each.append(cross_val_predict(base, flat, target, cv=split, method="predict_proba"))
    return np.array(each), batch.target.argmax(1).numpy()


# Product of experts


@pytest.mark.parametrize("base", [LOGISTIC, None], ids=["learners", "networks"])
@pytest.mark.parametrize("folds", [1, 3])
def test_the_product_of_experts_of_classes(base, folds):
    """prior^(1 - k) p_1 ... p_k over the k modalities that are there, by hand."""
    given = samples("classification", 3, shapes={"a": (5,), "b": (2, 3), "c": (4,)}, absent=0.4, count=80, folds=folds)
    fitted = fit(LateFusion(base=base, rule="product", hidden=(4,)), given, epochs=2)
    batch = given.samples.to(torch.device("cpu"), torch.float64)
    logs = fitted.module.students(batch.features, batch.present).detach()
    prior = batch.target[given.train].mean(0).log()
    here = batch.present.T[..., None]
    count = batch.present.sum(1, keepdim=True)
    expected = ((logs * here).sum(0) + (1 - count) * prior).softmax(-1)
    assert set(count.flatten().tolist()) == {1, 2, 3}
    torch.testing.assert_close(predict(fitted, given).softmax(-1), expected, rtol=0, atol=1e-6)
    torch.testing.assert_close(fitted.validation.softmax(-1).sum(1).float(), torch.ones(len(given.validation)))


def test_the_product_of_independent_gaussians_is_bayes():
    """Naive Bayes a modality, multiplied, is naive Bayes on all features."""
    arrays, y, _ = data()
    model = classifier(LateFusion(base=GaussianNB(), rule="product")).fit(arrays, y)
    side_by_side = np.hstack(list(scaled(arrays).values()))
    expected = GaussianNB().fit(side_by_side, y).predict_proba(side_by_side)
    np.testing.assert_allclose(model.predict_proba(arrays), expected, rtol=0, atol=1e-6)


def test_certain_experts_that_contradict_each_other_are_no_nan():
    """Each rules out what the other is sure of: clipped probabilities cancel out."""
    arrays = {"a": np.r_[np.zeros(20), np.ones(20)][:, None], "b": np.r_[np.ones(20), np.zeros(20)][:, None]}
    y = np.arange(40) // 20
    model = classifier(LateFusion(base=RandomForestClassifier(5, bootstrap=False), rule="product")).fit(arrays, y)
    both = {"a": np.zeros((1, 1)), "b": np.zeros((1, 1))}
    np.testing.assert_allclose(model.predict_proba(both), [[0.5, 0.5]], atol=1e-9)


@pytest.mark.parametrize("base", [Ridge(), None], ids=["learners", "networks"])
def test_the_product_of_experts_of_values_weighs_by_precision(base):
    """1 / squared error on validation samples, over the modalities that are there, by hand."""
    given = samples(outputs=2, absent=0.3, count=80, folds=4)
    fitted = fit(LateFusion(base=base, rule="product", hidden=(4,)), given, epochs=2)
    batch = given.samples.to(torch.device("cpu"), torch.float64)
    each = fitted.module.students(batch.features, batch.present).detach()
    precision = torch.tensor(1 / fitted.tables["cohort"].validation_loss.to_numpy())[:, None] * batch.present.T
    expected = torch.einsum("mb,mbo->bo", precision / precision.sum(0), each)
    torch.testing.assert_close(predict(fitted, given), expected, rtol=0, atol=1e-6)


def test_one_expert_alone_is_not_changed():
    """With k = 1 the prior has no say."""
    given = samples("classification", 3, shapes={"a": (5,)})
    found = [
        predict(fit(LateFusion(base=LOGISTIC, rule=rule), given), given).softmax(-1) for rule in ("simple", "product")
    ]
    torch.testing.assert_close(*found, rtol=0, atol=1e-9)


# All kinds of data

KINDS = ["late", "early"]
WORDS = ["linear", "forest", "boosting"]


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize(("task", "outputs"), [("classification", 3), ("regression", 1), ("regression", 2)])
def test_words_stand_for_estimators_of_the_task(word, task, outputs):
    """They predict better than the mean target, where they are asked."""
    given = samples(task, outputs, count=80, absent=0.2)
    fitted = fit(SingleModality("b", base=word), given)
    truth = given.samples.target.double()
    found = predict(fitted, given) if task == "regression" else predict(fitted, given).softmax(-1)
    assert (found - truth).square().mean() < (truth - truth.mean(0)).square().mean()
    assert fitted.method.base == word


SHAPES = [{"a": (3,)}, {"a": (2, 3), "b": (1, 2, 2), "c": (4,)}, dict.fromkeys("abcde", (2,))]


@pytest.mark.parametrize("shapes", SHAPES, ids=len)
@pytest.mark.parametrize("method", [LateFusion, EarlyFusion, SingleModality])
def test_any_number_and_shape_of_modalities(method, shapes):
    """One, three and five, flattened, with absent rows; several outputs."""
    given = samples(outputs=2, shapes=shapes, absent=0.3 if len(shapes) > 1 else 0.0)
    made = SingleModality("a", base=Ridge()) if method is SingleModality else method(base=Ridge())
    assert predict(fit(made, given), given).isfinite().all()


@pytest.mark.parametrize("method", [LateFusion(base=LOGISTIC), EarlyFusion(base=LOGISTIC)], ids=KINDS)
def test_absent_modalities(method):
    """Late: fitted on those that have it, predicted by those there. Early: zeros. Nothing there: the prior."""
    given = samples("classification", 3, count=80, absent=0.4)
    fitted, batch = fit(method, given), given.samples.to(torch.device("cpu"), torch.float64)
    target, present = batch.target.argmax(1).numpy(), batch.present.numpy()
    flat = [values.flatten(1).numpy() for values in batch.features.values()]
    if isinstance(method, LateFusion):
        fits = [clone(LOGISTIC).fit(flat[place][here], target[here]) for place, here in enumerate(present.T)]
        each = np.array([one.predict_proba(values) for one, values in zip(fits, flat, strict=True)])
        expected = (each * present.T[..., None]).sum(0) / present.sum(1)[:, None]
    else:
        expected = clone(LOGISTIC).fit(np.hstack(flat), target).predict_proba(np.hstack(flat))
    np.testing.assert_allclose(predict(fitted, given).softmax(-1).numpy(), expected, rtol=0, atol=1e-6)
    nobody = evaluate(fitted.module, batch.features, torch.zeros_like(batch.present)).softmax(-1)
    torch.testing.assert_close(nobody[0], batch.target[given.train].mean(0), rtol=0, atol=1e-6)


@pytest.mark.parametrize("garbage", [float("nan"), 1e30])
@pytest.mark.parametrize("method", [LateFusion(base=RandomForestClassifier(5)), EarlyFusion(base=LOGISTIC)], ids=KINDS)
def test_values_of_absent_rows_change_nothing(method, garbage):
    """Neither a fit nor a prediction, bit for bit."""
    found = []
    for value in (0.0, garbage):
        given = samples("classification", 2, absent=0.4)
        for place, values in enumerate(given.samples.features.values()):
            values[~given.samples.present[:, place]] = value
        found.append(predict(fit(method, given), given))
    assert torch.equal(*found)


def test_a_modality_that_is_never_there_harms_nobody():
    """Its learner stays unfitted and without weight."""
    given = samples(folds=2)
    given.samples.present[:, 1] = False
    given.samples.features["b"].zero_()
    fitted = fit(LateFusion(base=Ridge()), given)
    assert fitted.tables["cohort"].weight.tolist() == [1, 0]
    assert predict(fitted, given).isfinite().all()


def test_a_class_that_a_fold_lacks():
    """Its one sample is in one fold: the others' fits know it, that fold's says almost surely not."""
    given = samples("classification", 3, folds=2, count=40)
    given.samples.target[:, 2] = 0
    given.samples.target[:, :2] = torch.eye(2)[torch.arange(40) // 2 % 2]
    given.samples.target[0] = torch.tensor([0.0, 0.0, 1.0])
    fitted = fit(LateFusion(base=LOGISTIC), given)
    assert fitted.validation[0].softmax(-1)[2] < 1e-12
    assert predict(fitted, given).softmax(-1)[0, 2] > 0.01
    assert np.isfinite(fitted.tables["cohort"].validation_loss).all()
    fit(LateFusion(base="linear"), given)


@pytest.mark.parametrize(
    "method", [LateFusion(base=Ridge()), EarlyFusion(base=Ridge()), MetaFusion(learners=(Ridge(),))]
)
def test_a_frozen_encoder_is_read_and_a_trained_one_refused(method):
    """Its output takes the place of the features."""
    torch.manual_seed(0)
    module = nn.Sequential(nn.Flatten(), nn.Linear(6, 2))
    with pytest.raises(ValueError, match=r"encoder of modality 'b' is trained"):
        fit(method, samples(encoders={"b": module}))
    frozen = module.requires_grad_(requires_grad=False)
    table = fit(method, samples(encoders={"b": frozen}), epochs=1).tables["cohort"]
    assert table["b"].iloc[-1] == "module"


def test_the_cohort_has_the_columns_of_networks():
    """One row a learner: what it reads, its loss on samples it had not seen, its weight; no epochs."""
    given = samples(folds=2)
    learners, networks = (fit(LateFusion(base=base), given, epochs=1).tables["cohort"] for base in (Ridge(), None))
    assert list(learners) == list(networks)
    assert learners.index.tolist() == ["Ridge of a:identity", "Ridge of b:identity"]
    assert learners.a.tolist() == networks.a.tolist()
    assert learners.epoch.isna().all()
    assert not learners.teaches.any()


def test_the_seed_decides_every_number():
    """Forests of the same seed agree bit for bit; those of two modalities are drawn apart."""
    arrays, y, _ = data()
    models = [
        classifier(LateFusion(base=RandomForestClassifier(5)), random_state=seed).fit(arrays, y) for seed in (0, 0, 1)
    ]
    found = [model.predict_proba(arrays) for model in models]
    assert (found[0] == found[1]).all()
    assert (found[0] != found[2]).any()
    states = [learner.estimator.random_state for learner in models[0].module_.cohort.learners]
    assert len(set(states)) == 2


def test_samples_do_not_influence_each_other():
    """One at a time or all at once."""
    arrays, y, _ = data()
    model = classifier(LateFusion(base="boosting")).fit(arrays, y)
    alone = [model.predict_proba({name: array[[row]] for name, array in arrays.items()})[0] for row in range(5)]
    np.testing.assert_allclose(alone, model.predict_proba(arrays)[:5], rtol=0, atol=1e-12)


@pytest.mark.parametrize("estimator", [FusionClassifier, FusionRegressor])
def test_an_estimator_of_the_other_task_is_refused(estimator):
    """Before anything is fitted."""
    arrays, _, values = data()
    wrong = Ridge() if estimator is FusionClassifier else LOGISTIC
    target = values[:, 0] > 0 if estimator is FusionClassifier else values[:, 0]
    with pytest.raises(ValueError, match=r"is no (classifier|regressor)"):
        estimator(LateFusion(base=wrong)).fit(arrays, target)


def test_parameters_of_the_base_can_be_searched():
    """By scikit-learn's names; the user's estimator stays unfitted."""
    method = clone(LateFusion(base=LogisticRegression())).set_params(base__C=0.25)
    assert method.get_params()["base__C"] == 0.25
    fit(method, samples("classification", 2))
    assert not hasattr(method.base, "coef_")


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        (LateFusion, "base=forest", "forest"),
        (LateFusion, "base=None", None),
        (MetaFusion, "learners=forest,linear", ("forest", "linear")),
    ],
)
def test_words_can_be_typed(kind, text, expected):
    """On the command line; another word is refused with those there are."""
    name = text.partition("=")[0]
    assert method_from_text(kind, [text]).get_params(deep=False)[name] == expected
    with pytest.raises(ValueError, match=rf"--param {name}=trees: .*'linear', 'forest'(,| or) 'boosting'"):
        method_from_text(kind, [f"{name}=trees"])


# Students of Meta Fusion

FURTHER = {
    "classification": (RandomForestClassifier(5), LOGISTIC),
    "regression": (RandomForestRegressor(5), Ridge()),
}


@pytest.mark.parametrize("task", ["classification", "regression"])
@pytest.mark.parametrize("folds", [1, 3])
def test_learners_are_further_students(task, folds):
    """Each on every modality alone and on all; in the table, the ensemble, the values and the resolved method."""
    forest, linear = FURTHER[task]
    given = samples(task, 2, count=60, folds=folds, absent=0.2)
    fitted = fit(MetaFusion(learners=(forest, linear), ensemble="weighted", **QUICK), given)
    table = fitted.tables["cohort"]
    names = type(forest).__name__, type(linear).__name__
    reads = ("a:identity", "b:identity", "a:identity + b:identity")
    assert table.index.tolist()[3:] == [f"{label} of {read}" for label in names for read in reads]
    assert fitted.method.ensemble == pytest.approx(table.weight.to_dict())
    assert fitted.module.weights.tolist() == pytest.approx(table.weight.tolist())
    assert not table.teaches.iloc[3:].any()
    assert len(fitted.tables["modality_values"]) == 2
    assert predict(fitted, given).isfinite().all()
    built = fitted.method.build(given.spec).double().eval()
    built.load_state_dict(fitted.module.state_dict())
    batch = given.samples.to(torch.device("cpu"), torch.float64)
    assert torch.equal(evaluate(built, batch.features, batch.present), predict(fitted, given))


def test_the_networks_are_the_same_beside_learners():
    """Learners neither teach networks nor learn from them: losses and weights of networks at rho = 0 do not change."""
    given, quick = samples(folds=2), QUICK | {"rhos": (0.0,)}
    alone, beside = (fit(MetaFusion(learners=learners, **quick), given) for learners in ((), (Ridge(),)))
    one, other = alone.tables["cohort"], beside.tables["cohort"].iloc[:3]
    assert one.drop(columns="weight").equals(other.drop(columns="weight"))
    networks = beside.module.cohort.networks.state_dict()
    assert all(torch.equal(value, networks[name]) for name, value in alone.module.cohort.state_dict().items())


def test_an_ensemble_of_learners_alone_is_their_mean():
    """Named weights take them as every student: late fusion of the same learners."""
    given = samples("classification", 3, folds=2, absent=0.2)
    named = {"LogisticRegression of a:identity": 1.0, "LogisticRegression of b:identity": 1.0}
    meta = fit(MetaFusion(learners=(LOGISTIC,), ensemble=named, **QUICK), given)
    late = fit(LateFusion(base=LOGISTIC), given)
    torch.testing.assert_close(predict(meta, given), predict(late, given), rtol=0, atol=1e-6)
    assert meta.method.ensemble == pytest.approx(dict.fromkeys(named, 0.5))


def test_a_learner_that_is_best_is_chosen():
    """Where a target is a rule that the linear head cannot say."""
    given = samples(count=120, folds=3)
    given.samples.target[:] = given.samples.features["a"][:, :1].abs()
    method = MetaFusion(("identity", "null"), hidden=(), learners=("boosting",), ensemble="best")
    assert list(fit(method, given).method.ensemble) == ["boosting of a:identity"]


@pytest.mark.parametrize("wrong", ["forest", Ridge()], ids=str)
def test_learners_are_a_list(wrong):
    """One alone is refused, with the form that is expected."""
    method = MetaFusion(**QUICK)
    method.set_params(learners=wrong)
    with pytest.raises(TypeError, match=r"learners must be a list of learners, for example \('forest',\)"):
        fit(method, samples())


# Saved and loaded

SAVED = [
    LateFusion(base=LOGISTIC, rule="stacking"),
    LateFusion(base=BaggingClassifier(LogisticRegression(class_weight={0: 1.0, 1: 2.0}), 3), rule="product"),
    EarlyFusion(base=make_pipeline(PCA(3), RandomForestClassifier(3))),
    SingleModality("b", base="boosting"),
    MetaFusion(learners=(RandomForestClassifier(3), LOGISTIC), **QUICK),
    LateFusion(rule="product", hidden=(3,)),
]


@pytest.mark.parametrize("method", SAVED, ids=str)
def test_predictions_are_the_same_after_loading(method, tmp_path):
    """Bit for bit, with the method and its base as text; a loaded model can be copied, saved and fitted again."""
    arrays, y, _ = data()
    model = classifier(method).fit(arrays, y)
    again = load(save(model, tmp_path / "model"))
    assert (again.predict_proba(arrays) == model.predict_proba(arrays)).all()
    assert repr(again) == repr(model)
    assert repr(again.method_) == repr(model.method_)
    twice = load(save(copy.deepcopy(again), tmp_path / "twice"))
    assert (twice.predict_proba(arrays) == model.predict_proba(arrays)).all()
    assert (clone(again).fit(arrays, y).predict_proba(arrays) == model.predict_proba(arrays)).all()


def test_the_base_is_readable_text(tmp_path):
    """The public path of its class, and what differs from its defaults."""
    arrays, y, _ = data()
    base = Pipeline([("reduce", PCA(3)), ("forest", RandomForestClassifier(3, max_depth=2))])
    folder = save(classifier(LateFusion(base=base)).fit(arrays, y), tmp_path / "model")
    text = json.loads((folder / "model.json").read_text())["method"]["params"]["base"]
    assert text["class"] == "sklearn.pipeline.Pipeline"
    forest = text["params"]["steps"]["values"][1][1]
    assert forest["class"] == "sklearn.ensemble.RandomForestClassifier"
    assert forest["params"] == {"n_estimators": 3, "max_depth": 2}


def test_a_foreign_learner_is_loaded_on_trust(tmp_path):
    """Not without: the message names it and says what to write."""
    arrays, y, _ = data()
    model = classifier(LateFusion(base=Constant(share=0.25))).fit(arrays, y)
    folder, name = save(model, tmp_path / "model"), f"{Constant.__module__}.Constant"
    with pytest.raises(ValueError, match=rf"{name}, which is not scikit-learn's.*load\(folder, trusted=\['{name}'\]\)"):
        load(folder)
    again = load(folder, trusted=[name])
    assert (again.predict_proba(arrays) == model.predict_proba(arrays)).all()
    assert again.method_.base.share == 0.25


@pytest.mark.parametrize(
    "path", ["os.system", "sklearn.utils.Bunch", "sklearn.nothing.Here", "sklearn.base.clone", "Malware"]
)
def test_a_file_makes_no_other_objects(path, tmp_path):
    """Functions, other classes and paths that lead nowhere are refused, trusted or not."""
    arrays, y, _ = data()
    folder = save(classifier(SingleModality("a", base=LOGISTIC)).fit(arrays, y), tmp_path / "model")
    text = (folder / "model.json").read_text().replace("sklearn.linear_model.LogisticRegression", path)
    (folder / "model.json").write_text(text)
    for trusted in ([], [path]):
        with pytest.raises(
            ValueError, match="which is not scikit-learn's" if path == "os.system" and not trusted else "damaged"
        ):
            load(folder, trusted=trusted)


def test_softmax_of_outputs_are_the_probabilities():
    """The module's outputs are what every other module's are: unnormalised log-probabilities."""
    given = samples("classification", 3)
    outputs = predict(fit(LateFusion(base=LOGISTIC), given), given).numpy()
    np.testing.assert_allclose(softmax(outputs, axis=1), np.exp(outputs), rtol=0, atol=1e-9)
