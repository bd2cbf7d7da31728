"""Small step blocks and the batches they read, in double precision."""

import torch

from plait.nn.step_fusion.block import StepFusionBlock

WIDTH, BATCH = 8, 5
LENGTHS = {"a": 4, "b": 3, "c": 2}
SCHEDULES = ("alternate", "sequential", "parallel")


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def drawn(*shape, seed=0):
    return torch.randn(*shape, generator=generator(seed), dtype=torch.float64)


def names(count):
    return list(LENGTHS)[:count]


def block(count=2, *, size=WIDTH, seed=0, **options):
    """A block without dropout, of as many modalities of one size."""
    given = {"width": WIDTH, "heads": 2, "dropout": 0.0, **options}
    made = StepFusionBlock(dict.fromkeys(names(count), size), generator=generator(seed), **given)
    return made.double()


def lively(count=2, **options):
    """A block whose weights look trained: nothing is zero."""
    return block(count, **{"init_scale": 0.3, **options})


def tokens(count=2, *, batch=BATCH, size=WIDTH, lengths=LENGTHS, seed=0):
    """Tokens of different numbers for every modality."""
    return {name: drawn(batch, lengths[name], size, seed=seed + ord(name)) for name in names(count)}


def holes(batch=BATCH, count=2):
    """Presence in which some samples lack one modality, and some all but one."""
    present = torch.ones(batch, count, dtype=torch.bool)
    for row in range(1, batch):
        present[row, row % count] = row % 2 == 0
    return present


def padding(values):
    """Masks that leave out the last token of every second sample."""
    found = {name: torch.ones(one.shape[:2], dtype=torch.bool) for name, one in values.items()}
    for mask in found.values():
        mask[::2, -1] = False
    return found


def largest(one, other):
    """Largest difference of two tensors."""
    return (one - other).abs().max().item()


def furthest(one, other):
    """Largest difference of two dictionaries of tensors."""
    return max(largest(one[name], other[name]) for name in one)
