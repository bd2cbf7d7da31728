"""Recordings of the hippocampus: trials with the arm that was chosen, bins of a track with a position."""

from dataclasses import replace

import numpy as np
import pooch
import pytest
from scipy import stats
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from plait.datasets import fetch_hippocampus, hippocampus
from plait.datasets._fetch import digest
from plait.datasets._hippocampus_samples import laps, ranged, standardised


@pytest.fixture
def nowhere(tmp_path, monkeypatch):
    """A machine without data."""
    monkeypatch.delenv("PLAIT_DATA", raising=False)
    monkeypatch.setattr(pooch, "os_cache", lambda name: tmp_path / "cache")
    return tmp_path


def trials():
    """Six trials of 25 bins, two of which went wrong; three units, four electrodes."""
    rng = np.random.default_rng(0)
    recorded = {name: rng.gamma(2.0, size=(6, 25, 4)).astype(np.float32) for name in ("fpa_uhf", "lfp_theta_amp")}
    return {
        **recorded,
        "lfp_theta_phase": rng.uniform(-3, 3, size=(6, 25, 4)).astype(np.float32),
        "spikes": rng.poisson(1.0, size=(6, 25, 3)).astype(np.uint8),
        "choice": np.array([0, 1, 0, 1, 0, 1], dtype=np.uint8),
        "correct": np.array([1, 1, 0, 1, 0, 1], dtype=np.uint8),
        "trial": np.arange(1, 7, dtype=np.int16),
        "position": np.zeros((6, 25), dtype=np.float32),
    }


def track():
    """Two laps of four bins; the animal rests in one, and the speed of another is not known."""
    rng = np.random.default_rng(0)
    return {
        "spikes": rng.poisson(1.0, size=(8, 3)).astype(np.uint8),
        "fpa_uhf": rng.gamma(2.0, size=(8, 4)).astype(np.float32),
        "position": np.tile([0.1, 0.4, 0.6, 0.9], 2).astype(np.float32),
        "speed": np.array([0.1, 0.2, 0.05, 0.3, np.nan, 0.2, 0.06, 0.4], dtype=np.float32),
        "track_len_cm": np.array([290], dtype=np.uint16),
    }


@pytest.fixture
def small(nowhere, monkeypatch):
    """Small files in place of one session and both tracks."""
    folder = nowhere / "hippocampus_spikes_lfp"
    folder.mkdir()
    taken = dict(hippocampus.SOURCES)
    for name, arrays in (("mouse1_session1", trials()), ("track290", track()), ("track320", track())):
        np.savez(folder / taken[name].file, **arrays)
        taken[name] = replace(taken[name], sha256=digest(arrays))
    monkeypatch.setattr(hippocampus, "SOURCES", taken)
    return {"data_home": nowhere, "download": False}


def test_a_trial_is_its_last_bins_side_by_side(small):
    """As recorded: counts, amplitudes, and of theta in each bin amplitudes, then phases."""
    arrays, options = trials(), {**small, "relative_to": "nothing", "keep": "all"}
    data = fetch_hippocampus(bins=2, **options).data
    assert data.sample_shapes == {"spikes": (6,), "fpa": (8,), "theta": (16,)}
    assert np.array_equal(data["spikes"].reshape(6, 2, 3), arrays["spikes"][:, 23:])
    assert np.array_equal(data["fpa"].reshape(6, 2, 4), arrays["fpa_uhf"][:, 23:])
    amplitude, phase = np.split(data["theta"].reshape(6, 2, 8), 2, axis=-1)
    assert np.array_equal(amplitude, arrays["lfp_theta_amp"][:, 23:])
    assert np.array_equal(phase, arrays["lfp_theta_phase"][:, 23:])
    assert fetch_hippocampus(bins=25, **options).data.sample_shapes["fpa"] == (100,)


def test_the_published_protocol_keeps_correct_trials_and_their_last_half_second(small):
    """Five bins; all trials are there for the asking, with what is known of them."""
    bunch, everything = fetch_hippocampus(**small), fetch_hippocampus(keep="all", **small)
    assert (bunch.trial.tolist(), bunch.target.tolist()) == ([1, 2, 4, 6], [0, 1, 1, 1])
    assert everything.correct.tolist() == [True, True, False, True, False, True]
    assert np.array_equal(bunch.data["fpa"], everything.data["fpa"][[0, 1, 3, 5]])
    assert bunch.data.sample_shapes["fpa"] == (20,)
    assert "groups" not in bunch


def test_bins_are_standardised_one_by_one(small):
    """Over units or electrodes, amplitude and phase apart: what all of a bin share is gone."""
    data, arrays = fetch_hippocampus(keep="all", **small).data, trials()
    expected = stats.zscore(arrays["lfp_theta_phase"][:, 20:], axis=-1, ddof=1)
    assert np.allclose(data["theta"].reshape(6, 5, 8)[..., 4:], expected, atol=1e-5)
    assert np.allclose(data["fpa"].reshape(6, 5, 4).mean(-1), 0, atol=1e-6)


@pytest.mark.parametrize("rescaled", [standardised, ranged])
def test_a_bin_without_a_spike_is_zero(rescaled):
    """And no division by zero; whole numbers without a sign are no trap."""
    assert rescaled(np.array([[0, 0, 0], [2, 2, 2]], dtype=np.uint8)).tolist() == [[0, 0, 0], [0, 0, 0]]
    assert rescaled(np.array([[0, 1, 2]], dtype=np.uint8))[0].tolist() == (
        [-1, 0, 1] if rescaled is standardised else [0, 0.5, 1]
    )


@pytest.mark.parametrize(("session", "centimetres"), [("track290", 290), ("track320", 100)])
def test_a_bin_of_a_track_has_a_position_in_centimetres_and_a_lap(small, session, centimetres):
    """Resting bins and those of unknown speed are left out, unless all are asked for; their lap stays."""
    bunch, everything = fetch_hippocampus(session, **small), fetch_hippocampus(session, keep="all", **small)
    position = np.tile([0.1, 0.4, 0.6, 0.9], 2) * centimetres
    assert everything.target == pytest.approx(position, rel=1e-6)
    assert everything.groups.tolist() == [0, 0, 0, 0, 1, 1, 1, 1]
    assert bunch.target == pytest.approx(position[[0, 1, 3, 5, 6, 7]], rel=1e-6)
    assert bunch.groups.tolist() == [0, 0, 0, 1, 1, 1]
    assert bunch.speed[0] == pytest.approx(0.1 * centimetres)
    assert np.isnan(everything.speed[4])
    assert bunch.published.empty


def test_on_a_track_spikes_are_counts_and_potentials_go_from_0_to_1(small):
    """As published; as recorded on request."""
    bunch = fetch_hippocampus("track290", keep="all", **small)
    assert np.array_equal(bunch.data["spikes"], track()["spikes"])
    assert (bunch.data["fpa"].min(1).tolist(), bunch.data["fpa"].max(1).tolist()) == ([0.0] * 8, [1.0] * 8)
    raw = fetch_hippocampus("track290", keep="all", relative_to="nothing", **small)
    assert np.array_equal(raw.data["fpa"], track()["fpa_uhf"])


def test_laps_begin_where_the_animal_is_put_back():
    """In either direction; a noisy position begins none."""
    assert laps(np.array([9.0, 5.0, 6.0, 2.0, 0.0, 10.0, 6.0, 4.0])).tolist() == [0, 0, 0, 0, 0, 1, 1, 1]
    assert laps(np.array([0.0, 5.0, 10.0, 1.0, 4.0])).tolist() == [0, 0, 0, 1, 1]


def test_data_and_target_alone(small):
    """Scikit-learn's option, of both kinds of sessions."""
    for session, samples in (("mouse1_session1", 4), ("track320", 6)):
        data, target = fetch_hippocampus(session, return_X_y=True, **small)
        assert (len(data), len(target)) == (samples, samples)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"session": "mouse3"}, "session must be one of 'mouse1_session1', .*'track320'"),
        ({"bins": 0}, "bins must be a whole number of at least 1"),
        ({"bins": 26}, "bins must be at most 25"),
        ({"keep": "correct"}, "keep must be one of 'published', 'all'"),
        ({"relative_to": "record"}, "relative_to must be one of 'bin', 'nothing'"),
    ],
)
def test_options_out_of_range_are_told_before_anything_is_read(nowhere, options, message):
    """A machine without data gives the same error."""
    with pytest.raises(ValueError, match=message):
        fetch_hippocampus(**options)


@pytest.mark.parametrize(("download", "kind"), [(False, FileNotFoundError), (True, OSError)])
@pytest.mark.parametrize("session", hippocampus.SESSIONS)
def test_without_data_the_error_says_what_the_file_is_made_from(nowhere, session, download, kind):
    """It names the file, says where to put it, and that no licence lets it be offered; no download is tried."""
    file, made_from = hippocampus.SOURCES[session].file, hippocampus.ORIGINS[session]
    with pytest.raises(kind, match=rf"{file}.*Set PLAIT_DATA.*{made_from} of github.com/lcaopcn/.*no licence"):
        fetch_hippocampus(session, download=download)


def test_a_damaged_file_is_named(small):
    """One error, with its path."""
    path = small["data_home"] / "hippocampus_spikes_lfp" / "position_track290.npz"
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(ValueError, match=r"position_track290\.npz cannot be read"):
        fetch_hippocampus("track290", **small)


def real(session, **options):
    """A session that lies on this machine, or a skipped test."""
    try:
        return fetch_hippocampus(session, download=False, **options)
    except FileNotFoundError as error:
        pytest.skip(str(error))


@pytest.mark.parametrize(
    ("session", "counts", "units", "best"),
    [
        ("mouse1_session1", [36, 30], 56, 0.94),
        ("mouse2_session1", [21, 24], 24, 0.898),
        ("mouse2_session2", [23, 20], 17, 0.915),
        ("mouse2_session3", [38, 39], 12, 0.928),
    ],
)
def test_the_real_choices_are_as_published(session, counts, units, best):
    """Correct trials by arm, units, and four published accuracies with their AUC."""
    bunch = real(session)
    assert np.bincount(bunch.target).tolist() == counts
    assert bunch.data.sample_shapes == {"spikes": (5 * units,), "fpa": (320,), "theta": (640,)}
    assert bunch.published["metric"].value_counts().to_dict() == {"accuracy": 4, "roc_auc": 4}
    assert bunch.published.query("metric == 'accuracy'")["value"].max() == best
    assert bunch.published["protocol"].str.contains("10-fold").all()


@pytest.mark.parametrize("modality", ["spikes", "fpa", "theta"])
def test_the_published_machine_reaches_the_published_accuracy(modality):
    """Linear, on the session with most trials: within .03 (two random divisions into ten folds differ by about .01)."""
    bunch = real("mouse2_session3")
    machine = make_pipeline(StandardScaler(), SVC(kernel="linear"))
    parts = [StratifiedKFold(10, shuffle=True, random_state=seed) for seed in range(3)]
    found = np.mean([cross_val_score(machine, bunch.data[modality], bunch.target, cv=one) for one in parts])
    told = bunch.published.query("metric == 'accuracy'").set_index("method")["value"]
    assert found == pytest.approx(told[f"linear SVM on {modality}"], abs=0.03)


@pytest.mark.parametrize(
    ("session", "moving", "bins", "turns"), [("track290", 2061, 2650, 47), ("track320", 2103, 2347, 42)]
)
def test_the_real_tracks_are_as_recorded(session, moving, bins, turns):
    """Bins with the animal on the move; every lap runs over nearly the whole track."""
    bunch, everything = real(session), real(session, keep="all")
    assert (len(bunch.data), len(everything.data)) == (moving, bins)
    assert len(np.unique(bunch.groups)) == turns
    spans = [np.ptp(everything.target[everything.groups == lap]) for lap in range(turns)]
    assert min(spans) > 0.8 * int(session[-3:])


@pytest.mark.parametrize("word", ["Source:", "Licence: none", "Citation:", "Split: none", "Published numbers", ".940"])
def test_the_description_says_source_licence_citation_split_and_numbers(small, word):
    """Whoever reads DESCR knows where the data come from, what they may do, and what others reached how."""
    assert word in fetch_hippocampus(**small).DESCR
