"""Waveforms as logarithms of the energy in bands that are evenly spaced to the ear."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from plait.data.settings import check_real, check_whole

_FLOOR = 1e-6  # energy below which nothing is heard: the logarithm of silence is finite


def mel(hertz: Float[Tensor, " number"]) -> Float[Tensor, " number"]:
    """Pitch in mel of frequencies in hertz: 2595 log10(1 + f / 700) (O'Shaughnessy, 1987)."""
    return 2595 * torch.log10(1 + hertz / 700)


def hertz(pitch: Float[Tensor, " number"]) -> Float[Tensor, " number"]:
    """Frequencies in hertz of pitches in mel: the inverse of `mel`."""
    return 700 * (10 ** (pitch / 2595) - 1)


def mel_filters(rate: int, window: int, bands: int) -> Float[Tensor, "band frequency"]:
    """Triangular filters whose corners are evenly spaced in mel from 0 to half the sampling rate.

    Filter b rises from 0 at corner b to 1 at corner b + 1 and falls to 0 at corner b + 2, linearly in hertz, so that
    neighbours sum to 1 between the first and the last peak.

    Args:
        rate: Samples a second, at least 1.
        window: Samples of a window, at least 2; it has window // 2 + 1 frequencies from 0 to rate / 2.
        bands: Number of filters, at least 1.

    Raises:
        ValueError: If a setting is out of range, or a filter lies between two frequencies and hears nothing.
    """
    check_whole("rate", rate, 1)
    check_whole("window", window, 2)
    check_whole("bands", bands, 1)
    frequencies = torch.arange(window // 2 + 1, dtype=torch.float64) * rate / window
    top = float(mel(torch.tensor([rate / 2], dtype=torch.float64)))
    corners = hertz(torch.linspace(0, top, bands + 2, dtype=torch.float64))
    low, peak, high = (corners[start : start + bands, None] for start in range(3))
    filters = torch.minimum((frequencies - low) / (peak - low), (high - frequencies) / (high - peak)).clamp(min=0)
    if (filters.sum(1) == 0).any():
        raise ValueError(
            f"{bands} bands are too many for a window of {window} samples at {rate} a second: some lie between two "
            "frequencies. Take fewer bands or a longer window."
        )
    return filters.float()


class LogMel(nn.Module):
    """The logarithm of the energy of a waveform in mel bands, window by window.

    Args:
        rate: Samples a second.
        bands: Number of mel bands.
        window: Seconds of a window (a Hann window), above 0.
        step: Seconds from the middle of a window to the next, above 0.

    Attributes:
        window: Samples of a window.
        step: Samples from a window to the next.

    Raises:
        ValueError: If a setting is out of range.
    """

    filters: Tensor
    taper: Tensor

    def __init__(self, rate: int = 16_000, bands: int = 40, window: float = 0.032, step: float = 0.016) -> None:
        super().__init__()
        check_real("window", window, above=True)
        check_real("step", step, above=True)
        self.rate, self.window, self.step = rate, round(window * rate), max(1, round(step * rate))
        self.register_buffer("filters", mel_filters(rate, self.window, bands))
        self.register_buffer("taper", torch.hann_window(self.window))

    def forward(self, waveforms: Float[Tensor, "batch time"]) -> Float[Tensor, "batch frame band"]:
        """One frame a step, time // step + 1 in all; zeros lie before and after the waveform."""
        spectra = torch.stft(
            waveforms, self.window, self.step, window=self.taper, pad_mode="constant", return_complex=True
        )
        energies: Tensor = self.filters @ spectra.abs().square()
        return (energies + _FLOOR).log().mT
