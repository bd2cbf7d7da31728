"""Encoders, steps of alignment, and a head: the network of Step Fusion (after Xu et al. 2023; reconstruction)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from plait.data.batches import Batch
from plait.data.shapes import Features, Present
from plait.data.spec import DataSpec
from plait.nn.criteria import Criterion
from plait.nn.separate import SeparateCopies
from plait.nn.step_fusion.alignment_losses import alignment_loss
from plait.nn.step_fusion.block import StepFusionBlock
from plait.nn.step_fusion.output import StepFusionOutput
from plait.nn.step_fusion.trace import Trace
from plait.nn.token_readers import TokenReader


@dataclass(frozen=True)
class StepPlan:
    """What a network of Step Fusion is made of.

    Args:
        block: Settings of `StepFusionBlock`, by name, but for the widths.
        encoder: Encoder of modalities without a module of the user, as `encoder_for` takes it.
        width: Size of the encoders' tokens.
        head: "joint" reads the joint encoding; "tokens" also every token of the first modality.
        dropout: Share of what the head reads that is dropped in training, in [0, 1).
        alignment: Kind of the alignment loss.
        alignment_weight: Its weight in the objective; 0 leaves it out.
        deep_weight: Weight of the loss of the joint encodings on the way; 0 leaves it out.
    """

    block: Mapping[str, Any]
    encoder: str
    width: int
    head: str
    dropout: float
    alignment: str
    alignment_weight: float
    deep_weight: float


class StepNet(nn.Module):
    """One network of Step Fusion: a plain module from cached representations to outputs.

    The head is linear on the joint encoding; with `head="tokens"` also on all tokens of the first modality (the
    forecasting head of the specification, section 3.7).

    Args:
        spec: Shapes, outputs, and the user's modules.
        plan: What it is made of.
    """

    def __init__(self, spec: DataSpec, plan: StepPlan) -> None:
        super().__init__()
        self.names, self.plan = spec.names, plan
        readers = [TokenReader(spec, name, plan.encoder, plan.width, plan.dropout) for name in self.names]
        self.readers = nn.ModuleList(readers)
        widths = {name: reader.width for name, reader in zip(self.names, readers, strict=True)}
        self.block = StepFusionBlock(widths, **plan.block)
        self.dropout = nn.Dropout(plan.dropout)
        self.from_joint = nn.Linear(plan.width, spec.outputs)
        size = readers[0].tokens * plan.width if plan.head == "tokens" else 0
        self.from_tokens = nn.Linear(size, spec.outputs, bias=False) if size else None

    def fuse(
        self, features: Features, present: Present, *, trace: bool = False, moments: bool = False
    ) -> StepFusionOutput:
        """The block's output; a sample without any modality is read as zeros."""
        tokens = {name: reader(features) for name, reader in zip(self.names, self.readers, strict=True)}
        seen = present | ~present.any(1, keepdim=True)
        found: StepFusionOutput = self.block(tokens, seen, return_trace=trace, return_moments=moments)
        return found

    def forward(self, features: Features, present: Present) -> Float[Tensor, "batch out"]:
        """Outputs of the network."""
        fused = self.fuse(features, present)
        return self._output(fused, fused.z)

    def loss(self, batch: Batch, criterion: Criterion, taught: Bool[Tensor, " batch"] | None) -> Float[Tensor, ""]:
        """L of section 3.8: the task's loss, alignment of the modalities, and deep supervision.

        Args:
            batch: Samples with cached representations.
            criterion: The task's.
            taught: Which samples the network learns from; None is all.
        """
        plan = self.plan
        fused = self.fuse(batch.features, batch.present, moments=plan.deep_weight > 0)
        found = criterion.loss(self._output(fused, fused.z), batch.target, taught)
        if plan.alignment_weight > 0:
            rows = batch.present.any(1) if taught is None else taught
            found = found + plan.alignment_weight * alignment_loss(
                fused.pooled[rows], fused.present[rows], plan.alignment
            )
        if fused.moments is not None:
            found = found + plan.deep_weight * self._deep(fused, fused.moments[1:], batch.target, criterion, taught)
        return found

    def _output(self, fused: StepFusionOutput, joint: Float[Tensor, "batch width"]) -> Float[Tensor, "batch out"]:
        """What the head says of a joint encoding (and of the tokens, where it reads them)."""
        found: Tensor = self.from_joint(self.dropout(joint))
        if self.from_tokens is None:
            return found
        told: Tensor = self.from_tokens(self.dropout(fused.tokens[self.names[0]].flatten(1)))
        return found + told

    def _deep(
        self,
        fused: StepFusionOutput,
        joints: Float[Tensor, "step batch width"],
        target: Float[Tensor, "batch out"],
        criterion: Criterion,
        taught: Bool[Tensor, " batch"] | None,
    ) -> Float[Tensor, ""]:
        """Sum over the steps k = 1 ... K of k/K times the loss of the joint encoding after step k."""
        losses = [criterion.loss(self._output(fused, joint), target, taught) for joint in joints]
        shares = torch.arange(1, len(losses) + 1, dtype=fused.z.dtype, device=fused.z.device) / max(len(losses), 1)
        return (shares * torch.stack(losses)).sum() if losses else fused.z.new_zeros(())


class StepCopies(SeparateCopies):
    """A network of Step Fusion for every fold.

    Args:
        spec: Shapes, outputs, task and number of folds.
        plan: What a network is made of.
        generator: Source of the initial weights.
    """

    def __init__(self, spec: DataSpec, plan: StepPlan, generator: torch.Generator) -> None:
        super().__init__(spec, lambda one: StepNet(one, plan), generator)

    def objective(self, batch: Batch, criterion: Criterion) -> Float[Tensor, " unit"]:
        """The objective of every copy on the samples that it learns from."""
        taught = self.taught(batch)
        rows = [None] * self.units if taught is None else list(taught)
        return torch.stack([net.loss(batch, criterion, one) for net, one in zip(self.each, rows, strict=True)])  # type: ignore[operator]

    def trace(self, features: Features, present: Present) -> Trace | None:
        """The way of the modalities through the steps of the first copy."""
        found: Trace | None = self.each[0].fuse(features, present, trace=True).trace  # type: ignore[operator]
        return found
