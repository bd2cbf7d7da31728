"""Meta Fusion on the hippocampus: sessions, folds, the published classifier, positions, and what is asked."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score
from sklearn.svm import SVC
from sklearn.utils import Bunch

from plait import datasets
from plait.data.modalities import Modalities
from plait.datasets._hippocampus_numbers import hippocampus_published
from plait.datasets.hippocampus import CHOICES, SESSIONS, TRACKS
from plait.estimators import FusionClassifier, FusionRegressor
from plait.methods.early import EarlyFusion
from plait.methods.meta import MetaFusion
from plait.methods.single import SingleModality
from plait.reproduce import meta_fusion_neural as neural
from plait.reproduce import meta_fusion_real as real
from plait.reproduce.registry import study_by_name
from plait.reproduce.study import Found, Request, Study
from plait.training.trainer import Trainer

MACHINES = {"early-svm", "fpa-theta-svm", "spikes-svm", "fpa-svm", "theta-svm"}


def stand_in(session: str) -> Bunch:
    """40 trials whose arm every modality shows, or 60 bins of ten laps whose position spikes show."""
    rng = np.random.default_rng(0)
    if session in CHOICES:
        target = np.tile([0, 1], 20)
        arrays = {one: rng.normal(size=(40, 4)) + 2 * target[:, None] for one in ("spikes", "fpa", "theta")}
        return Bunch(data=Modalities(arrays), target=target, published=hippocampus_published(session))
    position = np.tile(np.linspace(0, 290, 6), 10)
    spikes = position[:, None] / 100 + rng.normal(scale=0.1, size=(60, 3))
    data = Modalities({"spikes": spikes, "fpa": rng.normal(size=(60, 4))})
    return Bunch(
        data=data, target=position, groups=np.repeat(np.arange(10), 6), published=hippocampus_published(session)
    )


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets, "fetch_hippocampus", stand_in)


def planned(*, epochs: int | None = 1) -> Study:
    """The study with one seed."""
    return study_by_name("meta-fusion/neural", Request(seeds=(2,), epochs=epochs, threads=1))


def found(study: Study, arm: str) -> Found:
    """What a run of the arm gives."""
    return next(run for run in study.runs if run.arm == arm).fit(0)


@pytest.mark.parametrize("session", SESSIONS)
def test_every_session_has_its_arms(session: str) -> None:
    """The default, two linear models, each modality alone; of a choice the published classifier too."""
    runs = [run for run in planned().runs if run.labels["group"] == session]
    common = {"default", "late-linear", "early-linear", "spikes-alone", "fpa-alone"}
    expected = common | ({"theta-alone"} | MACHINES if session in CHOICES else set())
    assert {run.labels["method"] for run in runs} == expected
    assert {run.arm for run in runs} == {f"{session}/{arm}" for arm in expected}


def test_choices_have_classes_and_tracks_have_values() -> None:
    """Each with metrics of its own; errors are better the lower they are."""
    study = planned()
    assert dict(study.metrics) == {
        "accuracy": "higher",
        "roc_auc": "higher",
        "r2": "higher",
        "median_error_cm": "lower",
    }
    assert {*found(study, "mouse1_session1/spikes-svm").numbers} & {*study.metrics} == {"accuracy", "roc_auc"}
    assert {*found(study, "track320/late-linear").numbers} & {*study.metrics} == {"r2", "median_error_cm"}


Seen = list[tuple[FusionClassifier | FusionRegressor, Modalities, np.ndarray | None]]


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> Seen:
    """Models with what they are fitted on, in place of fits."""
    kept: Seen = []

    def tell(model, data, target, groups):
        kept.append((model, data, groups))
        return {"fit_seconds": 1.0}

    monkeypatch.setattr(real, "fit_and_tell", tell)
    monkeypatch.setattr(FusionClassifier, "predict_proba", lambda self, X: np.tile([0.5, 0.5], (len(X), 1)))
    monkeypatch.setattr(FusionRegressor, "predict", lambda self, X: np.zeros(len(X)))
    return kept


def test_all_settings_of_the_default_are_defaults(seen: Seen) -> None:
    """Of classes and of values."""
    study = planned(epochs=None)
    for arm, kind in (("mouse2_session2/default", FusionClassifier), ("track290/default", FusionRegressor)):
        found(study, arm)
        assert repr(seen[-1][0]) == repr(kind(MetaFusion(), trainer=Trainer(threads=1), random_state=2))


@pytest.mark.parametrize(
    ("arm", "method", "read"),
    [
        ("early-svm", EarlyFusion, ["spikes", "fpa", "theta"]),
        ("fpa-theta-svm", EarlyFusion, ["fpa", "theta"]),
        ("theta-svm", SingleModality, ["spikes", "fpa", "theta"]),
    ],
)
def test_the_published_classifier_reads_what_was_published(seen: Seen, arm: str, method: type, read: list[str]) -> None:
    """Ten folds by class, 36 trials to fit on; nothing is held together."""
    found(planned(), f"mouse1_session1/{arm}")
    assert [(len(data), groups) for _, data, groups in seen] == [(36, None)] * 10
    model, data, _ = seen[0]
    assert isinstance(model.method, method)
    assert isinstance(model.method.base, neural.LinearSVM)
    assert getattr(model.method, "modality", "theta") == "theta"
    assert list(data) == read


def test_laps_stay_together_in_the_fit(seen: Seen) -> None:
    """Where a fit of a position chooses, it holds out whole laps: five fits on eight of ten laps."""
    found(planned(), "track290/spikes-alone")
    laps = [np.unique(groups).tolist() for _, _, groups in seen if groups is not None]
    assert laps[0] == [2, 3, 4, 5, 6, 7, 8, 9]
    assert laps[-1] == [0, 1, 2, 3, 4, 5, 6, 7]
    assert len(laps) == 5


def test_blocks_are_successive_laps_whatever_the_seed() -> None:
    """Every bin is tested once, and no lap is on both sides."""
    bunch = Bunch(groups=np.repeat(np.arange(12), 3))
    parts = neural.blocks(bunch, 1)
    assert [np.unique(bunch.groups[test]).tolist() for _, test in parts] == [
        [0, 1, 2],
        [3, 4, 5],
        [6, 7],
        [8, 9],
        [10, 11],
    ]
    assert sorted(np.concatenate([test for _, test in parts])) == list(range(36))
    assert not any(set(bunch.groups[train]) & set(bunch.groups[test]) for train, test in parts)
    assert all(np.array_equal(one[1], other[1]) for one, other in zip(parts, neural.blocks(bunch, 2), strict=True))


def test_the_classifier_has_the_classes_and_ranks_of_the_machine() -> None:
    """Its probabilities hide nothing of the margins."""
    rng = np.random.default_rng(0)
    target = np.tile([0, 1], 20)
    values = rng.normal(size=(40, 3)) + 0.7 * target[:, None]
    ours, machine = neural.LinearSVM().fit(values, target), SVC(kernel="linear").fit(values, target)
    outputs = ours.predict_proba(values)
    assert np.array_equal(outputs.argmax(1), machine.predict(values))
    assert np.array_equal(ours.predict(values), machine.predict(values))
    assert roc_auc_score(target, outputs[:, 1]) == roc_auc_score(target, machine.decision_function(values))
    assert outputs.sum(1) == pytest.approx(np.ones(40))


def test_what_is_there_is_found() -> None:
    """The arm that every modality shows, by the published classifier; the position that spikes show, in centimetres."""
    study = planned()
    assert found(study, "mouse1_session1/early-svm").numbers["accuracy"] > 0.9
    position = found(study, "track290/early-linear").numbers
    assert position["r2"] > 0.95
    assert 1 < position["median_error_cm"] < 15


def test_the_median_error_is_that_of_the_middle_sample() -> None:
    """Errors of 1, 2 and 30 cm: 2 cm, whatever their signs."""
    assert neural.median_error(np.array([0.0, 10.0, 20.0]), np.array([[1.0], [8.0], [50.0]])) == 2.0


def test_the_best_published_numbers_are_those_of_the_data_set() -> None:
    """The greatest accuracy of each session; tracks have none."""
    tables = {session: hippocampus_published(session) for session in SESSIONS}
    best = {one: table.query("metric == 'accuracy'")["value"].max() for one, table in tables.items() if len(table)}
    assert best == neural.BEST_PUBLISHED
    assert set(SESSIONS) - set(best) == set(TRACKS)


def results_of(score: float) -> pd.DataFrame:
    """Two seeds of everything; the default has that accuracy, and what reads one modality .9."""
    runs = [run for run in planned().runs if run.labels["group"] in CHOICES]
    rows = [{**run.labels, "arm": run.arm, "seed": seed} for run in runs for seed in (1, 2)]
    results = pd.DataFrame(rows)
    return results.assign(accuracy=np.where(results["method"] == "default", score, 0.9), validation_loss=0.5)


@pytest.mark.parametrize(("score", "held"), [(0.93, [True] * 5), (0.91, [True] * 4 + [False]), (0.5, [False] * 5)])
def test_every_choice_is_asked_for_the_best_modality_and_three_for_the_published_best(
    score: float, held: list[bool]
) -> None:
    """.93 is above three of four published numbers, .91 above one."""
    checks = planned().checks
    assert checks is not None
    table = checks(results_of(score))
    assert table["held"].tolist() == held
    assert all(session in check for session, check in zip(CHOICES, table["check"], strict=False))


def test_the_default_is_contrasted_within_its_session() -> None:
    """With linear models, and the modality alone that is best by validation loss."""
    pairs = [(one.arm, one.minus) for one in planned().contrasts(results_of(0.9))]
    assert pairs[:3] == [
        ("mouse1_session1/default", "mouse1_session1/late-linear"),
        ("mouse1_session1/default", "mouse1_session1/early-linear"),
        ("mouse1_session1/default", "mouse1_session1/fpa-alone"),
    ]
    assert len(pairs) == 3 * len(CHOICES)


def test_public_numbers_stand_beside_their_session() -> None:
    """Where something ran; beside a track there is nothing."""
    study = planned()
    public = study.published(pd.DataFrame({"group": ["mouse2_session1", "track290"]}))
    assert public["group"].unique().tolist() == ["mouse2_session1"]
    assert public.query("metric == 'accuracy'")["value"].max() == 0.898
    assert study.published(pd.DataFrame({"group": ["track290"]})).empty
