"""Who takes part: what was asked for, and what is always beside it."""

import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression

from plait import Baseline, EarlyFusion, IntermediateFusion, LateFusion, MetaFusion, SingleModality
from plait.compare.lineup import Lineup, chosen_methods
from plait.compare.runs.changes import OnlyModalities, ShuffledModality, ShuffledTarget
from plait.methods.registry import methods_by_name

NAMES = ("a", "b", "c")


def lineup(methods=("late", "early"), names=NAMES, **choices):
    return Lineup(chosen_methods(methods), names, **choices)


def of_kind(contenders, kind):
    return [one for one in contenders if one.kind == kind]


def test_all_is_every_method_and_the_usual_variants():
    """But for the baseline and the single modalities, which are there anyway."""
    kinds = {type(method) for method in chosen_methods("all").values()}
    assert kinds == set(methods_by_name().values()) - {Baseline, SingleModality}
    assert "late fusion (base linear)" in chosen_methods(["all"])


def test_names_methods_and_labels_of_ones_own():
    """In the order given."""
    forest = LateFusion(base="forest")
    assert list(chosen_methods(["late", forest])) == ["late fusion", "late fusion (base forest)"]
    assert chosen_methods({"mine": forest}) == {"mine": forest}
    assert list(chosen_methods("late-fusion")) == list(chosen_methods(LateFusion())) == ["late fusion"]


@pytest.mark.parametrize(
    ("methods", "error", "message"),
    [
        ([], ValueError, "nothing to compare"),
        (["late", "LateFusion"], ValueError, "'late fusion' is there twice"),
        (["best"], ValueError, "There is no method 'best'"),
        ([LogisticRegression()], TypeError, "A method such as LateFusion"),
        ({"mine": "late"}, TypeError, "A method such as LateFusion"),
    ],
)
def test_what_is_no_method_is_refused(methods, error, message):
    """With what is expected."""
    with pytest.raises(error, match=message):
        chosen_methods(methods)


def test_baseline_and_every_modality_alone_are_always_there():
    """Before the methods."""
    contenders = lineup(controls=False, ledger="none").contenders()
    labels = [one.label for one in contenders]
    assert labels == ["baseline", "a alone", "b alone", "c alone", "late fusion", "early fusion"]
    assert [one.kind for one in contenders] == ["baseline", *["single"] * 3, *["fusion"] * 2]


def test_a_base_learner_is_also_fitted_on_each_modality_alone():
    """So that fusion of forests has forests to beat."""
    contenders = lineup([LateFusion(base="forest"), EarlyFusion(base="forest")]).contenders()
    singles = [one.label for one in of_kind(contenders, "single")]
    assert singles == [f"{name} alone (base forest)" for name in NAMES]


def test_every_learner_has_its_singles():
    """Layers and bases of late and early fusion, learners of a cohort, and our network for the others."""
    forests = {"big": LateFusion(base=RandomForestClassifier()), "small": LateFusion(base=RandomForestClassifier(10))}
    networks = {"meta": MetaFusion(learners=("linear",)), "mid": IntermediateFusion(), "wide": EarlyFusion(hidden=(9,))}
    methods = {**forests, **networks}
    singles = [one.label for one in of_kind(Lineup(methods, ("a",)).contenders(), "single")]
    assert singles == [
        "a alone (base random forest classifier)",
        "a alone (base random forest classifier) 2",
        "a alone",
        "a alone (base linear)",
        "a alone (hidden 9)",
    ]


def test_a_single_modality_that_was_asked_for_is_there_once():
    """As it was asked for."""
    contenders = lineup([SingleModality("a"), "late"]).contenders()
    labels = [one.label for one in of_kind(contenders, "single")]
    assert labels == ["b alone", "c alone", "single modality (modality a)"]


def test_the_probe_is_refitted_on_every_subset_and_on_spoiled_data():
    """Early fusion, where it is among the methods; else the first."""
    contenders = lineup().contenders()
    assert [one.change for one in of_kind(contenders, "control")] == [
        ShuffledTarget(),
        *(ShuffledModality(name) for name in NAMES),
    ]
    subsets = [one.change for one in of_kind(contenders, "subset")]
    sets = [("a",), ("b",), ("c",), ("a", "b"), ("a", "c"), ("b", "c")]
    assert subsets == [OnlyModalities(chosen) for chosen in sets]
    assert {type(one.method) for one in contenders if one.kind in ("control", "subset")} == {EarlyFusion}
    assert lineup(["late"]).probing == "late fusion"
    assert lineup(probe="late fusion").probing == "late fusion"


@pytest.mark.parametrize(("ledger", "count"), [("auto", 12), ("full", 62), ("none", 0)])
def test_of_many_modalities_only_alone_and_all_but_one_are_refitted(ledger, count):
    """Six have 62 proper subsets."""
    contenders = lineup(names=tuple("abcdef"), ledger=ledger).contenders()
    assert len(of_kind(contenders, "subset")) == count


def test_one_modality_has_no_subsets():
    """And nothing to fuse."""
    assert not of_kind(lineup(names=("a",)).contenders(), "subset")


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"ledger": "some"}, "ledger must be one of 'auto', 'full', 'none'"),
        ({"probe": "best"}, "The probe 'best' is none of the methods compared: late fusion, early fusion"),
        ({"ledger": "full", "names": tuple("abcdefghijklm")}, "refits every subset of up to 12 modalities"),
        ({"methods": {"": LateFusion()}}, "needs a name that is not empty"),
        ({"methods": {"baseline": LateFusion()}}, r"stand for something else in a comparison: \['baseline'\]"),
    ],
)
def test_wrong_choices_are_refused(choices, message):
    """Before anything is fitted."""
    with pytest.raises(ValueError, match=message):
        lineup(**choices).contenders()
