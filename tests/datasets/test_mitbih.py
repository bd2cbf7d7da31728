from dataclasses import replace

import numpy as np
import pooch
import pytest
from sklearn.metrics import cohen_kappa_score

from plait.datasets import fetch_mitbih, j_kappa, mitbih, relative_to_record
from plait.datasets._beats import RR_COLUMNS, amplitudes, rr_features, standardised
from plait.datasets._fetch import digest
from plait.datasets._mitbih_numbers import mitbih_counts, mitbih_published
from plait.datasets._records import RELATIVE_COLUMNS
from plait.transforms.gramian import gasf

DS1 = [101, 106, 108, 109, 112, 114, 115, 116, 118, 119, 122, 124]
DS1 += [201, 203, 205, 207, 208, 209, 215, 220, 223, 230]
DS2 = [100, 103, 105, 111, 113, 117, 121, 123, 200, 202, 210, 212, 213, 214, 219, 221, 222, 228, 231, 232, 233, 234]


@pytest.fixture(scope="module")
def inter():
    """The real beats by record, without images; or skipped tests."""
    try:
        return fetch_mitbih(modalities=("rr", "amplitude"), drop_q=False, download=False)
    except FileNotFoundError as error:
        pytest.skip(str(error))


def beats(records, n=20, seed=0):
    """Arrays of the layout of the files: so many beats a record, of all five classes."""
    rng = np.random.default_rng(seed)
    total = n * len(records)
    return {
        "ecg": rng.integers(-500, 500, (total, 2, 128)).astype(np.int16),
        "rr": rng.uniform(0.5, 1.5, (total, 4)).astype(np.float32),
        "label": (np.arange(total) % 5).astype(np.uint8),
        "symbol": np.full(total, ord("N"), np.uint8),
        "record": np.repeat(np.array(records, np.uint8), n),
    }


@pytest.fixture
def nowhere(tmp_path, monkeypatch):
    """A machine without data."""
    monkeypatch.delenv("PLAIT_DATA", raising=False)
    monkeypatch.setattr(pooch, "os_cache", lambda name: tmp_path / "cache")
    return tmp_path


@pytest.fixture
def small(nowhere, monkeypatch):
    """Two small files that are taken for the published ones: their arrays, and where they are."""
    parts = [beats((101, 118, 201)), beats((100, 202), seed=1)]
    (nowhere / "mitbih_beats").mkdir()
    for source, arrays in zip(mitbih.SOURCES, parts, strict=True):
        np.savez(nowhere / "mitbih_beats" / source.file, **arrays)
    taken = [replace(source, sha256=digest(arrays)) for source, arrays in zip(mitbih.SOURCES, parts, strict=True)]
    monkeypatch.setattr(mitbih, "SOURCES", tuple(taken))
    arrays = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return arrays, {"data_home": nowhere, "download": False}


def test_the_beats_of_both_sets_are_as_published(inter):
    """Class counts N, S, V, F, Q of DS1 and DS2."""
    assert np.bincount(inter.target[inter.train]).tolist() == [45837, 943, 3788, 414, 8]
    assert np.bincount(inter.target[inter.test]).tolist() == [44236, 1837, 3220, 388, 7]
    assert inter.target_names.tolist() == ["N", "S", "V", "F", "Q"]


def test_no_record_is_in_training_and_test(inter):
    """DS1 and DS2 have the 22 records of de Chazal et al. each, none in common."""
    assert np.unique(inter.groups[inter.train]).tolist() == DS1
    assert np.unique(inter.groups[inter.test]).tolist() == DS2
    assert not set(DS1) & set(DS2)
    assert not {102, 104, 107, 217} & {*DS1, *DS2}


def test_validation_is_whole_training_records(inter):
    """Five records of DS1, every beat of them and no other."""
    assert inter.validation_records == (118, 122, 124, 207, 223)
    assert np.array_equal(inter.validation, np.isin(inter.groups, inter.validation_records))
    assert set(inter.groups[inter.validation]) <= set(inter.groups[inter.train])
    assert np.bincount(inter.target[inter.validation])[:4].tolist() == [9760, 306, 746, 19]


def test_real_features_are_finite_and_around_one(inter):
    """Every value is a number; ratios to the record are 1 for the middle beat."""
    rr, amplitude = inter.data["rr"], inter.data["amplitude"]
    assert inter.data.present.all()
    assert np.isfinite(rr).all()
    assert rr[:, :4].min() >= 0.25
    assert rr[:, :2].max() == pytest.approx(100.02, abs=0.01)  # a stretch of flutter in record 207
    for record in (101, 234):
        assert np.median(amplitude[inter.groups == record], axis=0) == pytest.approx(np.ones(4))


@pytest.mark.slow
def test_all_modalities_of_the_real_beats(inter):
    """The default modalities: four classes, 100,663 beats, float32."""
    bunch = fetch_mitbih(download=False)
    shapes = {"lead1": (128, 1), "lead2": (128, 1), "rr": (9,), "image": (1, 24, 24)}
    assert bunch.data.sample_shapes == shapes
    assert len(bunch.data) == len(inter.data) - 15 == 100_663
    assert {array.dtype for array in bunch.data.values()} == {np.dtype("float32")}
    assert bunch.target_names.tolist() == ["N", "S", "V", "F"]


def test_leads_images_and_columns_are_of_the_same_beats(small):
    """Rows keep their order, class Q is left out of all, images are of the first lead."""
    arrays, options = small
    bunch = fetch_mitbih(modalities=("image", "lead2", "lead1", "amplitude", "rr"), image_size=16, **options)
    kept = arrays["label"] < 4
    assert bunch.data.names == ("image", "lead2", "lead1", "amplitude", "rr")
    assert np.array_equal(bunch.data["lead2"], standardised(arrays["ecg"][kept, 1]))
    assert np.allclose(bunch.data["image"], gasf(bunch.data["lead1"], 16), atol=1e-4)
    assert bunch.data["image"].shape == (80, 1, 16, 16)
    assert np.array_equal(bunch.data["rr"][:, :4], arrays["rr"][kept])
    assert np.array_equal(bunch.data["amplitude"], amplitudes(arrays["ecg"], arrays["record"])[kept])
    assert bunch.data.columns["rr"] == RR_COLUMNS
    assert np.array_equal(bunch.target, arrays["label"][kept])
    assert np.array_equal(bunch.groups, arrays["record"][kept])


def test_strict_takes_the_shared_patient_out_of_the_test(small):
    """Record 202 stays in the data and is in no part; all else is as before."""
    _, options = small
    usual, strict = (fetch_mitbih(modalities=["rr"], strict=strict, **options) for strict in (False, True))
    assert set(usual.groups[usual.test]) == {100, 202}
    assert set(strict.groups[strict.test]) == {100}
    assert np.array_equal(usual.train, strict.train)
    assert np.array_equal(usual.groups, strict.groups)


def test_class_q_is_there_on_request(small):
    """Five classes, all beats."""
    arrays, options = small
    bunch = fetch_mitbih(modalities=["rr"], drop_q=False, **options)
    assert np.array_equal(bunch.target, arrays["label"])
    assert bunch.target_names.tolist() == ["N", "S", "V", "F", "Q"]


def test_random_beats_are_split_by_class_and_always_alike(small):
    """80/20 of every class, the same each time, records on both sides, no validation records."""
    _, options = small
    bunch, again = (fetch_mitbih("intra", modalities=["rr"], **options) for _ in range(2))
    assert np.array_equal(bunch.test, again.test)
    assert sorted([*bunch.train, *bunch.test]) == list(range(80))
    assert np.bincount(bunch.target[bunch.test]).tolist() == [4] * 4
    assert set(bunch.groups[bunch.train]) & set(bunch.groups[bunch.test])
    assert "validation" not in bunch


def test_return_X_y_gives_the_pair(small):
    """Scikit-learn's option gives data and target alone."""
    _, options = small
    data, target = fetch_mitbih(modalities=["rr"], return_X_y=True, **options)
    assert len(data) == len(target) == 80


def test_beats_are_scaled_one_by_one():
    """Mean 0 and population standard deviation 1; a constant beat is all zeros."""
    series = standardised(np.array([[1, 2, 3, 6], [5, 5, 5, 5]], np.int16))
    assert series.shape == (2, 4, 1)
    assert series.dtype == np.float32
    assert series[0, :, 0] == pytest.approx(np.array([-2, -1, 0, 3]) / np.sqrt(3.5))
    assert not series[1].any()


def test_ratios_of_intervals_are_those_they_are_called():
    """Every ratio by hand."""
    features = rr_features(np.array([[0.5, 2.0, 0.8, 1.6]], np.float32))
    found = dict(zip(RR_COLUMNS, features[0].tolist(), strict=True))
    for name, value in found.items():
        if "/" in name:
            above, below = name.split("/")
            assert value == pytest.approx(found[above] / found[below])
    assert [found[name] for name in ("previous", "next", "local", "record")] == pytest.approx([0.5, 2.0, 0.8, 1.6])
    assert found["next/previous"] == pytest.approx(4)
    assert len(features[0]) == 9


def test_amplitudes_are_relative_to_the_record():
    """A record that is twice as loud has the same amplitudes; a beat twice as large as usual has 2; silence has 0."""
    shape = np.array([0, 10, -10, 0], np.int16)
    sizes = np.array([1, 1, 2])[:, None, None]
    record = np.concatenate([sizes * shape, np.zeros((3, 1, 4), int)], axis=1)
    both = np.concatenate([record, 2 * record]).astype(np.int16)
    found = amplitudes(both, np.repeat(np.array([1, 2], np.uint8), 3))
    assert found[:3, [0, 2]] == pytest.approx(np.array([[1, 1], [1, 1], [2, 2]]))
    assert np.array_equal(found[:3], found[3:])
    assert not found[:, [1, 3]].any()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"protocol": "kaggle"}, "protocol must be one of 'inter', 'intra'"),
        ({"modalities": ["lead3"]}, "modalities must list one or more of 'lead1'"),
        ({"modalities": "rr"}, "modalities must list"),
        ({"modalities": []}, "modalities must list"),
        ({"modalities": ["rr", "rr"]}, "each once"),
        ({"image_size": 0}, "image_size must be a whole number of at least 1 and at most 128"),
        ({"image_size": 129}, "image_size must be a whole number of at least 1 and at most 128"),
        ({"protocol": "intra", "strict": True}, "strict=True takes a record out of the test"),
    ],
)
def test_wrong_arguments_are_told_before_anything_is_read(nowhere, options, message):
    """Each names the argument and what is allowed; a machine without data gives the same error."""
    with pytest.raises(ValueError, match=message):
        fetch_mitbih(**options)


@pytest.mark.parametrize(("download", "kind"), [(False, FileNotFoundError), (True, OSError)])
def test_without_data_the_error_says_where_the_beats_come_from(nowhere, download, kind):
    """No download is tried, since there is none; the error says where it looked and what the source is."""
    with pytest.raises(
        kind, match=r"mitbih_beats/ds1\.npz in .*Set PLAIT_DATA.*No public place.*mitdb/1\.0\.0"
    ) as caught:
        fetch_mitbih(download=download)
    assert "download=True" not in str(caught.value)


def test_other_beats_are_refused(small, monkeypatch):
    """Files of the right layout with one other number are not the published ones."""
    arrays, options = small
    changed = replace(mitbih.SOURCES[0], sha256=digest({"ecg": arrays["ecg"]}))
    monkeypatch.setattr(mitbih, "SOURCES", (changed, mitbih.SOURCES[1]))
    with pytest.raises(ValueError, match=r"ds1\.npz does not hold the published data set"):
        fetch_mitbih(modalities=["rr"], **options)


def test_published_counts_add_up():
    """109,494 beats in 48 records, 109,446 without the last of each; parts add up to their wholes, class by class."""
    counts = mitbih_counts()
    kaggle = "all but the last beat of each record (the Kaggle set)"
    assert counts.loc["all 48 records", "total"] == 109_494
    assert counts.loc[kaggle, "total"] == 109_446
    assert counts.loc[["Kaggle training part", "Kaggle test part"], "total"].tolist() == [87_554, 21_892]
    parts = counts.loc[["Kaggle training part", "Kaggle test part"]].sum()
    assert parts.tolist() == counts.loc[kaggle].tolist()
    records = counts.loc[["DS1, 22 records", "DS2, 22 records", "paced records 102, 104, 107, 217"]].sum()
    assert records.tolist() == counts.loc["all 48 records"].tolist()
    assert counts.loc[["DS1, these files", "DS2, these files"], "total"].tolist() == [50_990, 49_688]


@pytest.mark.parametrize(
    ("method", "metric", "value"),
    [
        ("ensemble of SVMs", "accuracy", 0.945),
        ("ensemble of SVMs", "j_kappa", 0.773),
        ("single SVM", "balanced_accuracy", 0.696),
        ("Zhang", "balanced_accuracy", 0.868),
        ("Mar et al", "j_kappa", 0.649),
        ("Chazal", "j_kappa", 0.612),
        ("Chazal", "positive predictivity S", 0.385),
        ("Kachuee", "accuracy", 0.934),
        ("Ahmad", "accuracy", 0.997),
        ("GAF-FusionNet", "accuracy", 0.996),
        ("JIFS-219305), after", "accuracy", 0.9847),
        ("Niu", "f1 S", 0.77),
    ],
)
def test_published_numbers_are_those_published(method, metric, value):
    """Cells of both tables, as shares."""
    table = mitbih_published()
    found = table[table["method"].str.contains(method, regex=False) & (table["metric"] == metric)]
    assert found["value"].tolist() == pytest.approx([value])


def test_every_published_number_says_how_its_beats_were_split():
    """42 numbers: by record, at random, or not stated; the unbelievable ones say so."""
    table = mitbih_published()
    assert len(table) == 42
    assert table["value"].between(0.3, 1).all()
    assert table["protocol"].str.contains("DS1 to DS2|random split|not stated").all()
    doubted = table["method"].str.startswith("Mousavi") & table["protocol"].str.startswith("DS1")
    assert table.loc[doubted, "protocol"].str.contains("leakage").all()
    words = ("ODC-By", "Moody and Mark", "Goldberger", "201 (DS1) and 202", "not causal", "109,446", "89 % of DS2")
    assert all(word in mitbih.DESCR for word in words)


def _from_confusion(matrix):
    """True and predicted classes that have this confusion matrix (rows are true)."""
    matrix = np.array(matrix)
    true, predicted = np.indices(matrix.shape)
    return np.repeat(true.ravel(), matrix.ravel()), np.repeat(predicted.ravel(), matrix.ravel())


def test_j_kappa_of_a_confusion_matrix_by_hand():
    """Kappa and the four shares of S and V, from the cells of a matrix of 100 beats."""
    matrix = [[60, 4, 2, 0], [5, 8, 1, 0], [1, 0, 14, 1], [2, 0, 1, 1]]
    observed = (60 + 8 + 14 + 1) / 100
    by_chance = (66 * 68 + 14 * 12 + 16 * 18 + 4 * 2) / 100**2
    kappa = (observed - by_chance) / (1 - by_chance)
    j = 8 / 14 + 14 / 16 + 8 / 12 + 14 / 18
    true, predicted = _from_confusion(matrix)
    assert j_kappa(true, predicted) == pytest.approx(kappa / 2 + j / 8)
    names = np.array(list("NSVF"))
    named = j_kappa(names[true], names[predicted], supraventricular="S", ventricular="V")
    assert named == pytest.approx(kappa / 2 + j / 8)


def test_j_kappa_has_its_limits():
    """1 for a perfect prediction; 0 for one class everywhere; half of kappa where S and V are always missed."""
    true = np.array([0, 0, 0, 1, 2, 3])
    assert j_kappa(true, true) == pytest.approx(1)
    assert j_kappa(true, np.zeros(6, int)) == 0
    missed = np.array([0, 0, 3, 0, 3, 3])
    assert j_kappa(true, missed) == pytest.approx(cohen_kappa_score(true, missed) / 2)


@pytest.mark.parametrize(("true", "absent"), [([0, 0, 2], r"\[1\]"), ([0, 1], r"\[2\]"), ([0, 0], r"\[1, 2\]")])
def test_j_kappa_needs_both_classes(true, absent):
    """Sensitivity of a class without beats is not defined, and not taken for 0."""
    with pytest.raises(ValueError, match=f"none of {absent}"):
        j_kappa(true, true)


def test_modalities_relative_to_the_record(small):
    """Leads of three channels, 16 columns of intervals, Q among the beats that say what is usual; a word is refused."""
    _, options = small
    bunch = fetch_mitbih(modalities=["lead1", "rr"], relative_to="record", **options)
    assert bunch.data.sample_shapes == {"lead1": (128, 3), "rr": (16,)}
    assert bunch.data.columns["rr"] == RELATIVE_COLUMNS
    alone = fetch_mitbih(modalities=["lead1"], relative_to="record", **options)
    np.testing.assert_array_equal(alone.data["lead1"], bunch.data["lead1"])
    raw = fetch_mitbih(modalities=["lead1", "rr"], relative_to="nothing", drop_q=False, **options)
    expected = relative_to_record(raw.data, raw.groups)[raw.target < 4]
    np.testing.assert_allclose(bunch.data["lead1"], expected["lead1"], atol=1e-6)
    np.testing.assert_array_equal(bunch.data["rr"], expected["rr"])
    with pytest.raises(ValueError, match="relative_to must be one of 'beat', 'record', 'nothing'"):
        fetch_mitbih(relative_to="patient", **options)


def test_beats_as_they_were_recorded(small):
    """Millivolts and seconds."""
    arrays, options = small
    bunch = fetch_mitbih(modalities=["lead2", "rr"], relative_to="nothing", drop_q=False, **options)
    np.testing.assert_allclose(bunch.data["lead2"][..., 0] * 200, arrays["ecg"][:, 1], atol=1e-3)
    np.testing.assert_array_equal(bunch.data["rr"], arrays["rr"])
    assert bunch.data.columns["rr"] == ("previous", "next", "local", "record")
