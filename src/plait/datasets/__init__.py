"""Data sets to try methods on: simulated ones with known answers, real ones with published numbers."""

from plait.datasets._heartbeat_scores import j_kappa
from plait.datasets._records import relative_to_record
from plait.datasets.av_digits import fetch_av_digits
from plait.datasets.clothing import fetch_clothing
from plait.datasets.emoji import fetch_emoji
from plait.datasets.ett import fetch_ett
from plait.datasets.hippocampus import fetch_hippocampus
from plait.datasets.htad import fetch_htad
from plait.datasets.mfeat import fetch_mfeat
from plait.datasets.mitbih import fetch_mitbih
from plait.datasets.mosi import fetch_mosi
from plait.datasets.planted_taps import make_planted_taps, planted_inputs
from plait.datasets.rosmap import fetch_rosmap
from plait.datasets.settings import CURVES, SETTINGS, SharingSetting
from plait.datasets.splits import Split, split_rows
from plait.datasets.synthetic import make_data_sharing

__all__ = [
    "CURVES",
    "SETTINGS",
    "SharingSetting",
    "Split",
    "fetch_av_digits",
    "fetch_clothing",
    "fetch_emoji",
    "fetch_ett",
    "fetch_hippocampus",
    "fetch_htad",
    "fetch_mfeat",
    "fetch_mitbih",
    "fetch_mosi",
    "fetch_rosmap",
    "j_kappa",
    "make_data_sharing",
    "make_planted_taps",
    "planted_inputs",
    "relative_to_record",
    "split_rows",
]
