"""Every sample passes an encoder once; what comes from files is what the encoder gives, or an error."""

import hashlib
import json
import shutil

import numpy as np
import pytest
import torch
from tap_toys import CALLS, Chain, Fixed
from torch import nn

from plait.nn.taps import POOLINGS, LayeredEncoder, ModuleTaps, TapCache, Tapped, data_fingerprint, pooled
from plait.nn.taps import cache_files as files_module
from plait.nn.taps.inputs import part

VALUES = torch.randn(10, 4, generator=torch.Generator().manual_seed(1))


class Counted(LayeredEncoder):
    """An encoder around another, which counts the samples it reads."""

    def __init__(self, encoder):
        super().__init__("counted", encoder.taps)
        self.encoder, self.samples = encoder, []

    def truncated(self, tap):
        return Counted(self.encoder.truncated(tap))

    def fingerprint(self):
        return self.encoder.fingerprint()

    def _tapped(self, values):
        self.samples.append(len(values))
        return self.encoder.read(values)


class Letters(LayeredEncoder):
    """Texts as one tap: a token a letter with padding."""

    def __init__(self):
        super().__init__("letters", 1)

    def truncated(self, tap):
        return self

    def fingerprint(self):
        return "letters"

    def _tapped(self, values):
        longest = max(map(len, values))
        tokens = torch.tensor([[float(ord(letter)) for letter in text.ljust(longest)] for text in values])
        here = torch.tensor([[place < len(text) for place in range(longest)] for text in values])
        return [Tapped(tokens[..., None], here)]


@pytest.fixture
def cache(tmp_path):
    """An empty one, in a folder that is not there yet."""
    return TapCache(tmp_path / "deep" / "cache", batch=4, verbose=0)


def entry_of(cache):
    """The folder of the only entry."""
    (entry,) = cache.folder.iterdir()
    return entry


@pytest.mark.parametrize("pool", POOLINGS)
def test_cached_taps_are_what_the_encoder_gives(cache, pool):
    """To 1e-6, of unequal widths, whatever the batches; arrays are read-only maps of files in the promised format."""
    encoder = ModuleTaps(Chain(), "blocks.*")
    found = cache.taps(encoder, VALUES, pool, "data")
    for array, tapped in zip(found, encoder.read(VALUES), strict=True):
        assert isinstance(array, np.memmap)
        assert array.dtype == np.float32
        assert not array.flags.writeable
        assert np.allclose(array, pooled(tapped, pool), rtol=0, atol=1e-6)


@pytest.mark.parametrize("batch", [1, 4, 10, 99])
def test_every_sample_passes_once_ever(tmp_path, batch):
    """In batches of the size that was asked for; a second cache on the same folder reads files alone."""
    encoder = Counted(ModuleTaps(Chain(), "blocks.*"))
    first = TapCache(tmp_path, batch=batch, verbose=0).taps(encoder, VALUES, "mean", "data")
    assert sum(encoder.samples) == 10
    assert max(encoder.samples) == min(batch, 10)
    again = TapCache(tmp_path, batch=3, verbose=0).taps(encoder, VALUES, "mean", "data")
    assert sum(encoder.samples) == 10
    assert all(np.array_equal(one, other) for one, other in zip(first, again, strict=True))


def test_the_blocks_run_once_a_batch(cache):
    """A counter in the network proves it."""
    encoder = ModuleTaps(Chain(), "blocks.*")
    CALLS.clear()
    for _ in range(3):
        cache.taps(encoder, VALUES, "mean", "data")
    assert CALLS.count("1") == 3  # batches of 4, 4 and 2


def test_other_weights_pooling_data_or_formats_are_never_mixed(cache):
    """Each has a folder of its own; the first is still there."""
    net = Chain()
    encoder = Counted(ModuleTaps(net, "blocks.*"))
    first = cache.taps(encoder, VALUES, "mean", "data")[0].copy()
    cache.taps(encoder, VALUES, "max", "data")
    cache.taps(encoder, VALUES + 1, "mean", "other data")
    TapCache(cache.folder, dtype="float64", verbose=0).taps(encoder, VALUES, "mean", "data")
    weights = net.blocks[0].linear.weight.detach().clone()
    nn.init.zeros_(net.blocks[0].linear.weight)
    changed = cache.taps(encoder, VALUES, "mean", "data")[0]
    assert (sum(encoder.samples), len(list(cache.folder.iterdir()))) == (50, 5)
    assert not np.allclose(first, changed)
    net.blocks[0].linear.weight.data.copy_(weights)
    assert np.array_equal(cache.taps(encoder, VALUES, "mean", "data")[0], first)
    assert sum(encoder.samples) == 50


@pytest.mark.parametrize(("dtype", "near"), [("float16", 1e-2), ("float32", 1e-6), ("float64", 1e-6)])
def test_the_number_format_can_be_chosen(tmp_path, dtype, near):
    """Halves are as near as halves are."""
    encoder = ModuleTaps(Chain(), "blocks.*")
    (*_, last) = TapCache(tmp_path, dtype=dtype, verbose=0).taps(encoder, VALUES, "mean", "data")
    assert last.dtype == np.dtype(dtype)
    assert np.allclose(last, encoder.read(VALUES)[-1].values, atol=near)


def test_numbers_that_do_not_fit_the_format_are_refused(tmp_path):
    """Rather than written as infinity; nothing is left behind."""
    with pytest.raises(ValueError, match="too large for float16"):
        TapCache(tmp_path, dtype="float16", verbose=0).taps(Fixed(torch.full((1, 2), 1e6)), VALUES[:1], "mean", "data")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("values", [(VALUES, VALUES), {"values": VALUES}, ["some", "texts"] * 5, ("of", "words") * 5])
def test_batches_of_every_form_are_cut(values):
    """Ten samples, from the fourth to before the sixth."""
    cut = part(values, 3, 5)
    assert type(cut) is type(values)
    if isinstance(values, dict):
        assert torch.equal(cut["values"], VALUES[3:5])
    elif isinstance(values[0], str):
        assert tuple(cut) == (values[3], values[4])
    else:
        assert all(torch.equal(tensor, VALUES[3:5]) for tensor in cut)


def test_texts_are_cached_without_their_padding(cache):
    """Batches of other lengths, one row a text; the last batch is smaller."""
    texts = ["a", "ab", "abcdef", "b", "ccccccccc"]
    (found,) = cache.taps(Letters(), texts, "mean", data_fingerprint(texts))
    assert found[:, 0].tolist() == pytest.approx([sum(map(ord, text)) / len(text) for text in texts])


def test_a_single_sample_and_a_single_tap_are_enough(cache):
    """The smallest entry."""
    (found,) = cache.taps(Fixed(torch.tensor([[[1.0, 2.0], [3.0, 4.0]]])), VALUES[:1], "mean", "data")
    assert found.tolist() == [[2.0, 3.0]]


def test_an_empty_batch_is_refused_and_leaves_nothing(cache):
    """There is nothing to keep."""
    with pytest.raises(ValueError, match="has no samples"):
        cache.taps(ModuleTaps(Chain(), "blocks.*"), VALUES[:0], "mean", "data")
    assert not list(cache.folder.iterdir())


def test_an_error_in_the_middle_leaves_nothing_and_names_the_samples(cache):
    """NaN in the second batch."""
    values = VALUES.clone()
    values[6] = float("nan")
    with pytest.raises(ValueError, match="holds NaN or infinity in row 2") as caught:
        cache.taps(ModuleTaps(Chain(), "blocks.*"), values, "mean", "data")
    assert caught.value.__notes__ == ["The batch holds the samples 4 to 7."]
    assert not list(cache.folder.iterdir())


def damage_bytes(entry):
    file = entry / "tap_002.npy"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)


def cut_short(entry):
    file = entry / "tap_002.npy"
    file.write_bytes(file.read_bytes()[:-8])


def another_array(entry):
    np.save(entry / "tap_002.npy", np.zeros((10, 5), np.float32))


def signed(entry, write):
    """A foreign file of which the manifest says that it is right."""
    file = entry / "tap_002.npy"
    write(file)
    manifest = json.loads((entry / "manifest.json").read_text())
    manifest["taps"][1]["sha256"] = hashlib.sha256(file.read_bytes()).hexdigest()
    (entry / "manifest.json").write_text(json.dumps(manifest))


def change_manifest(entry, **changes):
    manifest = json.loads((entry / "manifest.json").read_text())
    (entry / "manifest.json").write_text(json.dumps(manifest | changes))


@pytest.mark.parametrize(
    ("damage", "named"),
    [
        (damage_bytes, r"tap_002.npy is missing, or its content is not what was saved"),
        (cut_short, r"tap_002.npy is missing, or its content is not what was saved"),
        (another_array, r"tap_002.npy is missing, or its content is not what was saved"),
        (lambda entry: (entry / "tap_002.npy").unlink(), r"tap_002.npy is missing"),
        (lambda entry: signed(entry, lambda file: file.write_bytes(b"text")), "tap_002.npy cannot be read as an array"),
        (
            lambda entry: signed(entry, lambda file: np.save(file, np.array([{}]), allow_pickle=True)),
            "tap_002.npy cannot be read as an array",
        ),
        (
            lambda entry: signed(entry, lambda file: np.save(file, np.zeros((10, 5)))),
            r"tap_002.npy holds float64 of shape \(10, 5\), not float32 of \(10, 5\)",
        ),
        (
            lambda entry: signed(entry, lambda file: np.save(file, np.zeros((9, 5), np.float32))),
            r"tap_002.npy holds float32 of shape \(9, 5\)",
        ),
        (lambda entry: (entry / "manifest.json").unlink(), "manifest.json cannot be read as a manifest"),
        (lambda entry: (entry / "manifest.json").write_text("{"), "manifest.json cannot be read as a manifest"),
        (lambda entry: (entry / "manifest.json").write_text("[]"), "manifest.json cannot be read as a manifest"),
        (lambda entry: (entry / "manifest.json").write_bytes(b"\xff"), "manifest.json cannot be read as a manifest"),
        (lambda entry: change_manifest(entry, format=2), "manifest.json tells of another format than 1, or of other"),
        (lambda entry: change_manifest(entry, made_of={}), "manifest.json tells of another format"),
        (lambda entry: change_manifest(entry, taps=[]), "manifest.json tells of another format"),
        (lambda entry: change_manifest(entry, taps=[{}]), "manifest.json cannot be read as a manifest"),
    ],
)
def test_what_is_damaged_truncated_or_foreign_is_named(cache, damage, named):
    """With the folder to remove; after that all is made again."""
    encoder = ModuleTaps(Chain(), "blocks.*")
    before = [array.copy() for array in cache.taps(encoder, VALUES, "mean", "data")]
    entry = entry_of(cache)
    damage(entry)
    with pytest.raises(ValueError, match=named) as caught:
        cache.taps(encoder, VALUES, "mean", "data")
    assert f"Remove the folder {entry}" in str(caught.value)
    shutil.rmtree(entry)
    again = cache.taps(encoder, VALUES, "mean", "data")
    assert all(np.array_equal(one, other) for one, other in zip(before, again, strict=True))


def test_an_entry_under_another_name_is_refused(cache):
    """Its manifest tells what it was made of."""
    encoder = ModuleTaps(Chain(), "blocks.*")
    cache.taps(encoder, VALUES, "mean", "data")
    mean = entry_of(cache)
    cache.taps(encoder, VALUES, "max", "data")
    (other,) = set(cache.folder.iterdir()) - {mean}
    shutil.rmtree(other)
    mean.rename(other)
    with pytest.raises(ValueError, match="of other taps"):
        cache.taps(encoder, VALUES, "max", "data")


def test_another_number_of_samples_under_the_same_fingerprint_is_refused(cache):
    """The fingerprint must tell them apart."""
    encoder = ModuleTaps(Chain(), "blocks.*")
    cache.taps(encoder, VALUES, "mean", "data")
    with pytest.raises(ValueError, match=r"holds 4 taps of 10 samples.* there are 9 samples"):
        cache.taps(encoder, VALUES[:9], "mean", "data")


def test_a_faster_process_wins(cache, monkeypatch):
    """The entry appears while another is being made: it is kept, and nothing else is left."""
    encoder = ModuleTaps(Chain(), "blocks.*")
    first = cache.taps(encoder, VALUES, "mean", "data")
    entry = entry_of(cache)
    seen = iter([False])
    monkeypatch.setattr(files_module.Entry, "exists", lambda self: next(seen, True))
    stamp = (entry / "tap_001.npy").stat().st_mtime_ns
    again = cache.taps(encoder, VALUES, "mean", "data")
    assert np.array_equal(first[0], again[0])
    assert (entry / "tap_001.npy").stat().st_mtime_ns == stamp
    assert list(cache.folder.iterdir()) == [entry]


def test_the_manifest_is_readable_text(cache):
    """Format number, shapes and digests."""
    cache.taps(ModuleTaps(Chain(), "blocks.*"), VALUES, "mean", "data")
    manifest = json.loads((entry_of(cache) / "manifest.json").read_text())
    assert manifest["format"] == 1
    assert [tap["shape"] for tap in manifest["taps"]] == [[10, 4], [10, 5], [10, 3], [10, 6]]
    assert manifest["taps"][0]["sha256"] == hashlib.sha256((entry_of(cache) / "tap_001.npy").read_bytes()).hexdigest()
    assert {"pool": "mean", "data": "data", "dtype": "float32"}.items() <= manifest["made_of"].items()


@pytest.mark.parametrize(("verbose", "shown"), [(0, False), (1, True)])
def test_a_bar_on_standard_error_tells_how_far_it_is(tmp_path, capfd, verbose, shown):
    """Unless nothing is to be shown; files are read without one."""
    cache = TapCache(tmp_path, verbose=verbose)
    cache.taps(ModuleTaps(Chain(), "blocks.*"), VALUES, "mean", "data")
    out, err = capfd.readouterr()
    assert ("taps of Chain" in err and "10/10" in err) == shown
    cache.taps(ModuleTaps(Chain(), "blocks.*"), VALUES, "mean", "data")
    assert (out, *capfd.readouterr()) == ("", "", "")


@pytest.mark.parametrize(
    ("choices", "match"),
    [({"batch": 0}, "batch must be a whole number of at least 1"), ({"dtype": "int8"}, "dtype must be one of")],
)
def test_settings_out_of_range_are_refused(tmp_path, choices, match):
    """By their names."""
    with pytest.raises(ValueError, match=match):
        TapCache(tmp_path, **choices)


@pytest.mark.parametrize(("pool", "data", "match"), [("sum", "data", "pool must be one of"), ("mean", "", "is empty")])
def test_unknown_poolings_and_nameless_data_are_refused(cache, pool, data, match):
    """Before anything is computed."""
    with pytest.raises(ValueError, match=match):
        cache.taps(Fixed(VALUES), VALUES, pool, data)
