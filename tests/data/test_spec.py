"""What a method may know of the data, and how it is written down."""

import json

import pytest
from torch import nn

from plait.data.spec import DataSpec


def test_names_and_widths_follow_the_shapes() -> None:
    """Order is kept; a width is the product of a shape."""
    spec = DataSpec({"sound": (7,), "image": (3, 4, 5)}, 2, "classification")
    assert spec.names == ("sound", "image")
    assert (spec.width("sound"), spec.width("image")) == (7, 60)
    with pytest.raises(KeyError, match="'text'; the modalities are 'sound', 'image'"):
        spec.width("text")


def test_json_brings_it_back_in_order_whatever_the_writer_sorts() -> None:
    """Everything but the encoders is text."""
    spec = DataSpec({"z": (2,), "a": (3, 4)}, 5, "regression")
    again = DataSpec.from_json(json.loads(json.dumps(spec.to_json(), sort_keys=True)))
    assert again == spec
    assert again.names == ("z", "a")


def test_encoders_are_given_again_on_reading() -> None:
    """A file holds no code."""
    encoder = nn.Linear(3, 2)
    spec = DataSpec({"a": (3,)}, 1, "regression", {"a": encoder})
    assert "encoders" not in spec.to_json()
    assert DataSpec.from_json(spec.to_json(), {"a": encoder}).encoders["a"] is encoder


WRONG = {
    "no modality": ({}, 1, "regression", "at least one modality"),
    "never had a shape": (
        {"a": (0,)},
        1,
        "regression",
        r"'a' has sample shape \(0,\).*absent in all samples",
    ),
    "no shape": ({"a": ()}, 1, "regression", r"'a' has sample shape \(\)"),
    "no output": ({"a": (1,)}, 0, "regression", "at least 1 for regression, got 0"),
    "one class": ({"a": (1,)}, 1, "classification", "at least 2 for classification, got 1"),
}


@pytest.mark.parametrize(("shapes", "outputs", "task", "message"), WRONG.values(), ids=WRONG.keys())
def test_values_out_of_range_are_refused(shapes: dict, outputs: int, task: str, message: str) -> None:
    """The error names the modality or the parameter, and the range."""
    with pytest.raises(ValueError, match=message):
        DataSpec(shapes, outputs, task)


def test_encoders_of_strangers_are_refused() -> None:
    """A mistyped name would otherwise be ignored."""
    with pytest.raises(ValueError, match=r"not there: 'imgae'. The modalities are 'image'"):
        DataSpec({"image": (3,)}, 1, "regression", {"imgae": nn.Linear(3, 2)})


GOOD = {"task": "regression", "outputs": 1, "folds": 1, "modalities": [{"name": "a", "shape": [3]}]}
DAMAGED = {
    "nothing": None,
    "a list": [],
    "no task": {key: value for key, value in GOOD.items() if key != "task"},
    "another task": GOOD | {"task": "ranking"},
    "a list for a task": GOOD | {"task": ["regression"]},
    "half an output": GOOD | {"outputs": 0.5},
    "no modalities": GOOD | {"modalities": []},
    "a modality without shape": GOOD | {"modalities": [{"name": "a"}]},
    "a negative size": GOOD | {"modalities": [{"name": "a", "shape": [-1]}]},
    "a word for a shape": GOOD | {"modalities": [{"name": "a", "shape": "wide"}]},
}


@pytest.mark.parametrize("saved", DAMAGED.values(), ids=DAMAGED.keys())
def test_a_damaged_file_is_refused(saved: object) -> None:
    """One ValueError, nothing half read."""
    with pytest.raises(ValueError, match=r"spec|task|outputs|shape"):
        DataSpec.from_json(saved)
