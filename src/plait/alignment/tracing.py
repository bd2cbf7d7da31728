"""The way of new samples through a fitted model's steps."""

import copy
from collections.abc import Callable
from typing import Any

import torch

from plait.estimation import FusionEstimator
from plait.nn.step_fusion.trace import Trace


@torch.no_grad()
def trace_of(estimator: object, X: Any) -> Trace:
    """The way of samples through the steps of a fitted model: where every modality stood, and what moved it.

    Args:
        estimator: A fitted `FusionClassifier` or `FusionRegressor` with a method of steps.
        X: Samples as the estimator predicts them, absent modalities among them; best ones it was not fitted on.

    Raises:
        NotFittedError: If the estimator is not fitted.
        TypeError: If its method has no steps, or it is no estimator of plait.
        ValueError: If the samples are not such as the estimator was fitted on.
    """
    if not isinstance(estimator, FusionEstimator):
        raise TypeError(
            f"trace_of takes a FusionClassifier or FusionRegressor (got {type(estimator).__name__}). Of a pipeline, "
            "give its last step, and samples that the steps before have transformed: "
            "trace_of(pipeline[-1], pipeline[:-1].transform(X))."
        )
    modalities = estimator._read_as_fitted(X)
    dtype = torch.float32 if estimator.spec_.encoders else torch.float64
    module = copy.deepcopy(estimator.module_).to(dtype).eval()
    follow: Callable[..., Trace | None] | None = getattr(module, "trace", None)
    trace = None if follow is None else follow(*estimator._tensors(modalities, dtype))
    if trace is None:
        raise TypeError(
            f"{type(estimator.method_).__name__} has no steps to trace: its module ({type(module).__name__}) gives no "
            "trace(features, present). Fit a method of steps such as StepFusion()."
        )
    return trace
