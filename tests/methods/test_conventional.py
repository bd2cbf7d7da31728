"""Early, late and intermediate fusion and a single modality are special cases of a cohort."""

import pytest
import torch
from torch import nn

from plait.methods.early import EarlyFusion
from plait.methods.intermediate import IntermediateFusion
from plait.methods.late import LateFusion
from plait.methods.meta import MetaFusion
from plait.methods.single import SingleModality
from plait.nn.dictionary import whole_student
from plait.nn.module import evaluate
from tiny import course, samples

HEAD = {"hidden": (6,), "dropout": 0.2}
INTERMEDIATE = IntermediateFusion(width=3, encoder_hidden=(4,), **HEAD)
ALL = [EarlyFusion(**HEAD), LateFusion(**HEAD), INTERMEDIATE, SingleModality("a", **HEAD)]
KINDS = ["early", "late", "intermediate", "single"]


def fit(method, data, **settings):
    return method.fit(course(data, **{"epochs": 3} | settings))


def predict(fitted, data):
    batch = data.samples.to(torch.device("cpu"), torch.float64)
    return evaluate(fitted.module, batch.features, batch.present)


def agree(one, other, data):
    torch.testing.assert_close(predict(fit(one, data), data), predict(fit(other, data), data), rtol=0, atol=1e-6)


def independent(extractors, **choices):
    """Meta Fusion without mutual learning, predicting by the plain average."""
    return MetaFusion(extractors=extractors, rhos=(0.0,), learners=(), ensemble="simple", **HEAD | choices)


# Special cases of the cohort


@pytest.mark.parametrize("task", ["regression", "classification"])
def test_early_fusion_is_the_student_that_reads_everything(task):
    """On complete samples, with the same seed."""
    agree(EarlyFusion(**HEAD), independent(("identity",)), samples(task, 3))


@pytest.mark.parametrize("task", ["regression", "classification"])
def test_intermediate_fusion_is_the_student_of_trained_encoders(task):
    """On complete samples, with the same seed."""
    agree(INTERMEDIATE, independent(("encoder-3",), encoder_hidden=(4,)), samples(task, 3))


@pytest.mark.parametrize("task", ["regression", "classification"])
@pytest.mark.parametrize("average", ["probabilities", "logits"])
def test_late_fusion_is_the_students_of_one_modality(task, average, monkeypatch):
    """Meta Fusion restricted to unimodal students at rho = 0, simple average; samples with absent modalities too."""
    data = samples(task, 3, absent=0.3)
    singles = tuple(whole_student(data.spec, [name]) for name in data.spec.names)
    monkeypatch.setattr("plait.methods.meta.choose_students", lambda *_: singles)
    agree(LateFusion(average=average, **HEAD), independent(("identity", "null"), average=average), data)


@pytest.mark.parametrize("name", ["a", "b"])
def test_a_single_modality_is_the_student_that_reads_it(name):
    """With the same seed."""
    labels = {"a": ("null",), "b": ("null",)} | {name: ("identity",)}
    agree(SingleModality(name, **HEAD), independent(labels), samples(absent=0.3))


@pytest.mark.parametrize("task", ["regression", "classification"])
def test_with_one_modality_early_late_and_single_are_one(task):
    """There is nothing to fuse."""
    data = samples(task, 2, shapes={"a": (5,)})
    for other in (LateFusion(**HEAD), SingleModality(**HEAD), independent(("identity",))):
        agree(EarlyFusion(**HEAD), other, data)


# What they read


@pytest.mark.parametrize("rule", ["simple", "weighted", "stacking"])
def test_late_fusion_weighs_its_modalities(rule):
    """Equally, by 1 / validation loss, or by stacking; the module and the table tell the same weights."""
    data = samples("classification", 3)
    fitted = fit(LateFusion(rule=rule, **HEAD), data)
    table = fitted.tables["cohort"]
    assert table.index.tolist() == ["a:identity", "b:identity"]
    assert fitted.module.weights.tolist() == pytest.approx(table.weight.tolist())
    expected = {"simple": [1, 1], "weighted": (1 / table.validation_loss).tolist()}.get(rule)
    if expected:
        assert table.weight.tolist() == pytest.approx([one / sum(expected) for one in expected])
    assert table.weight.sum() == pytest.approx(1)


def test_late_fusion_predicts_by_the_modalities_that_are_there():
    """The mean of two predictions, or the one of the modality that is present."""
    data = samples(absent=0.3)
    fitted = fit(LateFusion(**HEAD), data)
    batch = data.samples.to(torch.device("cpu"), torch.float64)
    a, b = fitted.module.students(batch.features, batch.present)
    both, first = batch.present.all(1), batch.present[:, 0]
    expected = torch.where(both[:, None], (a + b) / 2, torch.where(first[:, None], a, b))
    torch.testing.assert_close(predict(fitted, data), expected.detach())


def test_a_single_modality_ignores_the_others():
    """Other values elsewhere change nothing; without the modality a sample gets the training mean."""
    data = samples(absent=0.3, outputs=2)
    fitted = fit(SingleModality("a", **HEAD), data)
    before = predict(fitted, data)
    lacking = ~data.samples.present[:, 0]
    mean = data.samples.target[data.train].mean(0)
    torch.testing.assert_close(before[lacking], mean.double().expand(int(lacking.sum()), 2), rtol=0, atol=1e-6)
    data.samples.features["b"].normal_()
    assert torch.equal(predict(fitted, data), before)


def test_the_prior_of_classes_is_their_frequency():
    """Among the training samples."""
    data = samples("classification", 3, absent=0.3)
    fitted = fit(SingleModality("a", **HEAD), data)
    lacking = ~data.samples.present[:, 0]
    frequencies = data.samples.target[data.train].mean(0).double()
    found = predict(fitted, data).softmax(-1)[lacking]
    torch.testing.assert_close(found, frequencies.expand_as(found), rtol=0, atol=1e-6)


@pytest.mark.parametrize("method", [EarlyFusion(**HEAD), INTERMEDIATE], ids=["early", "intermediate"])
def test_one_student_of_everything_trains_on_incomplete_samples(method):
    """A sample with at least one modality counts: targets of incomplete training samples change the weights."""
    ends = []
    for change in (0.0, 1.0):
        data = samples(absent=0.4)
        incomplete = ~data.samples.present.all(1) & (data.samples.fold < 0)
        data.samples.target[incomplete] += change
        ends.append(predict(fit(method, data), data))
    assert not torch.allclose(*ends)


@pytest.mark.parametrize("method", ALL, ids=KINDS)
@pytest.mark.parametrize("garbage", [float("nan"), 1e30])
def test_values_of_absent_rows_change_nothing(method, garbage):
    """Neither the weights nor a prediction, bit for bit."""
    found = []
    for value in (0.0, garbage):
        data = samples(absent=0.4)
        for place, values in enumerate(data.samples.features.values()):
            values[~data.samples.present[:, place]] = value
        found.append(predict(fit(method, data), data))
    assert torch.equal(*found)


@pytest.mark.parametrize("method", ALL, ids=KINDS)
@pytest.mark.parametrize("folds", [1, 3])
def test_building_again_gives_a_module_that_the_weights_fit_into(method, folds):
    """The same names and shapes, and the same predictions with the weights."""
    data = samples("classification", 3, folds=folds)
    fitted = fit(method, data)
    assert fitted.method is method
    built = method.build(data.spec).double().eval()
    built.load_state_dict(fitted.module.state_dict())
    batch = data.samples.to(torch.device("cpu"), torch.float64)
    assert torch.equal(evaluate(built, batch.features, batch.present), predict(fitted, data))


@pytest.mark.parametrize("method", ALL, ids=KINDS)
def test_the_users_module_is_read_where_one_is_given(method):
    """Trained with the network; modalities without one are read as usual."""
    torch.manual_seed(0)
    module = nn.Sequential(nn.Flatten(), nn.Linear(5, 2))
    data = samples(encoders={"a": module})
    fitted = fit(method, data)
    labels = fitted.tables["cohort"].iloc[0]
    assert labels["a"] == "module"
    copies = [part for part in fitted.module.modules() if isinstance(part, nn.Linear)]
    assert len(copies) == 1
    assert not torch.equal(copies[0].weight, module[1].weight.double())


@pytest.mark.parametrize("method", ALL, ids=KINDS)
@pytest.mark.parametrize(
    "shapes", [{"a": (3,)}, {"a": (2, 3), "b": (1, 2, 2), "c": (4,)}, dict.fromkeys("abcde", (2,))], ids=len
)
def test_any_number_and_shape_of_modalities(method, shapes):
    """One, three and five; series and images are flattened; several outputs."""
    data = samples(outputs=2, shapes=shapes)
    assert predict(fit(method, data, epochs=1), data).shape == (40, 2)


@pytest.mark.parametrize("name", [None, "c"])
def test_a_single_modality_must_be_there(name):
    """With the names of those that are."""
    with pytest.raises(ValueError, match=r"names none of the modalities \['a', 'b'\]"):
        fit(SingleModality(name), samples())
