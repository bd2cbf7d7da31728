"""A sample passes an encoder once, whatever subsets are asked for; what is there is what the encoder gives."""

import copy
import os
import pickle
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from tap_toys import CALLS, Chain
from torch import nn

from plait.nn.taps import POOLINGS, LayeredEncoder, ModuleTaps, Tapped, cache_samples, pooled
from plait.nn.taps.cache import _sweep, folder_for_taps
from plait.nn.taps.cache_samples import SampleCache, sample_fingerprints

VALUES = torch.randn(12, 4, generator=torch.Generator().manual_seed(1))
PLACES = pytest.mark.parametrize("where", ["files", "memory"])


class Tokens(LayeredEncoder):
    """Three taps of tokens, computed from numbers or from the letters of texts, and a list of what was read."""

    def __init__(self, mark="tokens", taps=3, seen=None):
        super().__init__("tokens", taps)
        self.mark, self.seen = mark, [] if seen is None else seen

    def truncated(self, tap):
        return Tokens(self.mark, tap, self.seen)

    def fingerprint(self):
        return f"{self.mark}-{self.taps}"

    def _tapped(self, values):
        here = None
        if isinstance(values, dict) or (isinstance(values, tuple) and isinstance(values[0], torch.Tensor)):
            values = values["x"] if isinstance(values, dict) else values[0]
        elif not isinstance(values, torch.Tensor):
            longest = max(map(len, values))
            here = torch.tensor([[place < len(text) for place in range(longest)] for text in values])
            values = torch.tensor([[float(ord(letter)) for letter in text.ljust(longest)] for text in values])
        self.seen.extend(values.tolist())
        return [Tapped(torch.stack([values * tap, values + tap], 2), here) for tap in range(1, self.taps + 1)]


def cache_in(tmp_path, where, **choices):
    return SampleCache(tmp_path / "deep" if where == "files" else None, **{"batch": 4, "verbose": 0} | choices)


def expected(encoder, values, pool="mean"):
    return [pooled(tapped, pool).numpy() for tapped in encoder.read(values)]


def same(found, other):
    return len(found) == len(other) and all(np.array_equal(one, two) for one, two in zip(found, other, strict=True))


def shards(tmp_path):
    return sorted(path.parent for path in tmp_path.rglob("manifest.json"))


@PLACES
@pytest.mark.parametrize("pool", [*POOLINGS, "segments-2"])
def test_taps_are_what_the_encoder_gives(tmp_path, where, pool):
    """In the order of the samples, in the number format that was asked for."""
    cache = cache_in(tmp_path, where)
    for rows in ([0, 1, 2, 3, 4], [11, 2, 7, 0], list(range(12))):
        found = cache.taps(Tokens(), VALUES[rows], pool)
        assert [array.dtype for array in found] == [np.float32] * 3
        for array, other in zip(found, expected(Tokens(), VALUES[rows], pool), strict=True):
            np.testing.assert_allclose(array, other, atol=1e-6)


@PLACES
@pytest.mark.parametrize("batch", [1, 5, 99])
def test_every_sample_passes_once_ever(tmp_path, where, batch):
    """Over all folds of a cross-validation, fitted and judged: n passes, and n' more for n' new samples."""
    cache, encoder = cache_in(tmp_path, where, batch=batch), Tokens()
    for fold in range(4):
        held = torch.arange(10) % 4 == fold
        for rows in (~held, held, torch.ones(10, dtype=torch.bool)):
            cache.taps(encoder, VALUES[:10][rows], "mean")
    assert cache.passes == len(encoder.seen) == 10
    assert sorted(encoder.seen) == sorted(VALUES[:10].tolist())
    cache.taps(encoder, VALUES, "mean")
    assert cache.passes == len(encoder.seen) == 12


def test_files_serve_other_objects_on_the_same_folder(tmp_path):
    """Bit by bit, with other batches; memory is of one object."""
    first, encoder = cache_in(tmp_path, "files"), Tokens()
    before = first.taps(encoder, VALUES, "mean")
    other = cache_in(tmp_path, "files", batch=7)
    assert same(other.taps(encoder, VALUES.flip(0), "mean"), [array[::-1] for array in before])
    assert (first.passes, other.passes, len(encoder.seen)) == (12, 0, 12)
    assert cache_in(tmp_path, "memory").taps(encoder, VALUES, "mean")[0].shape == (12, 2)
    assert len(encoder.seen) == 24


@PLACES
def test_equal_samples_are_encoded_once(tmp_path, where):
    """In one call and in several; each place gets its taps."""
    cache, encoder = cache_in(tmp_path, where), Tokens()
    rows = [3, 1, 3, 3, 0, 1]
    found = cache.taps(encoder, VALUES[rows], "mean")
    assert encoder.seen == VALUES[[3, 1, 0]].tolist()
    np.testing.assert_array_equal(found[0], found[0][[0, 1, 0, 0, 4, 1]])
    np.testing.assert_allclose(found[1], expected(Tokens(), VALUES[rows])[1], atol=1e-6)
    cache.taps(encoder, VALUES[[5, 3, 5]], "mean")
    assert cache.passes == len(encoder.seen) == 4


@PLACES
@pytest.mark.parametrize(
    "form",
    [
        lambda rows: (VALUES[rows], VALUES[rows] + 1),
        lambda rows: {"x": VALUES[rows], "y": torch.arange(12)[rows]},
        lambda rows: [f"text {'x' * row}" for row in rows],
        lambda rows: tuple(f"text {'x' * row}" for row in rows),
    ],
)
def test_samples_come_in_every_form(tmp_path, where, form):
    """Tensors together, by names, and texts, of which new ones lie scattered among known ones."""
    cache, encoder = cache_in(tmp_path, where), Tokens()
    for rows in ([2, 4, 5], [0, 1, 2, 3, 5, 7], [8, 4, 9]):
        found = cache.taps(encoder, form(rows), "mean")
        np.testing.assert_allclose(found[2], expected(Tokens(), form(rows))[2], rtol=1e-6)
    assert cache.passes == len(encoder.seen) == 9


@PLACES
def test_other_weights_poolings_and_formats_are_never_mixed(tmp_path, where):
    """Each has its own taps; those from before are still there."""
    cache, net = cache_in(tmp_path, where), Chain()
    encoder = ModuleTaps(net, "blocks.*")
    first = cache.taps(encoder, VALUES, "mean")
    assert not same(cache.taps(encoder, VALUES, "mean+std"), first)
    nn.init.zeros_(net.blocks[0].linear.weight)
    assert not same(cache.taps(encoder, VALUES, "mean"), first)
    assert cache.passes == 36
    assert same(cache.taps(ModuleTaps(Chain(), "blocks.*"), VALUES, "mean"), first)
    assert cache.passes == 36
    if where == "files":
        half = cache_in(tmp_path, where, dtype="float16")
        assert half.taps(ModuleTaps(Chain(), "blocks.*"), VALUES, "mean")[0].dtype == np.float16
        assert half.passes == 12


@PLACES
def test_blocks_above_the_last_tap_do_not_run(tmp_path, where):
    """And the taps below are the same."""
    cache, encoder = cache_in(tmp_path, where, batch=12), ModuleTaps(Chain(), "blocks.*")
    CALLS.clear()
    found = cache.taps(encoder, VALUES, "mean", upto=2)
    assert CALLS == ["1", "2"]
    assert same(found, expected(encoder.truncated(2), VALUES))
    CALLS.clear()
    assert same(cache.taps(encoder, VALUES.flip(0), "mean", upto=2), [array[::-1] for array in found])
    assert not CALLS


@PLACES
def test_taps_of_the_whole_encoder_are_used_for_the_lower_ones(tmp_path, where):
    """Only samples that the whole never read pass the lower blocks; taps above those need another pass."""
    cache, encoder = cache_in(tmp_path, where), Tokens()
    whole = cache.taps(encoder, VALUES[:8], "mean")
    assert same(cache.taps(encoder, VALUES[:8], "mean", upto=2), whole[:2])
    assert same(cache.taps(encoder, VALUES[:8], "mean", upto=3), whole)
    assert cache.passes == 8
    mixed = cache.taps(encoder, VALUES[4:], "mean", upto=2)
    np.testing.assert_allclose(mixed[1], expected(Tokens(), VALUES[4:])[1], atol=1e-6)
    assert cache.passes == 12
    cache.taps(encoder, VALUES[4:], "mean", upto=2)
    assert cache.passes == 12
    cache.taps(encoder, VALUES, "mean")
    assert cache.passes == len(encoder.seen) == 16


@PLACES
@pytest.mark.parametrize("copied", [copy.deepcopy, lambda cache: pickle.loads(pickle.dumps(cache))])
def test_a_copy_knows_what_was_there(tmp_path, where, copied):
    """For estimators that are cloned, or sent to other processes."""
    cache = cache_in(tmp_path, where)
    before = cache.taps(Tokens(), VALUES, "mean")
    other = copied(cache)
    assert same(other.taps(Tokens(), VALUES, "mean"), before)
    assert other.passes == 12


@PLACES
def test_what_is_given_back_may_be_changed(tmp_path, where):
    """It is a copy."""
    cache = cache_in(tmp_path, where)
    cache.taps(Tokens(), VALUES, "mean")[0][:] = 0
    assert cache.taps(Tokens(), VALUES, "mean")[0].all()


@PLACES
def test_an_error_in_the_middle_leaves_nothing_and_names_the_samples(tmp_path, where):
    """By their places in what was given, those that were there before left out."""
    cache, encoder = cache_in(tmp_path, where, batch=2), ModuleTaps(Chain(), "blocks.*")
    cache.taps(encoder, VALUES[[0, 3]], "mean")
    values = VALUES.clone()
    values[5] = float("nan")
    with pytest.raises(ValueError, match="holds NaN or infinity in row 1") as caught:
        cache.taps(encoder, values[:7], "mean")
    assert caught.value.__notes__ == ["The batch holds the samples 4 to 5."]
    values[5], values[4] = VALUES[5], float("nan")
    with pytest.raises(ValueError, match="holds NaN or infinity in row 1") as caught:
        cache.taps(encoder, values[[0, 1, 3, 4, 2]], "mean")
    assert caught.value.__notes__ == ["The batch holds the samples 1, 3."]
    assert cache.passes == 2
    cache.taps(encoder, VALUES, "mean")
    assert cache.passes == 12
    if where == "files":
        assert len(shards(tmp_path)) == 2
        assert not list(tmp_path.rglob(".making*"))


def test_many_may_use_one_folder_at_once(tmp_path):
    """Objects in several threads that ask for overlapping samples: all get theirs, nothing is left over."""
    parts = [torch.arange(start, start + 6) for start in (0, 2, 4, 6)] * 3

    def found(rows):
        return cache_in(tmp_path, "files", batch=1).taps(Tokens(), VALUES[rows], "mean")

    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(found, parts))
    for rows, result in zip(parts, results, strict=True):
        np.testing.assert_allclose(result[2], expected(Tokens(), VALUES[rows])[2], atol=1e-6)
    assert not list(tmp_path.rglob(".making*"))
    cache = cache_in(tmp_path, "files")
    cache.taps(Tokens(), VALUES, "mean")
    assert cache.passes == 0


def test_fingerprints_are_of_samples_alone():
    """The same in any company, order and memory layout; another content, shape, format, name or kind is another."""
    values = torch.arange(12.0).reshape(2, 3, 2)
    assert sample_fingerprints(values) == [sample_fingerprints(values[row, None])[0] for row in range(2)]
    assert sample_fingerprints(values.flip(0)) == sample_fingerprints(values)[::-1]
    assert sample_fingerprints(values.mT.contiguous().mT) == sample_fingerprints(values)
    assert sample_fingerprints(("a", "b")) == sample_fingerprints(["a", "b"])
    others = [values, values + 1, values.double(), values.flatten(1), values.mT, (values, values), {"a": values}]
    others += [{"b": values}, {"a": values, "b": values}, ["0", "1"], torch.arange(2)]
    found = [fingerprint for other in others for fingerprint in sample_fingerprints(other)]
    assert len(set(found)) == len(found) == 2 * len(others)
    assert all(len(fingerprint) == 64 for fingerprint in found)


@PLACES
def test_nothing_is_made_of_nothing(tmp_path, where):
    """There must be a sample, a known pooling and a tap of that number; nothing is left behind."""
    cache = cache_in(tmp_path, where)
    for match, choices in {
        "no samples for encoder 'tokens'": {"values": VALUES[:0]},
        "pool must be one of": {"pool": "segments-0"},
        "has no tap 4": {"upto": 4},
        "tap must be a whole number of at least 1": {"upto": 0},
        "An encoder reads a tensor": {"values": "text"},
        "different numbers of samples": {"values": (VALUES, VALUES[:3])},
    }.items():
        with pytest.raises(ValueError, match=match):
            cache.taps(**({"encoder": Tokens(), "values": VALUES, "pool": "mean"} | choices))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("choices", "match"), [({"batch": 0}, "batch must be"), ({"dtype": "int8"}, "dtype must be")])
def test_settings_out_of_range_are_refused(choices, match):
    """By their names."""
    with pytest.raises(ValueError, match=match):
        SampleCache(None, **choices)


@PLACES
def test_numbers_that_do_not_fit_the_format_are_refused(tmp_path, where):
    """Rather than kept as infinity."""
    with pytest.raises(ValueError, match="too large for float16"):
        cache_in(tmp_path, where, dtype="float16").taps(Tokens(), VALUES * 1e6, "mean")


@pytest.mark.parametrize("verbose", [0, 1])
def test_progress_counts_the_new_samples(tmp_path, capfd, verbose):
    """Unless nothing is to be shown; what is there shows nothing."""
    cache = cache_in(tmp_path, "files", verbose=verbose)
    cache.taps(Tokens(), VALUES[:5], "mean")
    capfd.readouterr()
    cache.taps(Tokens(), VALUES, "mean")
    assert ("7/7" in capfd.readouterr().err) == bool(verbose)
    cache.taps(Tokens(), VALUES, "mean")
    assert capfd.readouterr().err == ""


@PLACES
def test_who_is_interrupted_goes_on_after_the_last_finished_shard(tmp_path, where, monkeypatch):
    """Samples pass in shards; those of a shard that was finished never pass again, and taps are the same."""
    monkeypatch.setattr(cache_samples, "_BATCHES", 2)
    cache, encoder = cache_in(tmp_path, where, batch=2), Tokens()
    values = VALUES.clone()
    values[9] = float("nan")
    with pytest.raises(ValueError, match="holds NaN"):
        cache.taps(encoder, values, "mean")
    assert cache.passes == 8
    encoder.seen.clear()
    assert same(cache.taps(encoder, VALUES, "mean"), expected(Tokens(), VALUES))
    assert encoder.seen == VALUES[8:].tolist()
    if where == "files":
        assert len(shards(tmp_path)) == 3


def test_one_progress_bar_goes_on_over_shards(tmp_path, monkeypatch, capsys):
    """It ends with all samples."""
    monkeypatch.setattr(cache_samples, "_BATCHES", 1)
    cache_in(tmp_path, "files", verbose=1).taps(Tokens(), VALUES, "mean")
    assert "12/12" in capsys.readouterr().err


def test_what_a_killed_process_has_left_is_removed_after_a_day(tmp_path):
    """And nothing else: somebody may be at work on what is younger."""
    cache = cache_in(tmp_path, "files")
    cache.taps(Tokens(), VALUES[:4], "mean")
    (folder,) = (tmp_path / "deep").iterdir()
    old, young = folder / ".making-old", folder / ".making-young"
    for left in (old, young):
        (left / "entry").mkdir(parents=True)
    os.utime(old, (time.time() - 25 * 3600,) * 2)
    cache.taps(Tokens(), VALUES, "mean")
    assert not old.exists()
    assert young.exists()


def test_a_folder_that_is_none_is_told(tmp_path):
    """A file, something that is no path, and a place where nothing can be made."""
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(NotADirectoryError, match=r"file is a file\. Name a folder"):
        SampleCache(file)
    with pytest.raises(OSError, match=r"The folder for taps \(cache\) .* cannot be made: .* Name another one"):
        SampleCache(file / "inside", verbose=0).taps(Tokens(), VALUES, "mean")
    with pytest.raises(TypeError, match=r"must be a path, or None to keep nothing \(got 3\)"):
        folder_for_taps(3)


def test_a_folder_that_vanishes_while_leftovers_are_looked_at(tmp_path, monkeypatch):
    """Another process has just finished: nothing is left to remove, and nothing fails."""
    gone = tmp_path / ".making-gone"
    monkeypatch.setattr(Path, "glob", lambda *_: iter([gone]))
    _sweep(tmp_path)
    assert not gone.exists()
