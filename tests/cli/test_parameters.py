"""Parameters are typed by what the method declares, not by how they look."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NoReturn

import pytest

from plait.cli.parameters import method_from_text
from plait.data.spec import DataSpec
from plait.methods.base import Method


@dataclass(repr=False, eq=False)
class Toy(Method):
    """Parameters of all kinds."""

    widths: tuple[int, ...] | None = None
    rates: tuple[float, ...] = (0.0,)
    share: float = 0.5
    most: int | None = 3
    rule: Literal["best", "all"] | Mapping[str, float] = "best"
    reads: Mapping[str, Iterable[str]] | Iterable[str] | None = None
    name: str | None = None
    exact: bool = False

    def build(self, spec: DataSpec) -> NoReturn:
        """Not needed."""
        raise NotImplementedError


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("widths=64,32", (64, 32)),
        ("widths=64", (64,)),
        ("widths=()", ()),
        ("widths=None", None),
        ("rates=0", (0.0,)),
        ("rates=0,1e-2", (0.0, 0.01)),
        ("share=1", 1.0),
        ("most=None", None),
        ("rule=all", "all"),
        ("rule={'a': 1, 'b': 0.5}", {"a": 1.0, "b": 0.5}),
        ("reads=identity", ("identity",)),
        ("reads=identity, pca-20", ("identity", "pca-20")),
        ("reads={'a': ['identity']}", {"a": ["identity"]}),
        ("name=audio", "audio"),
        ("name=1", "1"),
        ("name=a=b,c", "a=b,c"),
        ("exact=True", True),
    ],
)
def test_a_value_is_read_as_the_type_of_its_parameter(text: str, value: Any) -> None:
    """A single number is a tuple where one is wanted, a float where one is, and text where text is."""
    found = method_from_text(Toy, [text]).get_params()[text.partition("=")[0]]
    assert repr(found) == repr(value)


NAMES = "'exact', 'most', 'name', 'rates', 'reads', 'rule', 'share', 'widths'"


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["widths=wide"], "--param widths=wide: tuple.* is expected"),
        (["widths=1.5"], "--param widths=1.5: "),
        (["share=True"], "--param share=True: float is expected"),
        (["most=2.5"], "--param most=2.5: int | None is expected"),
        (["rule=votes"], "--param rule=votes: .*Literal.'best', 'all'.* is expected"),
        (["exact=1"], "--param exact=1: bool is expected"),
        (["widths"], f"takes NAME=VALUE, each name once, of {NAMES}; got 'widths'"),
        (["depth=3"], "got 'depth=3'"),
        (["share=0", "share=0.1"], "got 'share=0.1'"),
    ],
)
def test_what_is_no_such_parameter_or_value_is_refused(texts: list[str], message: str) -> None:
    """With the names, or the type, that are expected."""
    with pytest.raises(ValueError, match=message):
        method_from_text(Toy, texts)
