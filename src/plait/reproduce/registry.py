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
        part: What else its `study` takes: which of several it is.
    """

    module: str
    description: str
    duration: str
    part: tuple[str, ...] = ()


_SIMULATIONS: Mapping[str, tuple[str, str]] = {
    "1.1": ("linear, every modality with latents of its own", "half an hour on two cores"),
    "1.2": ("quadratic, with products of both modalities' latents", "half an hour on two cores"),
    "1.3": ("as 1.2 with a noisier first modality", "half an hour on two cores"),
    "2.1": ("linear, in what the modalities share", "an hour on two cores"),
    "2.2": ("quadratic, in what the modalities share", "half an hour on two cores"),
    "2.3": ("as 2.2 with a noisier first modality", "half an hour on two cores"),
}
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
    **{
        f"meta-fusion/{name}": Entry("meta_fusion_simulations", f"simulated: {what}", duration, (name,))
        for name, (what, duration) in _SIMULATIONS.items()
    },
    "meta-fusion/theory": Entry(
        "meta_fusion_theory", "what mutual learning does: five exact statements, measured", "a minute on one core"
    ),
    "meta-fusion/negative-learning": Entry(
        "meta_fusion_negative", "simulated: good teachers, none, and the worst", "three minutes a seed on one core"
    ),
    "meta-fusion/ablation": Entry(
        "meta_fusion_ablation", "what each piece of the default buys", "twenty minutes a seed on one core"
    ),
    "meta-fusion/digits": Entry(
        "meta_fusion_real", "handwritten digits by six sets of features", "half an hour on two cores", ("digits",)
    ),
    "meta-fusion/activities": Entry(
        "meta_fusion_real", "activities at home by sound and acceleration", "half an hour on two cores", ("activities",)
    ),
    "meta-fusion/alzheimer": Entry(
        "meta_fusion_real", "Alzheimer's disease by three omics", "a quarter of an hour on two cores", ("alzheimer",)
    ),
    "meta-fusion/neural": Entry(
        "meta_fusion_neural", "choices and positions by spikes and field potentials", "two hours on two cores"
    ),
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
    entry = REPRODUCTIONS[name]
    module = import_module(f"plait.reproduce.{entry.module}")
    found: Study = module.study(request, *entry.part)
    return found
