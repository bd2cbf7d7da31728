import dataclasses
import gzip
import hashlib
import shutil

import numpy as np
import pooch
import pytest

from plait.datasets import _fetch, fetch_htad, fetch_mfeat, fetch_rosmap, htad, mfeat, rosmap
from plait.datasets._fetch import DamagedFileError, Source, digest, fetch, read_csv, read_npz

LOADERS = {"htad": fetch_htad, "rosmap_mogonet": fetch_rosmap, "uci_mfeat": fetch_mfeat}
SOURCES = {"htad": htad.SOURCE, "rosmap_mogonet": rosmap.SOURCE, "uci_mfeat": mfeat.SOURCE}


@pytest.fixture
def nowhere(tmp_path, monkeypatch):
    """A machine without data: no variable, an empty cache, no network."""

    def refuse(*arguments, **options):
        raise OSError("no network in tests")

    monkeypatch.delenv("PLAIT_DATA", raising=False)
    monkeypatch.setattr(pooch, "os_cache", lambda name: tmp_path / "cache")
    monkeypatch.setattr(pooch.HTTPDownloader, "__call__", refuse)
    return tmp_path


@pytest.fixture
def bare(nowhere, monkeypatch):
    """A machine without data, and without packages that ship some."""
    monkeypatch.setattr(_fetch, "_installed", lambda source: None)
    return nowhere


ARRAYS = {"x": np.arange(6.0).reshape(3, 2), "label": np.array(["a", "b", "a"])}


def _table(folder):
    table = read_csv(folder / "toyshop/table.csv")
    return {"x": table[:, :2].astype(float), "label": table[:, 2]}


TOY = Source(
    name="toy",
    file="toy.npz",
    read=read_npz,
    parts=("toyshop/table.csv",),
    build=_table,
    sha256=digest(ARRAYS),
    urls={"toyshop/table.csv": ("https://example.org/table.csv", None)},
    package="toyshop",
)


def put_toy(home):
    """Write the prepared file of the toy below a data folder."""
    (home / "toy").mkdir(parents=True)
    np.savez(home / "toy" / "toy.npz", **ARRAYS)
    return home


def put_toy_table(root):
    """Write the published file of the toy below a folder."""
    (root / "toyshop").mkdir(parents=True)
    (root / "toyshop" / "table.csv").write_text("0,1,a\n2,3,b\n4,5,a\n")
    return root


def same(arrays):
    """Whether these are the arrays of the toy."""
    return arrays.keys() == ARRAYS.keys() and all(np.array_equal(arrays[name], ARRAYS[name]) for name in ARRAYS)


def test_places_are_searched_in_order(nowhere, monkeypatch):
    """data_home comes before PLAIT_DATA, that before the cache, that before an installed package."""
    read = []
    source = dataclasses.replace(
        TOY,
        read=lambda path: read.append(path.parents[1]) or read_npz(path),
        build=lambda folder: read.append(folder) or _table(folder),
    )
    site = put_toy_table(nowhere / "site")
    monkeypatch.setattr(_fetch, "_installed", lambda source: site)
    assert same(fetch(source, None, download=False))
    cache = put_toy(nowhere / "cache")
    assert same(fetch(source, None, download=False))
    shared = put_toy(nowhere / "shared")
    monkeypatch.setenv("PLAIT_DATA", str(shared))
    assert same(fetch(source, None, download=False))
    home = put_toy(nowhere / "home")
    assert same(fetch(source, str(home), download=False))
    assert read == [site, cache, shared, home]


def test_a_place_without_the_file_is_passed_over(nowhere, monkeypatch):
    """An empty data_home does not hide what PLAIT_DATA has."""
    monkeypatch.setenv("PLAIT_DATA", str(put_toy(nowhere / "shared")))
    assert same(fetch(TOY, nowhere / "empty", download=False))


def test_published_files_below_a_folder_will_do(nowhere):
    """The unprepared files of the source are read as well."""
    put_toy_table(nowhere / "home" / "toy")
    assert same(fetch(TOY, nowhere / "home", download=False))


def test_an_installed_package_is_read_and_never_run(nowhere, monkeypatch):
    """The file is taken from where the package lies; importing that package would fail."""
    put_toy_table(nowhere / "site")
    (nowhere / "site" / "toyshop" / "__init__.py").write_text("raise RuntimeError('imported')\n")
    monkeypatch.syspath_prepend(nowhere / "site")
    assert same(fetch(TOY, None, download=False))


@pytest.mark.parametrize("name", LOADERS)
def test_without_download_the_error_says_where_it_looked(bare, monkeypatch, name):
    """The error names the file, the three places, and what to do."""
    monkeypatch.setenv("PLAIT_DATA", str(bare / "shared"))
    with pytest.raises(FileNotFoundError) as caught:
        LOADERS[name](data_home=bare / "home", download=False)
    message = str(caught.value)
    for part in (SOURCES[name].file, str(bare / "home"), str(bare / "shared"), str(bare / "cache")):
        assert part in message
    assert "Set PLAIT_DATA" in message
    assert "download=True" in message


@pytest.mark.parametrize("name", LOADERS)
def test_without_a_network_the_error_says_so(bare, name):
    """A failed download is one error that says where it looked, what failed and what to do."""
    with pytest.raises(OSError, match=r"was not found.*\$PLAIT_DATA \(not set\).*no network in tests.*Try again"):
        LOADERS[name]()


@pytest.fixture
def published(nowhere, monkeypatch):
    """The published table; every download gives it."""
    path = put_toy_table(nowhere / "build") / "toyshop" / "table.csv"
    monkeypatch.setattr(
        pooch.HTTPDownloader,
        "__call__",
        lambda self, url, output_file, *rest, **options: shutil.copyfile(path, output_file),
    )
    return path


def _with_checksum(sha256):
    ((name, (url, _)),) = TOY.urls.items()
    return dataclasses.replace(TOY, urls={name: (url, sha256)})


@pytest.mark.parametrize("home", [None, "home"])
def test_a_download_is_checked_and_kept(nowhere, published, home):
    """The download goes into data_home, or else into the cache, and is found there the next time."""
    source = _with_checksum(hashlib.sha256(published.read_bytes()).hexdigest())
    data_home = home and nowhere / home
    assert same(fetch(source, data_home, download=True))
    assert (nowhere / (home or "cache") / "toy" / "toyshop" / "table.csv").is_file()
    assert same(fetch(source, data_home, download=False))


def test_a_download_with_another_checksum_is_refused(nowhere, published):
    """A file that is not the published one never becomes data."""
    with pytest.raises(OSError, match="hash"):
        fetch(_with_checksum("0" * 64), None, download=True)
    assert not (nowhere / "cache" / "toy" / "toyshop" / "table.csv").exists()


def test_other_values_are_refused(nowhere):
    """A readable file with one other number is not the published data set."""
    put_toy(nowhere / "home")
    np.savez(nowhere / "home" / "toy" / "toy.npz", **{**ARRAYS, "x": ARRAYS["x"] + 1e-9})
    with pytest.raises(DamagedFileError, match=r"toy\.npz does not hold the published data set 'toy'.*Remove it"):
        fetch(TOY, nowhere / "home", download=False)


def _damage(content, kind):
    if kind == "truncated":
        return content[: len(content) // 2]
    return {"empty": b"", "another format": b"not,the\nright\n"}[kind]


@pytest.mark.parametrize("kind", ["truncated", "empty", "another format"])
@pytest.mark.parametrize("name", LOADERS)
def test_a_damaged_file_is_one_error_that_names_it(nowhere, name, kind):
    """A file that was cut off, emptied or replaced ends in one ValueError with its path and what to do."""
    path = nowhere / name / SOURCES[name].file
    path.parent.mkdir()
    np.savez(nowhere / "good.npz", **ARRAYS)
    text = "class,v1_mfcc1,v2_meanX\n" + "a,1.5,2.5\n" * 2000
    good = gzip.compress(text.encode()) if path.suffix == ".gz" else (nowhere / "good.npz").read_bytes()
    path.write_bytes(_damage(good, kind))
    with pytest.raises(ValueError, match=r"cannot be read .*Remove it and fetch again") as caught:
        LOADERS[name](data_home=nowhere)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("table", ["class,v1_a,v2_b\nwalk,one,2\n", "class,v1_a,v2_b\nwalk,1\n", "v1_a,v2_b\n1,2\n"])
def test_a_table_that_does_not_fit_is_named(nowhere, table):
    """Words in numbers, rows of other lengths and a missing column are errors that name the file."""
    (nowhere / "htad").mkdir()
    path = nowhere / "htad" / "htad.csv.gz"
    path.write_bytes(gzip.compress(table.encode()))
    with pytest.raises(ValueError, match="cannot be read") as caught:
        fetch_htad(data_home=nowhere)
    assert str(path) in str(caught.value)


def test_pickled_objects_are_refused(nowhere):
    """An npz file that would run code when loaded is an error, and nothing is run."""
    (nowhere / "uci_mfeat").mkdir()
    np.savez(nowhere / "uci_mfeat" / "mfeat.npz", label=np.array([{"a": 1}], dtype=object))
    with pytest.raises(DamagedFileError, match="allow_pickle=False"):
        fetch_mfeat(data_home=nowhere)


def test_a_single_array_is_no_archive(nowhere):
    """An npy file under the name of an npz file is an error."""
    (nowhere / "uci_mfeat").mkdir()
    with (nowhere / "uci_mfeat" / "mfeat.npz").open("wb") as file:
        np.save(file, np.zeros(3))
    with pytest.raises(DamagedFileError, match="not an npz archive"):
        fetch_mfeat(data_home=nowhere)


def test_the_digest_does_not_depend_on_memory_layout():
    """Order of keys, of bytes and of storage do not matter; values, shapes and names do."""
    x = ARRAYS["x"]
    swapped = {"label": ARRAYS["label"].astype("<U9"), "x": np.asfortranarray(x).astype(">f8")}
    assert digest(swapped) == digest(ARRAYS)
    for other in (x.T, x.astype("float32"), x + 1e-12):
        assert digest({**ARRAYS, "x": other}) != digest(ARRAYS)
    assert digest({"y": x, "label": ARRAYS["label"]}) != digest(ARRAYS)
