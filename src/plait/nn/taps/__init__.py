"""Layered encoders and their taps: the outputs of the blocks of frozen encoders, pooled and kept on disk."""

from plait.nn.taps.base import LayeredEncoder, Tapped
from plait.nn.taps.cache import TapCache
from plait.nn.taps.cache_samples import SampleCache
from plait.nn.taps.digests import data_fingerprint
from plait.nn.taps.hidden_states import HiddenStates
from plait.nn.taps.module_taps import ModuleTaps
from plait.nn.taps.onnx_graph import OnnxTaps
from plait.nn.taps.pooling import POOLINGS, pooled
from plait.nn.taps.small import SmallAudioNet, SmallImageNet, SmallSeriesNet, SmallVectorNet
from plait.nn.taps.text import MiniLM

__all__ = [
    "POOLINGS",
    "HiddenStates",
    "LayeredEncoder",
    "MiniLM",
    "ModuleTaps",
    "OnnxTaps",
    "SampleCache",
    "SmallAudioNet",
    "SmallImageNet",
    "SmallSeriesNet",
    "SmallVectorNet",
    "TapCache",
    "Tapped",
    "data_fingerprint",
    "pooled",
]
