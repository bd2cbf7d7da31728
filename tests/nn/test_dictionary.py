"""Labels whose numbers are found from data, and students that read the same kind of everything."""

import pytest
import torch

from plait.data.spec import DataSpec
from plait.nn.dictionary import alike_students, found_labels, narrowed
from plait.nn.extractors import parse_dictionary
from plait.nn.parts import Parts

SPEC = DataSpec({"a": (20,), "b": (15,), "c": (3,)}, 1, "regression")
AUTO = ("identity", "pca-auto", "shared-auto", "individual-auto", "null")


def parts(shared=2):
    """Samples of latents, of which the first two modalities share some; the third has one of its own."""
    draw = torch.Generator().manual_seed(0)
    common = torch.randn(500, shared, generator=draw)
    own = {"a": 3, "b": 2, "c": 1}
    latents = {name: torch.randn(500, count, generator=draw) for name, count in own.items()}
    latents |= {name: torch.cat([common, latents[name]], 1) for name in "ab"}
    values = {
        name: one @ torch.randn(one.shape[1], SPEC.width(name), generator=draw)
        + 0.1 * torch.randn(500, SPEC.width(name), generator=draw)
        for name, one in latents.items()
    }
    return Parts(SPEC.names, values, torch.ones(500, 3, dtype=torch.bool))


def test_numbers_are_found():
    """Components above noise, directions that two of three share, what each has beside."""
    found = found_labels(dict.fromkeys("abc", AUTO), SPEC, parts())
    assert found["a"] == ("identity", "pca-5", "shared-2", "individual-3", "null")
    assert found["b"] == ("identity", "pca-4", "shared-2", "individual-2", "null")
    assert found["c"] == ("identity", "pca-1", "shared-2", "individual-1", "null")
    parse_dictionary(found, SPEC)


def test_what_there_is_nothing_of_is_left_out():
    """Nothing shared: neither a shared nor an individual part."""
    found = found_labels(dict.fromkeys("abc", AUTO), SPEC, parts(shared=0))
    assert found["a"] == ("identity", "pca-3", "null")


@pytest.mark.parametrize("asked", [("shared-auto",), ("individual-auto", "null"), ("shared-auto", "individual-auto")])
def test_a_modality_of_which_nothing_would_be_left_is_read_as_it_is(asked):
    found = found_labels(dict.fromkeys("ab", asked), SPEC, parts(shared=0))
    assert found["a"] == ("identity", *(label for label in asked if label == "null"))
    assert found_labels({"a": ("null",)}, SPEC, parts()) == {"a": ("null",)}


def test_constant_features_have_nothing_that_stands_out():
    constant = {name: torch.ones(20, SPEC.width(name)) for name in "abc"}
    found = found_labels(dict.fromkeys("abc", AUTO), SPEC, Parts(SPEC.names, constant, torch.ones(20, 3).bool()))
    assert set(found.values()) == {("identity", "null")}


def test_only_modalities_that_list_a_joint_part_share():
    """One alone has nobody to share with."""
    labels = {"a": AUTO, "b": ("identity", "pca-auto"), "c": ("identity",)}
    assert found_labels(labels, SPEC, parts())["a"] == ("identity", "pca-5", "null")
    labels["b"] = ("shared-auto",)
    assert found_labels(labels, SPEC, parts()) == {
        "a": ("identity", "pca-5", "shared-2", "individual-3", "null"),
        "b": ("shared-2",),
        "c": ("identity",),
    }


def test_other_labels_stay():
    """And what is found twice is there once."""
    labels = {"a": ("pca-5", "pca-auto", "encoder-3"), "b": ("module",), "c": ("null", "identity")}
    found = found_labels(labels, SPEC, parts())
    assert found == {"a": ("pca-5", "encoder-3"), "b": ("module",), "c": ("null", "identity")}


def test_without_samples_numbers_are_guessed():
    """For a module that is built before there are data: half the features, and nothing shared."""
    assert found_labels({"a": AUTO, "c": AUTO}, SPEC, None) == {
        "a": ("identity", "pca-10", "null"),
        "c": ("identity", "pca-1", "null"),
    }


def names(labels):
    return {student.name for student in alike_students(parse_dictionary(labels, SPEC))}


def test_students_read_the_same_kind():
    """Of one modality, of two, and of all; where one has nothing of a kind, its first stands in for all."""
    labels = {"a": ("identity", "pca-4", "pca-2", "null"), "b": ("pca-3", "null"), "c": ("null", "identity")}
    assert names(labels) == {
        "a:identity",
        "c:identity",
        "a:identity + c:identity",
        "a:identity + b:pca-3 + c:identity",
        "a:pca-4",
        "b:pca-3",
        "a:pca-4 + b:pca-3",
        "a:pca-4 + b:pca-3 + c:identity",
    }


@pytest.mark.parametrize("kind", ["pca-2", "identity"])
def test_one_modality_has_one_student_a_kind(kind):
    """No pair, and all of it is itself."""
    spec = DataSpec({"a": (20,)}, 1, "regression")
    assert [one.name for one in alike_students(parse_dictionary({"a": (kind, "null")}, spec))] == [f"a:{kind}"]


def test_networks_do_not_read_very_many_features():
    """Unless a modality of more than 256 has nothing else."""
    spec = DataSpec({"a": (257,), "b": (256,), "c": (300,)}, 1, "regression")
    labels = {"a": ("identity", "pca-9", "null"), "b": ("identity", "pca-9"), "c": ("identity", "null")}
    dictionary = narrowed(parse_dictionary(labels, spec), spec)
    found = {name: [one.label if one else "null" for one in of] for name, of in dictionary.items()}
    assert found == {"a": ["pca-9", "null"], "b": ["identity", "pca-9"], "c": ["identity", "null"]}


def test_a_modality_with_an_encoder_falls_back_on_that():
    spec = DataSpec(SPEC.shapes, 1, "regression", {"a": torch.nn.Linear(20, 2)})
    assert found_labels({"a": ("shared-auto",), "b": ("shared-auto",)}, spec, parts(shared=0))["a"] == ("module",)
