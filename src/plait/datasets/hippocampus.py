"""Hippocampus: where an animal will turn, and where it is, from spikes and field potentials."""

from typing import Any, Literal, overload

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import Bunch

from plait.data.modalities import Modalities
from plait.data.settings import check_one_of, check_whole
from plait.datasets._fetch import Folder
from plait.datasets._hippocampus_numbers import hippocampus_published
from plait.datasets._hippocampus_samples import (
    IN_A_TRIAL,
    MOST_BINS,
    ON_A_TRACK,
    Samples,
    choice_samples,
    track_samples,
)
from plait.datasets._prepared import archive, prepared

DESCR = """Hippocampus: spikes and field potentials at many electrodes of rodents, decoded.

Choice (mouse1_session1, mouse2_session1, mouse2_session2, mouse2_session3): 66 / 45 / 43 / 77 correct trials of 104 /
60 / 52 / 109 in a maze with two arms. Modalities, in bins of 100 ms before the choice point: spikes (counts of 56 / 24
/ 17 / 12 units), fpa (amplitude of the field potential at ultra-high frequencies, 64 electrodes), theta (amplitude and
phase of the demodulated theta rhythm, 64 electrodes each). Target: the arm, 0 or 1. What theta tells is how amplitude
and phase differ from electrode to electrode within a bin. The phase that all share turns from bin to bin and trial to
trial: on amplitude * cos(phase) and amplitude * sin(phase) a linear SVM reaches .51 / .47 / .69 / .46 only.

Position (track290, track320): 2061 of 2650 and 2103 of 2347 bins of 100 ms with the animal on the move, in 47 / 42
laps, all in one direction. Modalities spikes (counts of 77 / 79 units) and fpa (128 electrodes). Target: position in cm
on a track of 290 / 320 cm. Neighbouring bins are alike: fold by whole laps (`groups`), or better by blocks of
successive laps, as recordings drift.

Source: Features_data.mat in Figure6_source_data/mouse*_session*, and Figure2_source_data_wake.mat and
Figure_supplement_5_source_data_wake.mat in Figure2_source_data, of github.com/lcaopcn/
Spatiotemporal-patterns-of-rodent-hippocampal-field-potentials-uncover-spatial-representations. Licence: none is stated.
Nothing is downloaded, therefore, and no copy may be passed on.
Prepared files: choice_SESSION.npz holds spikes (trial, 25 bins, unit; uint8), fpa_uhf, lfp_theta_amp, lfp_theta_phase
(trial, 25 bins, electrode; float32), the last bins before the choice point in the order of time, choice and correct (0
or 1; uint8), trial (int16), and position (trial, 25 bins; float32). position_TRACK.npz holds spikes (bin, unit; uint8),
fpa_uhf (bin, electrode; float32), position and speed (bin; float32; on track290 in lengths of the track, on track320 in
metres; a second), and track_len_cm (uint16).
Citation: Cao, Varga and Chen, "Uncovering spatial representations from spatiotemporal patterns of rodent hippocampal
field potentials" (2021), bioRxiv 828467.
Split: none is published.

Published numbers (accuracy of a linear SVM, correct trials, last 0.5 s, 10-fold, mean of 1000 repeats; in the order of
the sessions): fpa and theta .940 / .656 / .776 / .928; spikes .931 / .898 / .915 / .861; fpa .939 / .737 / .666 / .903;
theta .678 / .660 / .698 / .813. Ours, for scale (the same with scikit-learn, 5 repeats), everything side by side .955 /
.751 / .856 / .945: in two sessions far below spikes alone.
"""

CHOICES = ("mouse1_session1", "mouse2_session1", "mouse2_session2", "mouse2_session3")
"""Sessions in which one of two arms is chosen."""
TRACKS = ("track290", "track320")
"""Sessions on a track."""
SESSIONS = (*CHOICES, *TRACKS)
"""All of them."""
_UNITS = {"track290": 290.0, "track320": 100.0}  # cm in a unit of the positions: the track's length, or a metre


@overload
def fetch_hippocampus(
    session: str = "mouse1_session1",
    *,
    bins: int = 5,
    keep: str = "published",
    relative_to: str = "bin",
    data_home: Folder = None,
    download: bool = True,
    return_X_y: Literal[False] = False,
) -> Bunch: ...
@overload
def fetch_hippocampus(
    session: str = "mouse1_session1",
    *,
    bins: int = 5,
    keep: str = "published",
    relative_to: str = "bin",
    data_home: Folder = None,
    download: bool = True,
    return_X_y: Literal[True],
) -> tuple[Modalities, NDArray[Any]]: ...
def fetch_hippocampus(
    session: str = "mouse1_session1",
    *,
    bins: int = 5,
    keep: str = "published",
    relative_to: str = "bin",
    data_home: Folder = None,
    download: bool = True,
    return_X_y: bool = False,
) -> Bunch | tuple[Modalities, NDArray[Any]]:
    """Load a session of the hippocampus: 43 to 77 trials with the arm that was chosen, or 2060 bins with a position.

    Args:
        session: "mouse1_session1", "mouse2_session1", "mouse2_session2" or "mouse2_session3" (which of two arms),
            "track290" or "track320" (position in cm).
        bins: How many bins of 100 ms before the choice point are read, 1 to 25. A bin of a track is a sample.
        keep: "published", the trials that ended in the correct arm, or the bins in which the animal moved (faster than
            0.05 in the unit of the file: 14.5 cm/s on track290, 5 cm/s on track320; unknown speeds are left out);
            "all", every trial or bin.
        relative_to: "bin", as published: in each bin, spikes, fpa, amplitude and phase of theta are z-scored over the
            units or electrodes (on a track, fpa goes from 0 to 1, spikes stay counts); "nothing", as recorded: counts,
            amplitudes, radians.
        data_home: Folder to look in first (for hippocampus_spikes_lfp/choice_SESSION.npz or position_TRACK.npz). Then
            come $PLAIT_DATA and the cache.
        download: As elsewhere, but nothing is downloaded, as the source states no licence: if the file is not on this
            machine, True is an OSError that says what it is made from.
        return_X_y: Return `(data, target)` alone; laps are lost.

    Returns:
        A Bunch with `data`, `target`, `target_names`, `published` (numbers of others; none of the tracks) and `DESCR`
        (source, licence, citation, what the files hold). Of a choice: `data` has the modalities spikes, fpa and theta,
        bin by bin (`.reshape(n, bins, -1)` gives the bins; of theta a bin is amplitudes, then phases), `target` is the
        arm, `trial` its number, `correct` whether it was the right one. Of a track: `data` has spikes and fpa, `target`
        is in cm, `groups` is the lap of each bin, and `speed` is in cm/s (NaN where unknown).

    Raises:
        FileNotFoundError: If the file is not on this machine and `download` is False.
        OSError: If it is not, and `download` is True.
        ValueError: If an option is out of range, or the file is damaged; the message names it.
    """
    check_one_of("session", session, SESSIONS)
    check_one_of("keep", keep, ("published", "all"))
    check_one_of("relative_to", relative_to, tuple(IN_A_TRIAL))
    check_whole("bins", bins, 1)
    if bins > MOST_BINS:
        raise ValueError(f"bins must be at most {MOST_BINS}, as the files hold no more of a trial (got {bins}).")
    samples = _samples(session, bins, relative_to, data_home, download)
    found = samples.kept(samples.published | (keep == "all"))
    if return_X_y:
        return found["data"], found["target"]
    names = np.array(["arm 0", "arm 1"] if session in CHOICES else ["position"])
    return Bunch(**found, target_names=names, DESCR=DESCR, published=hippocampus_published(session))


def _samples(session: str, bins: int, relative_to: str, data_home: Folder, download: bool) -> Samples:
    """All samples of a session."""
    arrays = prepared(SOURCES[session], f"{ORIGINS[session]} of {_REPOSITORY}", data_home, download)
    if session in TRACKS:
        return track_samples(arrays, _UNITS[session], ON_A_TRACK[relative_to])
    return choice_samples(arrays, bins, IN_A_TRIAL[relative_to])


_REPOSITORY = (
    "github.com/lcaopcn/Spatiotemporal-patterns-of-rodent-hippocampal-field-potentials-uncover-spatial-"
    "representations, which states no licence, so that no copy is offered"
)
ORIGINS = {
    **{one: f"Figure6_source_data/{one}/Features_data.mat" for one in CHOICES},
    "track290": "Figure2_source_data/Figure2_source_data_wake.mat",
    "track320": "Figure2_source_data/Figure_supplement_5_source_data_wake.mat",
}
"""File of the source that each session was made from."""
_DIGESTS = {
    "choice_mouse1_session1": "e14170eaf288e60e3fb0a667380110fa366da8c1ad23851fb26bfed0ab660167",
    "choice_mouse2_session1": "c03806aa9bfc8dcffb5a76e1de429d48838009ac9d879a37b5a8302e4d94053d",
    "choice_mouse2_session2": "8f1d933dfdbbaf6bcb7fb809953ac7e42d4404956bbbfa0dce0693f954655176",
    "choice_mouse2_session3": "e69d69e27a7554a990b0edde35c3686c29d2c2538aec8ea90986b2da223b2228",
    "position_track290": "f227efe26639f9da321301146f2ff3e1f6170365da75cb79582b67cdb3477736",
    "position_track320": "7099bad6deb07a46d986cf4f7ea4e73cef14d0fb9cc9f36e12f99d97780e4ab4",
}
SOURCES = {
    name.partition("_")[2]: archive("hippocampus_spikes_lfp", f"{name}.npz", sha256)
    for name, sha256 in _DIGESTS.items()
}
"""By session."""
