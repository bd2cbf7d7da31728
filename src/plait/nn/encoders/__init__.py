"""Encoders: the samples of one modality, of any shape, as tokens of one width."""

from plait.nn.encoders.base import TokenEncoder
from plait.nn.encoders.choice import encoder_for
from plait.nn.encoders.images import ImageConvolution, ImagePatches
from plait.nn.encoders.pooled import ENCODED, pooled_encoder
from plait.nn.encoders.series import SeriesConvolution, SeriesPatches
from plait.nn.encoders.vectors import Perceptron

__all__ = [
    "ENCODED",
    "ImageConvolution",
    "ImagePatches",
    "Perceptron",
    "SeriesConvolution",
    "SeriesPatches",
    "TokenEncoder",
    "encoder_for",
    "pooled_encoder",
]
