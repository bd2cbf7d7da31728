"""The batch of a step block, checked at the border and told apart into what is there and what is not."""

from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from plait.nn.step_fusion.presence import Presence

Named = Mapping[str, Float[Tensor, "..."]]
Valid = Mapping[str, Bool[Tensor, "..."]]
_AXES = (2, 3)  # of vectors and of tokens
_ROWS = 5  # named in an error, at most


def read(
    features: Named, widths: Mapping[str, int], present: Bool[Tensor, "..."] | None, valid: Valid | None
) -> tuple[list[Float[Tensor, "batch _ _"]], Presence]:
    """The tokens of every modality, zero where they are not there, and what is there.

    Args:
        features: Tokens (batch, token, width) or vectors (batch, width) of every modality, by name.
        widths: The width of each modality, by name.
        present: Which modalities each sample has; None is all.
        valid: Which tokens are real, for some modalities or all; None is all.

    Raises:
        ValueError: If shapes or names do not fit, a sample has no modality, a present one has no token, or a token that
            is there has a value that is no finite number.
    """
    tokens = _tokens(features, widths)
    masks = _masks(tokens, list(widths), present, {} if valid is None else valid)
    if present is None and not valid:
        presence = Presence(*masks, everyone=True, full=[True] * len(tokens))
    elif torch.compiler.is_compiling():  # what depends on values cannot be looked at: nothing is taken for complete
        presence = Presence(*masks, everyone=present is None, full=[False] * len(tokens))
    else:
        presence = _examined(*masks, list(widths))
    if not torch.compiler.is_compiling():
        _check_finite(tokens, presence, list(widths))
    return [presence.cleared(place, values) for place, values in enumerate(tokens)], presence


def _tokens(features: Named, widths: Mapping[str, int]) -> list[Tensor]:
    if set(features) != set(widths):
        raise ValueError(f"features must hold the modalities {list(widths)} (got {list(features)}).")
    tokens = []
    for name, width in widths.items():
        values = features[name]
        if values.ndim not in _AXES or values.shape[-1] != width or not values.is_floating_point():
            raise ValueError(
                f"Modality {name!r} must be numbers of shape (batch, token, {width}) or (batch, {width}) "
                f"(got {tuple(values.shape)}, {values.dtype})."
            )
        tokens.append(values if values.ndim == _AXES[1] else values[:, None])
        if not tokens[-1].shape[1]:
            raise ValueError(f"Modality {name!r} has no token (got shape {tuple(values.shape)}). Give one at least.")
    sizes = {name: len(values) for name, values in zip(widths, tokens, strict=True)}
    if len(set(sizes.values())) > 1:
        raise ValueError(f"All modalities must have the same samples (got numbers of samples {sizes}).")
    return tokens


def _masks(
    tokens: Sequence[Tensor], names: Sequence[str], present: Tensor | None, valid: Valid
) -> tuple[Tensor, list[Tensor]]:
    """Who is present, and which tokens are there."""
    first = tokens[0]
    expected = (len(first), len(tokens))
    if present is None:
        present = torch.ones(expected, dtype=torch.bool, device=first.device)
    if present.shape != expected or present.dtype != torch.bool:
        raise ValueError(f"present must be booleans of shape {expected} (got {tuple(present.shape)}, {present.dtype}).")
    if not set(valid) <= set(names):
        raise ValueError(f"valid must name modalities of {list(names)} (got {list(valid)}).")
    here = []
    for place, (name, values) in enumerate(zip(names, tokens, strict=True)):
        real = valid.get(name)
        if real is not None and (real.shape != values.shape[:2] or real.dtype != torch.bool):
            raise ValueError(
                f"valid[{name!r}] must be booleans of shape {tuple(values.shape[:2])} "
                f"(got {tuple(real.shape)}, {real.dtype})."
            )
        column = present[:, place, None].expand(values.shape[:2])
        here.append(column if real is None else column & real)
    return present, here


def _examined(present: Tensor, here: list[Tensor], names: Sequence[str]) -> Presence:
    """What is there, from one look at the masks."""
    lacking = [present[:, place] & ~tokens.any(1) for place, tokens in enumerate(here)]
    facts = [present.all(), present.any(1).all(), *(tokens.all() for tokens in here), *(rows.any() for rows in lacking)]
    everyone, someone, *rest = torch.stack(facts).tolist()
    full, empty = rest[: len(here)], rest[len(here) :]
    if not someone:
        raise ValueError(
            f"Every sample must have a modality: present is False for all of {list(names)} in {_rows(~present.any(1))}."
        )
    for name, missing, rows in zip(names, empty, lacking, strict=True):
        if missing:
            raise ValueError(
                f"Modality {name!r} is present without a valid token in {_rows(rows)}. Mark it absent there in present."
            )
    return Presence(present, here, everyone=everyone, full=full)


def _check_finite(tokens: Sequence[Tensor], presence: Presence, names: Sequence[str]) -> None:
    """Sums first: they are finite as a rule, and cost one reading."""
    wide = [values.detach().sum(dtype=torch.promote_types(values.dtype, torch.float32)) for values in tokens]
    for place, fine in enumerate(torch.isfinite(torch.stack(wide)).tolist()):
        if not fine:
            rows = (~torch.isfinite(tokens[place]).all(2) & presence.here[place]).any(1)
            if rows.any():
                raise ValueError(
                    f"Modality {names[place]!r} holds NaN or infinity in valid tokens of {_rows(rows)}. Fill the "
                    "values in, or say with valid or present that they are not there."
                )


def _rows(wrong: Bool[Tensor, " batch"]) -> str:
    found = wrong.nonzero()[:, 0].tolist()
    return f"row{'s' * (len(found) > 1)} {', '.join(map(str, found[:_ROWS]))}{', ...' * (len(found) > _ROWS)}"
