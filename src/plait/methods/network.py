"""What methods with one jointly trained network have in common."""

from abc import abstractmethod
from functools import partial

import torch

from plait.data.spec import DataSpec
from plait.methods.base import Fitted, Method
from plait.nn.averaged_net import AveragedNet
from plait.nn.copies import Copies
from plait.nn.forecasting import ForecastCopies
from plait.training.course import Course
from plait.training.networks import learn_network


class NetworkFusion(Method):
    """One network reads all modalities and is trained as a whole; with K folds of validation, K copies of it."""

    @property
    def folds_allowed(self) -> bool:
        """There is a copy of the network for every fold."""
        return True

    @property
    def validation_needed(self) -> bool:
        """Without validation samples the network takes all epochs and keeps its last weights."""
        return False

    @property
    def forecasts(self) -> bool:
        """The network of one channel is applied to every channel."""
        return True

    @abstractmethod
    def network(self, spec: DataSpec, generator: torch.Generator) -> Copies:
        """The copies of the network, with fresh weights drawn from the generator."""

    def copies(self, spec: DataSpec, generator: torch.Generator) -> Copies:
        """The copies of the network; of a forecast, one that is applied to every channel."""
        if spec.forecast is None:
            return self.network(spec, generator)
        return ForecastCopies(spec, partial(self.network, generator=generator))

    def build(self, spec: DataSpec) -> AveragedNet:
        """The network with fresh weights."""
        return AveragedNet(self.copies(spec, torch.Generator().manual_seed(0)))

    def fit(self, course: Course) -> Fitted:
        """Train the network."""
        net = AveragedNet(self.copies(course.data.spec, course.generator()))
        learned = learn_network(net, course, type(self).__name__)
        return Fitted(self, learned.net, learned.result.history, validation=learned.outputs)
