"""Shards of a cache of samples that are damaged, foreign or unfinished are named, or not looked at."""

import shutil

import numpy as np
import pytest
import torch
from tap_toys import Chain

from plait.nn.taps import ModuleTaps
from plait.nn.taps.cache_samples import SampleCache

VALUES = torch.randn(12, 4, generator=torch.Generator().manual_seed(1))


def shards(folder):
    return sorted(path.parent for path in folder.rglob("manifest.json"))


def flip_last_bit(file):
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)


@pytest.mark.parametrize(
    ("damage", "named"),
    [
        (lambda shard: flip_last_bit(shard / "tap_002.npy"), "tap_002.npy is missing, or its content is not what was"),
        (lambda shard: (shard / "tap_002.npy").unlink(), "tap_002.npy is missing"),
        (lambda shard: (shard / "manifest.json").write_text("{"), "manifest.json cannot be read as a manifest"),
        (lambda shard: flip_last_bit(shard / "samples.txt"), "samples.txt is missing, or lists other samples"),
        (lambda shard: (shard / "samples.txt").write_bytes(b"\xff"), "samples.txt is missing, or lists other samples"),
        (lambda shard: (shard / "samples.txt").unlink(), "samples.txt is missing, or lists other samples"),
    ],
)
def test_what_is_damaged_is_named(tmp_path, damage, named):
    """With the folder to remove; after that its samples alone are made again."""
    cache, encoder = SampleCache(tmp_path, verbose=0), ModuleTaps(Chain(), "blocks.*")
    cache.taps(encoder, VALUES[:5], "mean")
    (shard,) = shards(tmp_path)
    before = cache.taps(encoder, VALUES, "mean")
    damage(shard)
    with pytest.raises(ValueError, match=named) as caught:
        cache.taps(encoder, VALUES, "mean")
    assert f"Remove the folder {shard}" in str(caught.value)
    shutil.rmtree(shard)
    again = cache.taps(encoder, VALUES, "mean")
    assert all(np.array_equal(one, other) for one, other in zip(again, before, strict=True))
    assert cache.passes == 17


def test_a_shard_under_another_name_is_refused(tmp_path):
    """Its list of samples and its manifest tell what it is."""
    cache, encoder = SampleCache(tmp_path, verbose=0), ModuleTaps(Chain(), "blocks.*")
    cache.taps(encoder, VALUES[:5], "mean")
    (shard,) = shards(tmp_path)
    shard.rename(shard.with_name("0" * 64))
    with pytest.raises(ValueError, match="lists other samples than those of the taps beside it"):
        cache.taps(encoder, VALUES, "mean")


def test_what_others_are_just_making_is_not_looked_at(tmp_path):
    """Unfinished folders begin with a dot."""
    cache, encoder = SampleCache(tmp_path, verbose=0), ModuleTaps(Chain(), "blocks.*")
    cache.taps(encoder, VALUES[:5], "mean")
    (shard,) = shards(tmp_path)
    (shard.parent / ".making-by-another" / "entry").mkdir(parents=True)
    cache.taps(encoder, VALUES[:5], "mean")
    assert cache.passes == 5
