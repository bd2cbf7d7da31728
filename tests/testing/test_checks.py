"""The contract holds for every registered method, and every check finds the methods that break it."""

import pytest
import toys
from sklearn.linear_model import LogisticRegression, Ridge

from plait import methods, persistence
from plait.data.spec import DataSpec
from plait.methods.early import EarlyFusion
from plait.methods.late import LateFusion
from plait.methods.meta import MetaFusion
from plait.methods.registry import methods_by_name
from plait.testing import checks
from plait.testing.checks import METHOD_CHECKS, PROBLEMS, Scope, check_method

SMALL = {"hidden": (4,)}
ENCODED = {"width": 4, "encoder_hidden": (), **SMALL}
TOKENS = {"width": 4, "heads": 2, "tokens": 2, **SMALL}
SETTINGS = {
    "baseline": {},
    "bottleneck-fusion": {"latents": 2, "layers": 1, **TOKENS},
    "cooperative-fusion": {"rhos": (0.5,), **SMALL},
    "cooperative-lasso": {"rhos": (0.5,), "lambdas": (0.05,)},
    "correlation-fusion": ENCODED,
    "cross-attention-fusion": TOKENS,
    "early-fusion": SMALL,
    "embrace-fusion": ENCODED,
    "gated-fusion": ENCODED,
    "intermediate-fusion": ENCODED,
    "late-fusion": SMALL,
    "low-rank-fusion": {"rank": 2, **ENCODED},
    "meta-fusion": {"rhos": (0.0,), "learners": (), **SMALL},
    "single-modality": {"modality": "a", **SMALL},
    "skew-pair-fusion": {"draws": 10, "rank": 4, "most": 1, "scan": ("concat",), "shortlist": 1},
    "step-fusion": {"width": 4, "heads": 2, "steps": 2},
    "tensor-fusion": {**ENCODED, "width": 2},
}
SCOPES = {
    "baseline": Scope(random=False, encoders=False),
    "cooperative-lasso": Scope(random=False),
}
METHODS = methods_by_name()


@pytest.mark.parametrize("check", METHOD_CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", METHODS)
def test_every_method_keeps_the_contract(name, check):
    """With small hyperparameters."""
    assert name in SETTINGS, f"Give small hyperparameters of {name} in the table SETTINGS of this test."
    check(METHODS[name](**SETTINGS[name]), SCOPES.get(name, Scope()))


@pytest.mark.parametrize("check", METHOD_CHECKS, ids=lambda check: check.__name__)
def test_meta_fusion_with_heads_in_closed_form_keeps_the_contract(check):
    """Their penalty is chosen by all samples, each left out."""
    small = {"learners": ("ridge", "quadratic"), "max_students": 6, "ensemble": "simple", **SMALL}
    check(MetaFusion(rhos=(0.0,), **small), Scope(chooses=True))


@pytest.mark.parametrize(
    ("method", "problems"),
    [(LateFusion(base=LogisticRegression()), PROBLEMS[:1]), (EarlyFusion(base=Ridge()), PROBLEMS[1:])],
    ids=["logistic", "ridge"],
)
def test_base_learners_keep_the_contract(method, problems):
    """Each for its task; nothing about these two is random."""
    check_method(method, Scope(problems=problems, random=False))


@pytest.mark.parametrize("check", METHOD_CHECKS, ids=lambda check: check.__name__)
def test_logistic_heads_keep_the_contract(check):
    """Their penalty is chosen by all samples, each left out."""
    check(EarlyFusion(base="logistic"), Scope(problems=PROBLEMS[:1], random=False, chooses=True))


def test_a_product_of_experts_keeps_the_contract():
    """The prior that it divides by is of the other folds."""
    check_method(LateFusion(rule="product", hidden=(4,)))


def test_a_toy_keeps_the_contract():
    """One network, no folds, no encoders, not exported: nothing of this is asked for."""
    check_method(toys.SumFusion())


BROKEN = [
    (checks.check_absent_values, toys.ReadsAbsent, "a prediction depends on the values of an absent"),
    (checks.check_absent_values, toys.LearnsFromAbsent, "training depends on the values of an absent"),
    (checks.check_samples_alone, toys.CentresOnTheBatch, "depends on the samples beside it"),
    (checks.check_nothing_present, toys.ForgetsThePrior, "not by the prior"),
    (checks.check_nothing_present, toys.ForgetsThePriorOnTheWay, "in `Fitted.validation`: .* not by the prior"),
    (checks.check_nothing_present, toys.DividesByNothing, "with no modality at all stops the training"),
    (checks.check_nothing_present, toys.ForgetsTheGuard, "with no modality at all is predicted as .nan"),
    (checks.check_every_subset, toys.DividesByTwoOfThree, r"exactly these modalities are present: \[\['b', 'c'\], "),
    (checks.check_modalities, toys.NeedsTwoModalities, r"modalities of shapes {'a': \(3,\)}: some outputs are not"),
    (checks.check_problems, toys.LeavesAnAxis, r"have shape \(1, 48, 3\), expected \(48, 3\)"),
    (checks.check_seeds, toys.TouchesTheGlobalState, "changes the global random state"),
    (checks.check_seeds, toys.TouchesNumpysState, "changes the global random state"),
    (checks.check_seeds, toys.IsNeverTheSame, "the same seed gives other numbers"),
    (checks.check_seeds, toys.HasOneSeed, "another seed gives the same numbers"),
    (checks.check_folds, toys.HasSeenTheSet, r"validated on fold 0 \(of 1\) depends on the targets of that fold"),
    (checks.check_folds, toys.HasSeenTheFold, r"validated on fold 0 \(of 3\) depends on the targets of that fold"),
    (checks.check_folds, toys.ReportsTooMuch, r"not one row of finite outputs for each of the 12 .* \(1 folds\)"),
    (checks.check_folds, toys.ReportsNoFolds, r"not one row of finite outputs for each of the 48 .* \(3 folds\)"),
    (checks.check_folds, toys.IgnoresFolds, "several folds were taken without a ValueError"),
    (checks.check_parameters, toys.ConvertsItsParameters, r"the constructor changes the parameters \['scale'\]"),
    (checks.check_parameters, toys.ResolvesItself, "fitting changes it"),
    (checks.check_parameters, toys.HasItsOwnRepr, "its repr is 'a method'"),
    (checks.check_rebuilding, toys.HidesWhatItLearned, "predicts otherwise with the fitted weights"),
    (checks.check_rebuilding, toys.HidesItsSize, r"other weights than the fitted one: \['extra'\]"),
    (checks.check_encoders, toys.IgnoresEncoders, "trained encoder is not in the fitted module"),
    (checks.check_encoders, toys.RefusesWithoutAName, "refused without the name of the modality"),
    (checks.check_encoders, toys.TrainsTheOriginal, "the user's own module is changed"),
    (checks.check_encoders, toys.FreezesEverything, "encoder gets no gradient"),
    (checks.check_encoders, toys.TrainsEverything, "frozen encoder changes"),
]


@pytest.mark.parametrize(("check", "kind", "message"), BROKEN, ids=[kind.__name__ for _, kind, _ in BROKEN])
def test_a_broken_promise_is_found(check, kind, message):
    """By its check, which says what is wrong."""
    with pytest.raises(AssertionError, match=message) as found:
        check(kind())
    assert str(found.value).startswith(f"{kind.__name__}: ")


def test_every_check_finds_some_broken_method():
    """No check is without a toy that fails it (saving has its own below)."""
    assert {check for check, _, _ in BROKEN} | {checks.check_saving} == set(METHOD_CHECKS)
    assert {check.__name__ for check in METHOD_CHECKS} == {
        name for name in checks.__all__ if name.startswith("check_")
    } - {"check_method"}


def test_a_model_that_loses_something_on_the_way_is_found(monkeypatch):
    """The saved model lacks what is neither parameter nor buffer."""
    lossy = type("GatedFusion", (toys.HidesWhatItLearned,), {})
    monkeypatch.setattr(methods, "GatedFusion", lossy)
    monkeypatch.setitem(persistence._CLASSES, "GatedFusion", lossy)
    with pytest.raises(AssertionError, match="predicts otherwise after it was saved and loaded"):
        checks.check_saving(lossy())


# The scope


class ClassesOnly(toys.SumFusion):
    """Refuses real targets."""

    def build(self, spec: DataSpec):
        if spec.task == "regression":
            raise ValueError("Classes only.")
        return super().build(spec)


def test_what_a_method_does_not_claim_must_be_refused():
    """With a ValueError; then the rest of the contract is checked without it."""
    classes = Scope(problems=PROBLEMS[:1])
    check_method(ClassesOnly(), classes)
    with pytest.raises(AssertionError, match=r"regression \(1 target\) is outside the scope"):
        checks.check_problems(toys.SumFusion(), classes)


def test_a_method_may_say_that_nothing_is_random():
    """Then another seed must give the same numbers."""
    checks.check_seeds(toys.HasOneSeed(), Scope(random=False))
    with pytest.raises(AssertionError, match="another seed gives other numbers"):
        checks.check_seeds(toys.SumFusion(), Scope(random=False))


def test_a_method_may_read_no_features():
    """Then the user's modules may be left aside."""
    checks.check_encoders(toys.IgnoresEncoders(), Scope(encoders=False))


def test_a_method_may_choose_on_validation_targets():
    """Then the outputs may depend on them; that there are outputs is still asked."""
    checks.check_folds(toys.HasSeenTheFold(), Scope(chooses=True))
    with pytest.raises(AssertionError, match="not one row of finite outputs"):
        checks.check_folds(toys.ReportsNoFolds(), Scope(chooses=True))
