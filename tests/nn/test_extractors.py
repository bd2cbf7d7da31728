"""What students read: labels, principal components, frozen representations."""

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA as ReferencePCA
from torch import nn

from plait.data.spec import DataSpec
from plait.methods.meta import MetaFusion
from plait.nn.cohort import Cohort
from plait.nn.criteria import criterion_for
from plait.nn.extractors import PCA, Encoder, Identity, Module, Sliced, parse, parse_dictionary
from plait.nn.parts import Parts
from plait.nn.representations import Projection, Representations, SlicedEncoder
from plait.training.ensembling import fit_representations
from tiny import cached, course, plan, samples

SPEC = DataSpec({"a": (5,), "b": (2, 3)}, 1, "regression")
LABELS = {"identity": Identity(), "pca-3": PCA(3), "encoder-4": Encoder(4), "sliced-2": Sliced(2), "module": Module()}


# Labels


@pytest.mark.parametrize("label", LABELS)
def test_labels_stand_for_extractors_and_back(label):
    """parse and .label are inverse."""
    assert parse(label) == LABELS[label]
    assert parse(label).label == label


def test_null_is_nothing():
    """The student ignores the modality."""
    assert parse("null") is None


@pytest.mark.parametrize("label", ["", "pca", "pca-", "pca-0", "pca--3", "pca-3.5", "pca-x", "identity-3", "PCA-3"])
def test_other_texts_are_refused(label):
    """With the list of what can be said."""
    with pytest.raises(ValueError, match="'null', 'identity', 'module', or a kind with a width"):
        parse(label)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ({"a": ["identity"]}, r"names the modalities \['a'\], the data \['a', 'b'\]"),
        ({"a": ["identity"], "b": ["identity"], "c": ["null"]}, "names the modalities"),
        ({"a": [], "b": ["identity"]}, "'a' is empty or repeats"),
        ({"a": ["pca-2", "pca-02"], "b": ["identity"]}, "'a' is empty or repeats"),
        ({"a": ["identity"], "b": ["pca-7"]}, r"more values than modality 'b' has features \(6\)"),
        ({"a": ["module"], "b": ["identity"]}, r"no encoder was given for it.*encoders=\{'a'"),
    ],
)
def test_a_dictionary_is_checked_against_the_data(labels, message):
    """Modalities, repetitions, widths and encoders."""
    with pytest.raises(ValueError, match=message):
        parse_dictionary(labels, SPEC)


# Principal components


def projected(values, rank):
    """Components of one modality of six features."""
    projection = Projection(6, rank)
    projection.take(Parts(["a"], {"a": values}, torch.ones(len(values), 1, dtype=torch.bool)).components("a", rank))
    return projection


@pytest.mark.parametrize("shape", [(6,), (2, 3)])
def test_components_are_those_of_scikit_learn(shape):
    """Scores equal up to the sign, which is that of the largest loading; samples of any shape."""
    values = torch.randn(30, *shape, generator=torch.Generator().manual_seed(0))
    projection = projected(values, 4)
    expected = ReferencePCA(4, svd_solver="full").fit_transform(values.flatten(1).double().numpy())
    found = projection(values)["pca"].numpy()
    assert np.abs(np.abs(found) - np.abs(expected)).max() < 2e-6
    components = projection.components.numpy()
    assert (components.max(axis=0) == np.abs(components).max(axis=0)).all()


def test_narrower_components_are_the_first_columns_of_wider_ones():
    """One decomposition serves all widths."""
    values = torch.randn(30, 6, generator=torch.Generator().manual_seed(0))
    narrow, wide = projected(values, 2), projected(values, 5)
    assert torch.equal(narrow.components, wide.components[:, :2])
    assert torch.allclose(narrow(values)["pca"], wide(values)["pca"][:, :2], rtol=0, atol=1e-6)


def test_students_of_several_widths_read_one_projection():
    """A student's pca-2 block reads the first two columns of the representation of width 4."""
    data = samples()
    planned = plan(data, {"a": ("pca-4", "pca-2"), "b": ("null",)})
    read = Representations(planned.spec, planned.students)
    assert len(read.of_kind(Projection)) == 1
    prepared = cached(data, planned).samples
    assert prepared.features["a/pca"].shape == (40, 4)
    cohort = Cohort(planned)
    before = cohort(prepared.features, prepared.present)
    prepared.features["a/pca"][:, 2:] = 7.0
    changed = (cohort(prepared.features, prepared.present) - before).abs().amax((1, 2)) > 0
    assert changed.tolist() == [True, False]


@pytest.mark.parametrize("rows", [0, 1, 3])
def test_components_beyond_the_rank_are_zero(rows):
    """Fewer samples than components, down to none at all, give zeros and never NaN."""
    projection = projected(torch.randn(rows, 6, generator=torch.Generator().manual_seed(0)), 5)
    assert (projection.components.abs().sum(0) > 0).sum() == max(rows - 1, 0)
    assert projection(torch.ones(2, 6))["pca"].isfinite().all()


def test_components_come_from_present_training_samples_alone():
    """Validation samples and absent rows may hold anything."""
    data = samples(absent=0.3)
    planned = plan(data, ("pca-3", "null"))
    expected = fit_representations(planned, course(data))
    assert not data.samples.present[data.train].all()
    for place, values in enumerate(data.samples.features.values()):
        values[data.validation] = 1e3
        values[~data.samples.present[:, place]] = torch.nan
    found = fit_representations(planned, course(data))
    for (_, one), (_, other) in zip(expected.of_kind(Projection), found.of_kind(Projection), strict=True):
        assert torch.equal(one.components, other.components)
        assert torch.equal(one.mean, other.mean)


# Frozen parts


def test_representations_are_zero_where_the_modality_is_absent():
    """Whatever the rows held, NaN included, and for every kind."""
    encoder = nn.Sequential(nn.Flatten(), nn.Linear(6, 3)).requires_grad_(requires_grad=False)
    data = samples(absent=0.4, encoders={"b": encoder})
    planned = plan(data, {"a": ("identity", "pca-2", "sliced-3", "encoder-2"), "b": ("module", "identity")})
    read = Representations(planned.spec, planned.students)
    read.fit_projections(Parts(data.spec.names, data.samples.features, data.samples.present))
    for place, values in enumerate(data.samples.features.values()):
        values[~data.samples.present[:, place]] = torch.nan
    found = read(data.samples.features, data.samples.present)
    assert set(found) == {"a/identity", "a/pca", "a/sliced-3", "b/module", "b/identity"}
    for key, values in found.items():
        here = data.samples.present[:, "ab".index(key[0])]
        assert values[here].isfinite().all()
        assert not values[~here].any()


def test_sliced_representations_are_nested_and_after_the_relu():
    """Each is read off behind the ReLU of its layer; the narrower is computed from the wider."""
    data = samples()
    planned = plan(data, {"a": ("sliced-2", "sliced-4", "null"), "b": ("null",)}, encoder_hidden=(6,))
    read = Representations(planned.spec, planned.students, planned.encoder_hidden)
    [(name, encoder)] = read.of_kind(SlicedEncoder)
    assert name == "a"
    assert [layer.out_features for layer in encoder.layers] == [6, 4, 2, 1]
    values = data.samples.features["a"]
    first, wide, narrow, last = encoder.layers
    expected_wide = wide(first(values).relu()).relu()
    found = encoder(values)
    assert torch.equal(found["sliced-4"], expected_wide)
    assert torch.equal(found["sliced-2"], narrow(expected_wide).relu())
    assert torch.equal(encoder.predict(values), last(found["sliced-2"]))


def test_sliced_encoders_learn_alone_and_then_stay_frozen():
    """They are better than at the start, need no gradient, and training the cohort does not move them."""
    data = samples(count=80)
    labels = {"a": ("sliced-3", "sliced-2"), "b": ("identity", "null")}
    settings = {"epochs": 10, "weight_decay": 0.1}
    fitted = MetaFusion(labels, hidden=(4,), rhos=(0.0, 1.0), learners=()).fit(course(data, **settings))
    alone = fit_representations(plan(data, labels, encoder_hidden=(256,)), course(data, **settings))
    for (name, value), expected in zip(
        fitted.module.representations.named_parameters(), alone.parameters(), strict=True
    ):
        assert torch.equal(value, expected), name
        assert not value.requires_grad
    [(_, encoder)] = alone.of_kind(SlicedEncoder)
    criterion, batch = criterion_for(data.spec), data.samples.rows(data.validation)
    trained = criterion.loss(encoder.predict(batch.features["a"].double()), batch.target)
    assert trained < batch.target.var()


def test_sliced_encoders_refuse_folds():
    """They would have seen the targets of the samples that validate their students."""
    data = samples(folds=3)
    with pytest.raises(ValueError, match=r"'a' has sliced encoders.*3 folds.*hold-out"):
        MetaFusion({"a": ("sliced-2",), "b": ("identity",)}, hidden=()).fit(course(data))


@pytest.mark.parametrize("rows", ["train", "validation"])
def test_sliced_encoders_need_samples_that_have_the_modality(rows):
    """Named, with the counts, instead of a message about a diverged training."""
    data = samples()
    data.samples.present[getattr(data, rows), 0] = False
    with pytest.raises(ValueError, match=r"'a' has sliced encoders, but \d+ training and \d+ validation"):
        MetaFusion({"a": ("sliced-2", "null"), "b": ("identity",)}, hidden=()).fit(course(data))
