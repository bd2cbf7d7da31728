"""Parameters are typed by what the method declares, not by how they look."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NoReturn

import pytest
from sklearn.base import BaseEstimator

from plait import Baseline, SkewPairFusion, StepFusion
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
    learners: tuple[BaseEstimator | Literal["linear", "forest"], ...] = ()
    name: str | None = None
    exact: bool = False
    pairs: Sequence[tuple[int, int] | str] | None = None

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
        ("share=inf", float("inf")),
        ("share=-inf", float("-inf")),
        ("rates=0,inf", (0.0, float("inf"))),
        ("rule={'inf': -inf}", {"inf": float("-inf")}),
        ("most=None", None),
        ("rule=all", "all"),
        ("rule={'a': 1, 'b': 0.5}", {"a": 1.0, "b": 0.5}),
        ("reads=identity", ("identity",)),
        ("reads=identity, pca-20", ("identity", "pca-20")),
        ("reads={'a': ['identity']}", {"a": ["identity"]}),
        ("name=audio", "audio"),
        ("name=1", "1"),
        ("name=inf", "inf"),
        ("name=a=b,c", "a=b,c"),
        ("exact=True", True),
        ("reads=(identity, pca-20)", ("identity", "pca-20")),
        ("reads=identity; pca-20", ("identity", "pca-20")),
        ("reads=1,2", ("1", "2")),
        ("pairs=((5, 2),)", ((5, 2),)),
        ("pairs=(5, 2)", ((5, 2),)),
        ("pairs=5,2", ((5, 2),)),
        ("pairs=[(5, 2), 'a@1 + b@2']", [(5, 2), "a@1 + b@2"]),
        ("pairs=a@5 + b@2", ("a@5 + b@2",)),
        ("pairs=a@5 + b@2; a@3 + c@1", ("a@5 + b@2", "a@3 + c@1")),
        ("pairs=(a@5 + b@2, a@3 + c@1)", ("a@5 + b@2", "a@3 + c@1")),
        ("pairs=()", ()),
        ("pairs=None", None),
    ],
)
def test_a_value_is_read_as_the_type_of_its_parameter(text: str, value: Any) -> None:
    """A single number is a tuple where one is wanted, a float where one is, and text where text is."""
    found = method_from_text(Toy, [text]).get_params()[text.partition("=")[0]]
    assert repr(found) == repr(value)


NAMES = "'exact', 'learners', 'most', 'name', 'pairs', 'rates', 'reads', 'rule', 'share', 'widths'"


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["widths=wide"], "--param widths=wide: a list of int or None is expected"),
        (["widths=1.5"], "--param widths=1.5: "),
        (["share=True"], "--param share=True: float is expected"),
        (["share=nan"], "--param share=nan: float is expected"),
        (["share=-nan"], "--param share=-nan: float is expected"),
        (["rates=0,nan"], "--param rates=0,nan: a list of float is expected"),
        (["most=2.5"], "--param most=2.5: int or None is expected"),
        (["most=inf"], "--param most=inf: int or None is expected"),
        (["rule=votes"], "--param rule=votes: 'best', 'all' or a mapping of str to float is expected"),
        (["learners=tree"], "--param learners=tree: a list of 'linear' or 'forest' is expected"),
        (["exact=1"], "--param exact=1: bool is expected"),
        (["pairs=((5, 2, 3),)"], r"pairs=\(\(5, 2, 3\),\): a list of \(int, int\) or str or None is expected"),
        (["pairs=((5, 2.5),)"], r"a list of \(int, int\) or str or None is expected"),
        (["widths"], "takes NAME=VALUE, each name once; got 'widths'"),
        (["depth=3"], rf"Toy has no parameter 'depth'; it has {NAMES}\."),
        (["share=0", "share=0.1"], "got 'share=0.1'"),
    ],
)
def test_what_is_no_such_parameter_or_value_is_refused(texts: list[str], message: str) -> None:
    """With the names, or the type, that are expected."""
    with pytest.raises(ValueError, match=message):
        method_from_text(Toy, texts)


def test_every_parameter_of_a_large_method_is_listed() -> None:
    """All of them, however many; a method without parameters says that it has none."""
    with pytest.raises(ValueError, match=r"StepFusion has no parameter 'foo'; it has .*'variant', 'width'") as caught:
        method_from_text(StepFusion, ["foo=1"])
    assert all(repr(name) in str(caught.value) for name in StepFusion().get_params())
    with pytest.raises(ValueError, match="Baseline has no parameter 'foo'; it has none"):
        method_from_text(Baseline, ["foo=1"])


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("pairs=((5, 2),)", ((5, 2),)),
        ("pairs=image@5 + text@2", ("image@5 + text@2",)),
        ("operator=bilinear", "bilinear"),
        ("tap=image@5", "image@5"),
        ("scan=concat", ("concat",)),
        ("scan=concat,concat+outer", ("concat", "concat+outer")),
        ("pool=segments-4", "segments-4"),
        ("pool=mean+std", "mean+std"),
        ("most=1", 1),
        ("margin=0", 0.0),
        ("batch_dependent=1", 1),
    ],
)
def test_the_parameters_of_skew_pairs_can_be_typed(text: str, value: Any) -> None:
    """As the method itself writes them."""
    found = method_from_text(SkewPairFusion, [text]).get_params()[text.partition("=")[0]]
    assert repr(found) == repr(value)


def test_a_limit_of_a_method_can_be_typed() -> None:
    """The target that never moves."""
    assert method_from_text(StepFusion, ["beta_init=-inf"]).get_params()["beta_init"] == float("-inf")
