"""Simulated modalities that share latents (after Liang, Qu and Shahbaba, 2025, arXiv 2507.20089)."""

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import Bunch

from plait.data.modalities import Modalities
from plait.datasets._draws import Draws, clean_draws, legacy_draws
from plait.datasets.settings import CURVES, SETTINGS, Array, SharingSetting, require

DESCR = """Simulated modalities with shared latents, setting {name}.

Source: the generator of Z. Liang, A. Qu, B. Shahbaba, "Meta Fusion: A Unified Framework For Multimodality
Fusion with Mutual Learning", arXiv 2507.20089 (2025), written anew from its description.
{streams}
Rows {n}; {modalities}; target: {target}.
Protocol of the paper: n = 2000, seeds 1 to 100, rows by `split_rows` (1280 training, 320 validation, 400
test), test MSE. The paper's tables are not reproduced here."""

CLEAN = """Coefficients, mixtures, latents and noise come from independent streams, and features are scaled by
their population standard deviation, so that rows are independent."""

LEGACY = """Legacy streams, as published: latents repeat the random numbers of coefficients and mixtures,
coefficients of products are whole numbers, and features are standardised over all rows."""


def make_data_sharing(
    setting: str | SharingSetting = "1.1",
    n: int = 2000,
    *,
    random_state: int | None = 0,
    legacy: bool = False,
    task: str = "regression",
    classes: int = 4,
    label_noise: float = 0.0,
) -> Bunch:
    """Simulate modalities that have latents of their own and share some, and a response to the latents.

    X_k = a_k E_k + (1 - a_k) scaled([Z_k, S] T_k); the response is a weighted sum of curves of the latents
    Z_k and S, and of products of latents of all modalities. The paper has regression without label noise
    only: bins of equal size by rank of the response, and label noise of either kind, are our extension.

    Args:
        setting: A key of `SETTINGS` ("1.1" to "2.3", "negative-learning", "four-modalities") or a setting of
            your own.
        n: Number of samples, at least 2.
        random_state: Seed; the same seed gives the same numbers. None is a different data set each time.
        legacy: Draw exactly as the published generator, with its dependence between latents and coefficients;
            needs a seed from 0 to 2**32 - 1.
        task: "regression", or "classification" (ours) into bins of the response, class 0 the lowest.
        classes: Number of classes, from 2 to `n`; unused in regression.
        label_noise: Regression: standard deviation of Gaussian noise on the target, in standard deviations of
            the noise-free response, 0 or more. Classification: share of samples whose class is replaced by
            another one at random, 0 to 1. At 0 the target is exact.

    Returns:
        A Bunch with `data` (Modalities m0, m1, ...), `target`, `target_names` (classification only),
        `response` (before bins and noise), `latents`, `coefficients` (of each modality, "shared" and
        "products"), `products` (row j: which latent of each modality enters product j), `mixing`, `setting`
        and `DESCR`.

    Raises:
        ValueError: If the setting is unknown or an argument is out of its range.
    """
    chosen = _named(setting)
    _check(n, random_state, legacy, task, classes, label_noise)
    *streams, labels = np.random.SeedSequence(random_state).spawn(5)
    if legacy and random_state is not None:
        draws = legacy_draws(chosen, n, random_state)
    else:
        draws = clean_draws(chosen, n, streams)
    response, products = _respond(chosen, draws)
    bunch = Bunch(
        data=Modalities(_observe(chosen, draws, legacy)), response=response, **_truth(chosen, draws, products)
    )
    rng = np.random.default_rng(labels)
    if task == "classification":
        bunch.target = _bins(response, classes, label_noise, rng)
        bunch.target_names = np.array([f"bin {c + 1} of {classes}" for c in range(classes)])
    else:
        bunch.target = response + label_noise * response.std() * rng.standard_normal(n)
    bunch.DESCR = _describe(setting, bunch, legacy)
    return bunch


def _named(setting: str | SharingSetting) -> SharingSetting:
    if isinstance(setting, SharingSetting):
        return setting
    if setting not in SETTINGS:
        raise ValueError(f"`setting` must be one of {', '.join(SETTINGS)}, or a `SharingSetting`; got {setting!r}.")
    return SETTINGS[setting]


def _check(n: int, seed: int | None, legacy: bool, task: str, classes: int, label_noise: float) -> None:
    classify = task == "classification"
    seeded = seed is not None and 0 <= seed < 2**32
    most = 1 if classify else np.finfo(float).max
    checks = {
        f"`n` must be at least 2, got {n}.": n >= 2,
        f"`legacy=True` needs a whole `random_state` from 0 to 4294967295, got {seed}.": seeded or not legacy,
        f"`task` must be 'regression' or 'classification', got {task!r}.": classify or task == "regression",
        f"`classes` must lie between 2 and n = {n}, got {classes}.": not classify or 2 <= classes <= n,
        f"`label_noise` must be 0 or more (in classification at most 1), got {label_noise}.": 0 <= label_noise <= most,
    }
    require(checks)


def _observe(setting: SharingSetting, draws: Draws, legacy: bool) -> dict[str, Array]:
    *own, shared = draws.latents
    observed = {}
    parts = zip(setting.names, own, draws.mixing, draws.noise, setting.noise, strict=True)
    for name, z, mix, noise, a in parts:
        signal = np.hstack([z, shared]) @ mix
        if legacy:
            signal -= signal.mean(axis=0)
        scale = signal.std(axis=0) if legacy else np.linalg.norm(mix, axis=0)
        observed[name] = a * noise + (1 - a) * signal / np.where(scale == 0, 1, scale)
    return observed


def _respond(setting: SharingSetting, draws: Draws) -> tuple[Array, NDArray[np.intp]]:
    """Return the response without label noise, and which latents enter which product (Kronecker order)."""
    *weights, weight = setting.weights
    response = np.zeros(len(draws.latents[0]))
    for w, curve, z, beta in zip(weights, setting.curves, draws.latents, draws.coefficients, strict=True):
        if w:
            response += w * CURVES[curve](z) @ beta
    entering = np.stack(np.unravel_index(draws.positions, setting.latents[:-1]), axis=1)
    if weight:
        factors = [z[:, column] for z, column in zip(draws.latents, entering.T, strict=False)]
        response += weight * np.einsum(",".join(["nj"] * len(factors)) + ",j->n", *factors, draws.products)
    return response, entering


def _bins(response: Array, classes: int, label_noise: float, rng: np.random.Generator) -> NDArray[np.intp]:
    ranks = np.argsort(np.argsort(response, kind="stable"))
    replaced = rng.random(len(response)) < label_noise
    return (ranks * classes // len(response) + replaced * rng.integers(1, classes, len(response))) % classes


def _truth(setting: SharingSetting, draws: Draws, products: NDArray[np.intp]) -> dict[str, object]:
    blocks = (*setting.names, "shared")
    coefficients = dict(zip((*blocks, "products"), (*draws.coefficients, draws.products), strict=True))
    return {
        "latents": dict(zip(blocks, draws.latents, strict=True)),
        "coefficients": coefficients,
        "products": products,
        "mixing": dict(zip(setting.names, draws.mixing, strict=True)),
        "setting": setting,
    }


def _describe(setting: str | SharingSetting, bunch: Bunch, legacy: bool) -> str:
    chosen, classes = bunch.setting, len(bunch.get("target_names", ()))
    modalities = [f"{name} {width}" for name, width in zip(chosen.names, chosen.widths, strict=True)]
    return DESCR.format(
        name=setting if isinstance(setting, str) else "of your own",
        streams=LEGACY if legacy else CLEAN,
        n=len(bunch.target),
        modalities=", ".join(modalities),
        target=f"{classes} bins of the response (ours, not the paper's)" if classes else "the response",
    )
