"""The contract of a method, to be run on one of your own.

    from plait.testing.checks import METHOD_CHECKS, check_method

    check_method(MyFusion())        # everything; raises AssertionError at the first broken promise

    @pytest.mark.parametrize("check", METHOD_CHECKS)
    def test_the_contract(check):   # or one test a promise
        check(MyFusion())

Give small hyperparameters: a check fits the method a few times, on 48 samples. A method that does not learn every kind
of target, is not random, or chooses among models on validation data says so by a `Scope`.
"""

from collections.abc import Callable

from plait.methods.base import Method
from plait.testing.fitting import check_folds, check_modalities, check_problems, check_seeds
from plait.testing.keeping import check_encoders, check_parameters, check_rebuilding, check_saving
from plait.testing.predicting import check_absent_values, check_every_subset, check_nothing_present, check_samples_alone
from plait.testing.trial import EVERYTHING, PROBLEMS, Problem, Scope

__all__ = [
    "METHOD_CHECKS",
    "PROBLEMS",
    "Problem",
    "Scope",
    "check_absent_values",
    "check_encoders",
    "check_every_subset",
    "check_folds",
    "check_method",
    "check_modalities",
    "check_nothing_present",
    "check_parameters",
    "check_problems",
    "check_rebuilding",
    "check_samples_alone",
    "check_saving",
    "check_seeds",
]

METHOD_CHECKS: tuple[Callable[..., None], ...] = (
    check_parameters,
    check_modalities,
    check_problems,
    check_absent_values,
    check_samples_alone,
    check_nothing_present,
    check_every_subset,
    check_seeds,
    check_folds,
    check_rebuilding,
    check_saving,
    check_encoders,
)


def check_method(method: Method, scope: Scope = EVERYTHING) -> None:
    """Run every check on a method.

    Args:
        method: The method, with small hyperparameters; it is not changed.
        scope: What it does not claim.

    Raises:
        AssertionError: If a promise is broken; the message says which, and what to do.
    """
    for check in METHOD_CHECKS:
        check(method, scope)
