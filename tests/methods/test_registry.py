"""Methods are found by the names that people type."""

import pytest

from plait import methods
from plait.methods.registry import method_by_name, methods_by_name


@pytest.mark.parametrize("name", ["meta-fusion", "meta", "MetaFusion", "Meta-Fusion"])
def test_a_method_has_a_name_in_hyphens_and_a_short_one(name: str) -> None:
    """Both are those of its class."""
    assert method_by_name(name) is methods.MetaFusion


def test_every_exported_method_is_found_and_nothing_else() -> None:
    """What the package exports is the register."""
    assert methods_by_name()["single-modality"] is methods.SingleModality
    assert {kind.__name__ for kind in methods_by_name().values()} == set(methods.__all__) - {"Fitted", "Method"}


def test_an_unknown_name_is_refused_with_those_there_are() -> None:
    """So that the next try succeeds."""
    with pytest.raises(ValueError, match=r"no method 'magic'. The methods are .*meta-fusion"):
        method_by_name("magic")
