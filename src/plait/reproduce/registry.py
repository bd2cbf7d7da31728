"""Which reproductions there are: a line here and a file with a function `study(request)`."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module

from plait.reproduce.study import Request, Study


@dataclass(frozen=True)
class Entry:
    """A reproduction that can be asked for.

    Args:
        module: Module of `plait.reproduce` that has `study(request)`.
        description: What it runs, in a line.
        duration: About how long all of it takes, and on what.
    """

    module: str
    description: str
    duration: str


REPRODUCTIONS: Mapping[str, Entry] = {
    "step-fusion/ett": Entry(
        "step_fusion_ett", "forecasts of transformer loads and temperature", "a day or more on two cores"
    ),
    "step-fusion/mitbih": Entry(
        "step_fusion_mitbih", "heartbeat classes of new and of known patients", "some hours on two cores"
    ),
    "ssfn/planted": Entry(
        "ssfn_planted", "pairs of taps whose best choice is known, with thresholds", "half an hour on two cores"
    ),
    "ssfn/image-text": Entry("ssfn_image_text", "categories of emoji from picture and name", "minutes on one core"),
    "ssfn/audio-image": Entry(
        "ssfn_audio_image", "spoken and written digits, one speaker left out", "a quarter of an hour on one core"
    ),
    "ssfn/text-audio": Entry("ssfn_text_audio", "sentiment from words and voice in videos", "minutes on one core"),
    "ssfn/text-text": Entry("ssfn_text_text", "ratings from titles and texts of reviews", "minutes on one core"),
}
"""By name."""


def listing() -> list[dict[str, str]]:
    """Name and description of every reproduction, with about how long it takes."""
    return [{"name": name, "description": f"{one.description} ({one.duration})"} for name, one in REPRODUCTIONS.items()]


def study_by_name(name: str, request: Request) -> Study:
    """The study of that name.

    Raises:
        ValueError: If there is none, or the request cannot be met.
    """
    if name not in REPRODUCTIONS:
        raise ValueError(f"There is no reproduction {name!r}. There are {', '.join(REPRODUCTIONS)}.")
    module = import_module(f"plait.reproduce.{REPRODUCTIONS[name].module}")
    found: Study = module.study(request)
    return found
