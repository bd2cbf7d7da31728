"""Traces made by hand: modalities that come closer step by step, as the shift toward the guides does it."""

import math

import torch

from plait.nn.step_fusion.trace import StepRecord, Trace

NAMES = ("audio", "text", "image", "pulse")


def start(modalities, samples, width, seed):
    """Noisy rotated copies of one hidden variable at places of their own."""
    draw = torch.Generator().manual_seed(seed)
    hidden = torch.randn(samples, width, generator=draw, dtype=torch.float64)
    copies = []
    for place in range(modalities):
        turn = torch.linalg.qr(torch.randn(width, width, generator=draw, dtype=torch.float64))[0]
        noise = torch.randn(samples, width, generator=draw, dtype=torch.float64)
        copies.append(hidden @ turn + 0.5 * noise + 0.4 * place)
    return torch.stack(copies, 1)


def schedule(modalities, steps, parallel):
    """The targets of each step: one in turn, or all."""
    return [range(modalities) if parallel else [step % modalities] for step in range(steps)]


def toward(modalities=2, steps=4, samples=60, width=6, absent=(), beta=0.4, parallel=False, seed=0):
    """g_a becomes (1 - beta) g_a + beta times the mean of the others; absent rows (sample, modality) stay 0."""
    present = torch.ones(samples, modalities, dtype=torch.bool)
    for sample, modality in absent:
        present[sample, modality] = False
    now = start(modalities, samples, width, seed) * present[..., None]
    moments, records = [now], []
    for step, targets in enumerate(schedule(modalities, steps, parallel), start=1):
        before, now = now, now.clone()
        for target in targets:
            guides = present.clone()
            guides[:, target] = False
            count = guides.sum(1, keepdim=True)
            mean = (before * guides[..., None]).sum(1) / count.clamp(min=1)
            shift = beta * (mean - before[:, target]) * ((count > 0) & present[:, [target]])
            now[:, target] = before[:, target] + shift
            records.append(record(step, target, shift, seed))
        moments.append(now)
    return Trace(NAMES[:modalities], torch.stack(moments), present, tuple(records))


def record(step, target, shift, seed):
    """Made-up zoom and rotation beside the shift that was made."""
    draw = torch.Generator().manual_seed(100 * seed + step)
    spread = 0.2 + 0.05 * step
    zoom = torch.exp(spread * torch.randn(shift.shape, generator=draw, dtype=torch.float64) + 0.1 * target)
    angles = torch.linspace(0.6, 0.1, shift.shape[1] // 2, dtype=torch.float64) * math.log2(1 + step)
    length = shift.norm(dim=-1)
    return StepRecord(step, target, zoom, angles, length, 0.3 * length)
