"""What an encoder reads: a tensor, a tuple or a dictionary of tensors, or a list of texts."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from torch import Tensor, nn


def tensors_of(values: Any) -> list[Tensor]:
    """The tensors of a batch; none of a list of texts.

    Raises:
        ValueError: If the values are of another kind.
    """
    found = _together(values)
    if found and all(isinstance(part, Tensor) and part.ndim > 0 for part in found):
        return found
    if isinstance(values, Sequence) and not isinstance(values, str) and all(isinstance(text, str) for text in values):
        return []
    raise ValueError(
        "An encoder reads a tensor, a tuple or a dictionary of tensors, each with the samples along its first axis, or "
        f"a list of texts (got {type(values).__name__}). Use torch.as_tensor for an array."
    )


def count(values: Any) -> int:
    """Number of samples.

    Raises:
        ValueError: If the values are of a kind that no encoder reads, or the tensors have different numbers of samples.
    """
    lengths = {len(tensor) for tensor in tensors_of(values)} or {len(values)}
    if len(lengths) > 1:
        raise ValueError(f"The tensors of a batch have different numbers of samples: {sorted(lengths)}.")
    return int(lengths.pop())


def part(values: Any, start: int, stop: int) -> Any:
    """The samples from one place to before another, in the same form."""
    if isinstance(values, Mapping):
        return {name: tensor[start:stop] for name, tensor in values.items()}
    if isinstance(values, tuple) and tensors_of(values):
        return tuple(tensor[start:stop] for tensor in values)
    return values[start:stop]


def call(network: Callable[..., Any], values: Any) -> Any:
    """What a network gives for a tensor, for all tensors of a tuple, or for those of a dictionary by their names."""
    if isinstance(values, Mapping):
        return network(**values)
    return network(*values) if isinstance(values, tuple) else network(values)


def check_device(name: str, module: nn.Module, values: Any) -> None:
    """Raise ValueError unless the weights of an encoder and what it reads lie on one device that holds numbers."""
    given = tensors_of(values)
    if not given:
        raise ValueError(f"Encoder '{name}' reads tensors, not texts. Turn them into tokens first.")
    own = {str(tensor.device) for tensors in (module.parameters(), module.buffers()) for tensor in tensors}
    read = {str(tensor.device) for tensor in given}
    if len(own | read) > 1 or "meta" in own | read:
        raise ValueError(
            f"Encoder '{name}' has its weights on {', '.join(sorted(own)) or 'no device'}, and its values are on "
            f"{', '.join(sorted(read))}. Move both to one device ('meta' holds no numbers)."
        )


def tokens_here(name: str, module: nn.Module, values: Any, shape: Sequence[int]) -> Tensor | None:
    """Which tokens are there, by a dictionary's "attention_mask"; None for vectors, or if nothing is said.

    An audio encoder of Hugging Face is asked which of its frames a mask of the waveform leaves.

    Raises:
        ValueError: If the mask does not fit the tokens.
    """
    given = values.get("attention_mask") if isinstance(values, Mapping) else None
    if given is None or len(shape) < 3:
        return None
    frames = getattr(module, "_get_feature_vector_attention_mask", None)
    if frames is not None and tuple(given.shape) != tuple(shape[:2]):
        given = frames(shape[1], given)
    if tuple(given.shape) != tuple(shape[:2]):
        raise ValueError(
            f"The attention_mask for encoder '{name}' has the shape {tuple(given.shape)}, its tokens "
            f"{tuple(shape[:2])}. Give one value for every token, 1 where it is there and 0 where it is padding."
        )
    here: Tensor = given.bool()
    return here


def _together(values: Any) -> list[Any]:
    """The parts that hold the same samples."""
    if isinstance(values, Mapping):
        return list(values.values())
    return list(values) if isinstance(values, tuple) else [values]
