"""Encodings of all modalities in one width, for networks that join them."""

from collections.abc import Sequence
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor, nn

from plait.data.shapes import Features, Present
from plait.data.spec import DataSpec
from plait.nn.dictionary import whole_label, whole_student
from plait.nn.encoders import ENCODED, pooled_encoder
from plait.nn.extractors import Extractor, parse
from plait.nn.fresh import fresh
from plait.nn.layers import Looped, Rectifier, StackedLinear, StackedMLP, uniform
from plait.nn.students import Student


def whole_readers(spec: DataSpec) -> tuple[Student, ...]:
    """What `Encodings` read, for `Representations`: every modality as it is, or through the user's module."""
    return (whole_student(spec, spec.names),)


def read_whole(spec: DataSpec, units: int, generator: torch.Generator) -> tuple[list[str], nn.ModuleDict, list[int]]:
    """How a network reads every modality as a whole.

    Returns:
        The key of each modality's cached values ("modality/source"); the users' modules that are trained with the
        network, by the place of the modality; and how many values each modality then has.
    """
    keys, given, widths = [], nn.ModuleDict(), []
    for place, name in enumerate(spec.names):
        reader: Extractor = parse(whole_label(spec, name))  # type: ignore[assignment]
        trained = reader.trained(name, spec, units, (), generator)
        if trained is not None:
            given[str(place)] = trained
        keys.append(f"{name}/{reader.source}")
        widths.append(reader.width(name, spec))
    return keys, given, widths


class Encodings(nn.Module):
    """Every modality through an encoder of its own; zero where absent.

    A vector is read by a perceptron; a series or an image by a convolution (`plait.nn.encoders`), whatever the user's
    module gives as one row of numbers, both under a perceptron.

    Args:
        spec: Shapes of the data, and the user's modules.
        width: Size of an encoding, at least 1.
        hidden: Widths of the hidden layers of every encoder; () is a linear projection.
        units: Number of independent copies.
        generator: Source of the initial weights.
        dropout: Share of hidden units dropped in training, in [0, 1).
    """

    def __init__(
        self,
        spec: DataSpec,
        width: int,
        hidden: Sequence[int],
        units: int,
        generator: torch.Generator,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        every = torch.arange(units)
        self.keys, self.modules_given, widths = read_whole(spec, units, generator)
        self.encoders = nn.ModuleList()
        for place, shape in enumerate(spec.shapes.values()):
            if spec.names[place] not in spec.encoders and len(shape) > 1:
                build = partial(pooled_encoder, shape, dropout=dropout)
                self.modules_given[str(place)] = Looped(fresh(build, generator) for _ in range(units))
                widths[place] = ENCODED
        for read in widths:
            self.encoders.append(StackedMLP.initial(every, (read, *hidden, width), generator, dropout))

    def forward(self, features: Features, present: Present) -> Float[Tensor, "unit batch modality width"]:
        """The encodings, for cached representations (named "modality/source")."""
        encoded = [self._encoded(place, features[key]) for place, key in enumerate(self.keys)]
        return torch.stack(encoded, dim=2) * present[None, :, :, None].to(encoded[0].dtype)

    def _encoded(self, place: int, values: Float[Tensor, "batch ..."]) -> Float[Tensor, "unit batch width"]:
        given = self.modules_given[str(place)](values) if str(place) in self.modules_given else values.flatten(1)
        found: Tensor = self.encoders[place](given)
        return found


class Head(nn.Module):
    """A perceptron after a joint encoding: activation first, then dense layers, linear at the end.

    Args:
        units: Number of independent copies.
        sizes: Widths of input, hidden layers and output.
        generator: Source of the initial weights.
        dropout: Share of the inputs and hidden units dropped in training, in [0, 1).
    """

    def __init__(self, units: int, sizes: Sequence[int], generator: torch.Generator, dropout: float = 0.0) -> None:
        super().__init__()
        self.rectifier = Rectifier(dropout)
        self.layers = StackedMLP.initial(torch.arange(units), sizes, generator, dropout)

    def forward(self, joint: Float[Tensor, "unit batch width"]) -> Float[Tensor, "unit batch out"]:
        """Outputs of all copies."""
        output: Tensor = self.layers(self.rectifier(joint.clone()))  # the rectifier works in place
        return output


def stacked_linear(units: int, width: int, out: int, generator: torch.Generator) -> StackedLinear:
    """A dense layer for every unit, with torch's initial law."""
    weight = uniform((units, width, out), width, generator)
    return StackedLinear(weight, uniform((units, out), width, generator))
