"""Meta Fusion as a method: what it resolves to, what decides its numbers, and all kinds of data."""

from itertools import product

import numpy as np
import pytest
import torch
from sklearn.base import clone
from torch import nn

from plait.methods.meta import MetaFusion
from plait.nn.criteria import criterion_for
from plait.nn.module import evaluate
from tiny import course, samples

LABELS = {"a": ("identity", "pca-2", "null"), "b": ("identity", "encoder-2", "null")}
QUICK = {"hidden": (4,), "encoder_hidden": (3,), "rhos": (0.0, 1.0)}


def meta(**choices):
    """A quick Meta Fusion of networks."""
    return MetaFusion(**{"extractors": LABELS, "learners": (), "halvings": 0} | QUICK | choices)


def fit(method, data, seed=0, **settings):
    return method.fit(course(data, seed, **{"epochs": 2} | settings))


def predict(fitted, data):
    """Outputs for all samples, in the precision of the fitted module."""
    batch = data.samples.to(torch.device("cpu"), next(fitted.module.parameters()).dtype)
    return evaluate(fitted.module, batch.features, batch.present)


def equal(one, other):
    mine, others = one.module.state_dict(), other.module.state_dict()
    return set(mine) == set(others) and all(torch.equal(mine[name], others[name]) for name in mine)


# The resolved method

ENCODERS = {
    "none": {},
    "trained": {"b": nn.Sequential(nn.Flatten(), nn.Linear(6, 3), nn.BatchNorm1d(3))},
    "frozen": {"b": nn.Sequential(nn.Flatten(), nn.Linear(6, 3)).requires_grad_(requires_grad=False)},
}
SEARCHES = {
    "default": {"extractors": None, "hidden": None},
    "greedy": {},
    "votes": {"ensemble": "weighted-vote"},
    "stacking": {"ensemble": "stacking", "average": "logits"},
    "found": {"extractors": ("identity", "pca-auto", "shared-auto", "individual-auto", "null")},
    "closed": {"learners": ("ridge", "quadratic"), "ensemble": "bagged-greedy"},
    "all found": {
        "extractors": ("pca-auto", "shared-2", "individual-2", "null"),
        "learners": ("quadratic",),
        "ensemble": "simple",
    },
    "sliced": {"extractors": {"a": ("sliced-3", "sliced-2", "null"), "b": ("identity",)}},
}


@pytest.mark.parametrize(
    ("search", "encoders"),
    [
        *((search, "none") for search in SEARCHES),
        *product(("default", "closed"), ("trained", "frozen")),
    ],
)
def test_nothing_is_left_to_search(search, encoders):
    """One rho, one head, every label and weight by name; built again, the saved weights give the same predictions."""
    data = samples("classification", 3, encoders=ENCODERS[encoders], absent=0.2)
    fitted = fit(meta(**SEARCHES[search]), data)
    method = fitted.method
    assert len(method.rhos) == 1
    assert isinstance(method.hidden, tuple)
    assert isinstance(method.ensemble, dict)
    assert sum(method.ensemble.values()) == pytest.approx(1)
    assert min(method.ensemble.values()) > 0
    assert set(method.ensemble) <= set(fitted.tables["cohort"].index)
    assert set(method.extractors) == {"a", "b"}
    built = method.build(data.spec).to(torch.float64).eval()
    shapes = {name: tensor.shape for name, tensor in built.state_dict().items()}
    assert shapes == {name: tensor.shape for name, tensor in fitted.module.state_dict().items()}
    built.load_state_dict(fitted.module.state_dict())
    batch = data.samples.to(torch.device("cpu"), torch.float64)
    assert torch.equal(evaluate(built, batch.features, batch.present), predict(fitted, data))


@pytest.mark.parametrize(
    ("search", "rhos"), [*((search, (0.0, 1.0, 3.0)) for search in SEARCHES), ("greedy", (0.0,)), ("greedy", (2.0,))]
)
def test_the_resolved_method_fits_to_the_same_model(search, rhos):
    """On the same course: the same students and ensemble without the search, and it resolves to itself."""
    data = samples("classification", 3)
    fitted = fit(meta(rhos=rhos, **SEARCHES[search]), data)
    again = fit(fitted.method, data)
    torch.testing.assert_close(predict(again, data), predict(fitted, data), rtol=0, atol=1e-9)
    chosen, repeated = fitted.method.get_params(deep=False), again.method.get_params(deep=False)
    assert repeated.pop("ensemble") == pytest.approx(chosen.pop("ensemble"))
    assert repeated == chosen


def test_the_method_itself_is_not_changed():
    """Fitting leaves the hyperparameters as they were; clone and set_params work."""
    method = meta(rhos=(0.0, 1.0, 3.0))
    before = method.get_params()
    fit(method, samples())
    assert method.get_params() == before
    assert clone(method).set_params(dropout=0.5).dropout == 0.5


def test_the_head_with_the_lower_validation_loss_is_kept():
    """Without widths both heads are tried, each as if it were the only one."""
    data = samples(count=60)
    both = fit(meta(hidden=None), data)
    losses = {}
    for hidden in ((128, 64), ()):
        alone = fit(meta(hidden=hidden), data)
        held = data.samples.rows(data.validation)
        outputs = predict(alone, data)[data.validation]
        losses[hidden] = float(criterion_for(data.spec).loss(outputs, held.target.double()))
        if hidden == both.method.hidden:
            assert equal(alone, both)
    assert both.method.hidden == min(losses, key=losses.get)


# What decides the numbers


@pytest.mark.parametrize("labels", [LABELS, {"a": ("sliced-2", "null"), "b": ("module", "identity")}])
def test_the_seed_decides_every_number(labels):
    """The same seed gives the same model bit for bit, another seed another; torch's own numbers are left alone."""
    torch.manual_seed(0)
    module = nn.Sequential(nn.Flatten(), nn.Linear(6, 3), nn.Dropout(0.5))
    data = samples(absent=0.2, encoders={"b": module})
    method = meta(extractors=labels, dropout=0.5, screening="paper")
    before = torch.get_rng_state()
    first, second, other = (fit(method, data, seed) for seed in (1, 1, 2))
    assert torch.equal(torch.get_rng_state(), before)
    assert equal(first, second)
    assert not equal(first, other)


@pytest.mark.parametrize("garbage", [float("nan"), 1e30])
@pytest.mark.parametrize("folds", [1, 2])
def test_values_of_absent_rows_train_nobody(folds, garbage):
    """Whatever stands there, the fitted model is the same bit for bit, for every kind of extractor."""
    torch.manual_seed(0)
    modules = {"a": nn.Linear(5, 2), "c": nn.Linear(3, 2).requires_grad_(requires_grad=False)}
    labels = {
        "a": ("module", "identity", "null"),
        "b": ("encoder-2", "null") if folds > 1 else ("encoder-2", "sliced-2", "null"),
        "c": ("pca-2", "module", "null"),
    }
    fits = []
    for value in (0.0, garbage):
        data = samples(shapes={"a": (5,), "b": (2, 3), "c": (3,)}, absent=0.4, encoders=modules, folds=folds)
        for place, values in enumerate(data.samples.features.values()):
            values[~data.samples.present[:, place]] = value
        fits.append(fit(meta(extractors=labels), data))
    assert equal(*fits)
    assert all(tensor.isfinite().all() for tensor in fits[0].module.state_dict().values())


@pytest.mark.parametrize("task", ["regression", "classification"])
def test_precisions_fit_the_same_model(task):
    """Double precision keeps double weights; single and mixed precision predict about the same."""
    data = samples(task, 3, absent=0.2)
    method = meta(extractors=("identity", "pca-2", "encoder-2", "null"), ensemble="simple", dropout=0.0)
    fits = {precision: fit(method, data, precision=precision) for precision in ("float64", "float32", "bfloat16")}
    kinds = {name: next(fitted.module.cohort.parameters()).dtype for name, fitted in fits.items()}
    assert kinds == {"float64": torch.float64, "float32": torch.float32, "bfloat16": torch.float32}
    found = {name: predict(fitted, data).double() for name, fitted in fits.items()}
    torch.testing.assert_close(found["float32"], found["float64"], rtol=0, atol=1e-3)
    torch.testing.assert_close(found["bfloat16"], found["float64"], rtol=0.1, atol=0.1)


# Ensembles and tables


@pytest.mark.parametrize(
    "ensemble",
    ["greedy", "greedy-replacement", "best", "simple", "weighted", "stacking", "majority", "weighted-vote"],
)
def test_every_ensemble_is_learned(ensemble):
    """Weights of the students sum to 1; the table, the module and the resolved method tell the same."""
    data = samples("classification", 3)
    fitted = fit(meta(ensemble=ensemble), data)
    weights = fitted.tables["cohort"].weight
    assert weights.sum() == pytest.approx(1)
    assert fitted.module.weights.tolist() == pytest.approx(weights.tolist())
    assert fitted.method.ensemble == pytest.approx(weights[weights > 0].to_dict())
    assert fitted.method.average == ("votes" if ensemble in ("majority", "weighted-vote") else "probabilities")


def test_an_ensemble_by_name_is_taken_as_it_is():
    """Its weights scaled to sum to 1, all other students silent."""
    fitted = fit(meta(ensemble={"a:identity": 3.0, "b:encoder-2": 1.0}), samples())
    assert fitted.method.ensemble == pytest.approx({"a:identity": 0.75, "b:encoder-2": 0.25})


@pytest.mark.parametrize(
    ("ensemble", "message"),
    [
        ({}, "some positive"),
        ({"a:identity": "a"}, r"ensemble\['a:identity'\].*'a'"),
        ({"a:identity": 0.0}, "some positive"),
        ({"a:identity": 2.0, "b:identity": -1.0}, "of at least 0"),
        ({"a:pca-9": 1.0}, r"lacks: \['a:pca-9'\]"),
        ("median", "must be one of"),
    ],
)
def test_ensembles_that_cannot_be_are_refused(ensemble, message):
    """Empty, negative, of unknown students, or by an unknown rule."""
    method = meta()
    method.set_params(ensemble=ensemble)
    with pytest.raises(ValueError, match=message):
        fit(method, samples())


def test_votes_need_classes():
    """A regression cannot vote."""
    with pytest.raises(ValueError, match="Voting needs classes"):
        fit(meta(ensemble="majority"), samples())


def test_the_table_of_the_cohort():
    """One row a student in the order of enumeration: what it reads, its losses, whether it teaches, its weight."""
    fitted = fit(meta(), samples())
    table = fitted.tables["cohort"]
    assert list(table) == ["a", "b", "kind", "validation_loss", "independent_loss", "epoch", "teaches", "weight"]
    assert table.index[0] == "a:identity + b:identity"
    assert table.loc["a:pca-2 + b:encoder-2", ["a", "b"]].tolist() == ["pca-2", "encoder-2"]
    assert table.loc["b:identity", "a"] == "null"
    assert (table.kind == "network").all()
    assert table.teaches.any()
    assert (table.validation_loss > 0).all()


def test_values_of_the_modalities_sum_to_the_worth_of_all():
    """Shapley values; the modality that the target does not depend on is worth less."""
    data = samples(count=120)
    data.samples.target[:] = data.samples.features["a"].sum(1, keepdim=True) / 2
    table = fit(meta(hidden=()), data, epochs=15, learning_rate=0.1, batch_size=32).tables["modality_values"]
    assert list(table) == ["value", "alone", "added"]
    assert table.value["a"] > 5 * abs(table.value["b"])
    worth_of_both = table.alone["b"] + table.added["a"]
    assert table.value.sum() == pytest.approx(worth_of_both)


# All kinds of data

SHAPES = [
    {"a": (4,)},
    {"a": (4,), "b": (2, 3)},
    {"series": (2, 6), "image": (1, 3, 3), "table": (4,)},
    dict.fromkeys("abcde", (2,)),
]


@pytest.mark.parametrize("shapes", SHAPES, ids=len)
@pytest.mark.parametrize(("task", "outputs"), [("regression", 3), ("classification", 2)])
def test_any_task_and_any_modalities(task, outputs, shapes):
    """One to five modalities of any shape, one or several outputs, classes, with absent rows."""
    data = samples(task, outputs, shapes=shapes, absent=0.3 if len(shapes) > 1 else 0.0)
    fitted = fit(meta(extractors=("identity", "pca-1", "null"), max_students=12), data, epochs=1)
    assert predict(fitted, data).shape == (40, outputs)
    assert predict(fitted, data).isfinite().all()
    assert len(fitted.tables["cohort"]) == min(3 ** len(shapes) - 1, 12)
    assert len(fitted.tables["modality_values"]) == len(shapes)


@pytest.mark.parametrize("validation", ["hold-out", "folds"])
def test_a_modality_that_is_never_there_harms_nobody(validation):
    """All its rows absent: students that read it stay out of the ensemble."""
    data = samples(folds=1 if validation == "hold-out" else 2)
    data.samples.present[:, 1] = False
    data.samples.features["b"].zero_()
    fitted = fit(meta(extractors=("identity", "pca-2", "null")), data)
    weights = fitted.tables["cohort"].weight
    assert weights[weights > 0].index.tolist() == [name for name in weights[weights > 0].index if "b:" not in name]
    assert predict(fitted, data).isfinite().all()


def test_mutual_learning_helps_single_students_on_redundant_noisy_modalities():
    """Two noisy copies of one signal: with teachers the joint students lose less on new samples than alone."""
    draw = torch.Generator().manual_seed(0)
    data, new = (redundant(draw, count) for count in (120, 2000))
    method = meta(extractors=("identity", "null"), hidden=(), teachers="uniform", ensemble="simple")
    losses = {}
    for rho in (0.0, 5.0):
        fitted = fit(method.set_params(rhos=(rho,)), data, epochs=40, learning_rate=0.05, batch_size=128)
        with torch.no_grad():
            each = fitted.module.students({k: v.double() for k, v in new.samples.features.items()}, new.samples.present)
        losses[rho] = (each - new.samples.target.double()).square().mean((1, 2))
    assert losses[5.0][0] < losses[0.0][0]
    assert losses[5.0].mean() < losses[0.0].mean()


def redundant(draw, count):
    """Samples of the specification's second table: X_k = V v' + N, Y = V + 0.5 N."""
    data = samples(shapes={"a": (20,), "b": (20,)}, count=count)
    latent = torch.randn(count, 1, generator=draw)
    for values in data.samples.features.values():
        values.copy_(latent / np.sqrt(20) + torch.randn(count, 20, generator=draw))
    data.samples.target.copy_(latent + 0.5 * torch.randn(count, 1, generator=draw))
    return data


def test_the_papers_method_is_as_published():
    """All combinations, no dropout, one k-means, logits, the first positive rho from the students at rho = 0."""
    labels = {"a": ["pca-4", "pca-2", "null"], "b": ["encoder-3", "null"]}
    method = MetaFusion.paper(labels, (8,))
    fitted = fit(method, samples("classification", 3))
    cohort = fitted.tables["cohort"]
    assert len(cohort) == 3 * 2 - 1
    assert fitted.method.average == "logits"
    assert (method.dropout, method.screening, method.init, method.learners) == (0.0, "paper", "paper", ())
    assert set(cohort["a"]) == {"pca-4", "pca-2", "null"}
