"""Linear parts of modalities, found from training samples: each decomposition is made once, for all that read it."""

from collections.abc import Sequence

import torch
from jaxtyping import Bool

from plait.data.shapes import Features
from plait.nn.decomposition import Decomposition
from plait.nn.extractors import PCA, Shared
from plait.nn.shared_parts import LinearPart, SharedParts


class Parts:
    """Principal components, shared and individual parts, of samples.

    Args:
        names: Names of the modalities, in the order of the columns of `present`.
        features: Samples of every modality; where one is absent its values are not looked at.
        present: Which modalities each sample has.
    """

    def __init__(self, names: Sequence[str], features: Features, present: Bool[torch.Tensor, "batch modality"]) -> None:
        self.names, self.features, self.present = tuple(names), features, present
        self._decomposed: dict[str, Decomposition] = {}
        self._shared: dict[tuple[str, ...], SharedParts] = {}

    def named(self, kind: str, name: str, count: int, party: Sequence[str]) -> LinearPart:
        """A part by the kind of its extractor.

        Args:
            kind: "pca", "shared" or "individual".
            name: The modality.
            count: Number of values; zeros beyond all that there are.
            party: The modalities that share.
        """
        if kind == PCA.kind:
            return self.components(name, count)
        sharing = self.sharing(party)
        return sharing.shared(name, count) if kind == Shared.kind else sharing.individual(name, count)

    def components(self, name: str, count: int) -> LinearPart:
        """Scores on the first principal components (centred, not scaled); zeros beyond all that there are."""
        part = self.of(name)
        directions = part.directions[:, :count]
        missing = count - directions.shape[1]
        return LinearPart(part.mean, torch.nn.functional.pad(directions, (0, missing)))

    def of(self, name: str) -> Decomposition:
        """Principal components of a modality, of the samples that have it."""
        if name not in self._decomposed:
            rows = self.features[name][self.present[:, self.names.index(name)]]
            self._decomposed[name] = Decomposition.of(rows)
        return self._decomposed[name]

    def sharing(self, names: Sequence[str]) -> SharedParts:
        """What these modalities share, and what each has for itself beside."""
        names = tuple(names)
        if names not in self._shared:
            columns = [self.names.index(name) for name in names]
            values = {name: self.features[name] for name in names}
            decomposed = {name: self.of(name) for name in names}
            self._shared[names] = SharedParts(decomposed, values, self.present[:, columns])
        return self._shared[names]
