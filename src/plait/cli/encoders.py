"""`--encoder NAME=KIND`: which modalities are texts, and what reads them."""

from collections.abc import Callable, Collection, Mapping, Sequence
from types import MappingProxyType

from plait.data.checks import listed
from plait.data.modalities import Modalities
from plait.data.texts import holds_texts
from plait.nn.taps.text import MiniLM, TextEncoder

ENCODERS: Mapping[str, Callable[[], TextEncoder]] = MappingProxyType({"minilm": MiniLM})
"""What makes the encoders that can be asked for, by name."""


def kinds_from_text(texts: Sequence[str]) -> dict[str, str]:
    """Name of the encoder by modality, from NAME=KIND each.

    Raises:
        ValueError: If a text is not of this form, names a modality twice, or there is no such encoder.
    """
    found: dict[str, str] = {}
    for text in texts:
        name, _, kind = text.rpartition("=")
        if not name or name in found:
            raise ValueError(f"--encoder takes NAME=ENCODER, each modality once; got {text!r}.")
        if kind not in ENCODERS:
            raise ValueError(f"There is no encoder {kind!r} (got --encoder {text}). There is {', '.join(ENCODERS)}.")
        found[name] = kind
    return found


def made(kinds: Mapping[str, str]) -> dict[str, TextEncoder]:
    """The encoders, by modality.

    Raises:
        ImportError: If the packages that one needs are not installed; the message says how to install them.
    """
    return {name: ENCODERS[kind]() for name, kind in kinds.items()}


def check_texts(samples: Modalities, encoders: Collection[str]) -> None:
    """Raise ValueError unless the encoders are those of the modalities that hold texts.

    Args:
        samples: The samples.
        encoders: Names of the modalities that have an encoder.
    """
    texts = [name for name, array in samples.items() if holds_texts(array)]
    unknown = [name for name in encoders if name not in samples]
    if unknown:
        raise ValueError(f"--encoder names modality {listed(unknown)}, but the modalities are {listed(samples)}.")
    without = [name for name in encoders if name not in texts]
    if without:
        where = f"Texts are in {listed(texts)}." if texts else "No modality does."
        raise ValueError(f"--encoder names modality {without[0]!r}, which holds no texts. {where}")
    unread = [name for name in texts if name not in encoders]
    if unread:
        others = "".join(f" --modality {name}" for name in samples if name not in unread)
        raise ValueError(
            f"Modality {unread[0]!r} holds texts, which need an encoder: --encoder {unread[0]}={next(iter(ENCODERS))}."
            + (f" To leave texts out:{others}." if others else "")
        )
