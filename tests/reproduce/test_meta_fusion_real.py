"""Meta Fusion on real data: divisions, scores, models, and public numbers beside them."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import f1_score
from sklearn.utils import Bunch

from plait.data.modalities import Modalities
from plait.datasets.htad import _published as htad_published
from plait.datasets.mfeat import _published as mfeat_published
from plait.datasets.rosmap import _published as rosmap_published
from plait.estimators import FusionClassifier
from plait.methods.early import EarlyFusion
from plait.methods.late import LateFusion
from plait.methods.meta import MetaFusion
from plait.methods.single import SingleModality
from plait.reproduce import meta_fusion_real as real
from plait.reproduce.meta_fusion_tasks import TASKS, binary_f1, fixed_split, folds, random_split
from plait.reproduce.registry import study_by_name
from plait.reproduce.study import Found, Request, Study
from plait.training.trainer import Trainer

PUBLIC = {"digits": mfeat_published, "activities": htad_published, "alzheimer": rosmap_published}


def stand_in(name: str) -> Bunch:
    """40 samples of two classes, which every modality shows; the last 12 are the published test rows."""
    rng = np.random.default_rng(0)
    target = np.tile([0, 1], 20)
    arrays = {one: rng.normal(size=(40, 4)) + 2 * target[:, None] for one in TASKS[name].modalities}
    parts = {"train": np.arange(28), "test": np.arange(28, 40)}
    return Bunch(data=Modalities(arrays), target=target, published=PUBLIC[name](), **parts)


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        real, "TASKS", {name: replace(task, fetch=lambda name=name: stand_in(name)) for name, task in TASKS.items()}
    )


def planned(name: str, *, epochs: int | None = 1) -> Study:
    """The study with one seed."""
    return study_by_name(f"meta-fusion/{name}", Request(seeds=(2,), epochs=epochs, threads=1))


def found(study: Study, arm: str) -> Found:
    """What a run of the arm gives."""
    return next(run for run in study.runs if run.arm == arm).fit(0)


@pytest.mark.parametrize(("name", "divisions"), [("digits", 1), ("activities", 1), ("alzheimer", 2)])
def test_every_division_has_every_method(name: str, divisions: int) -> None:
    """The default, two linear models, and each modality alone; arms of the main division are one word."""
    study, alone = planned(name), [f"{one}-alone" for one in TASKS[name].modalities]
    assert len(study.runs) == divisions * (3 + len(alone))
    assert {run.arm for run in study.runs} >= {"default", "late-linear", "early-linear", *alone}
    fixed = {run.labels["group"] for run in study.runs if run.arm.startswith("fixed/")}
    assert fixed == ({"fixed"} if divisions == 2 else set())


@pytest.mark.parametrize(
    ("arm", "method"),
    [
        ("default", MetaFusion()),
        ("late-linear", LateFusion(base="linear")),
        ("early-linear", EarlyFusion(base="linear")),
        ("fixed/meth-alone", SingleModality("meth")),
    ],
)
def test_all_settings_are_defaults(monkeypatch: pytest.MonkeyPatch, arm: str, method: object) -> None:
    """Of the method, the estimator and the trainer; the seed is that of the run."""
    seen: list[FusionClassifier] = []
    monkeypatch.setattr(
        real, "fit_and_tell", lambda model, data, target, groups: seen.append(model) or {"fit_seconds": 1.0}
    )
    monkeypatch.setattr(FusionClassifier, "predict_proba", lambda self, X: np.tile([0.5, 0.5], (len(X), 1)))
    numbers = found(planned("alzheimer", epochs=None), arm).numbers
    assert repr(seen[0]) == repr(FusionClassifier(method, trainer=Trainer(threads=1), random_state=2))
    assert (numbers["accuracy"], numbers["roc_auc"]) == (0.5, 0.5)


def test_the_default_finds_what_every_modality_shows() -> None:
    """On the published split; it tells time, students and rho."""
    numbers = found(planned("alzheimer", epochs=5), "fixed/default").numbers
    assert min(numbers["accuracy"], numbers["roc_auc"], numbers["f1"]) > 0.7
    assert numbers["students"] >= 3
    assert numbers["rho"] >= 0


def test_numbers_of_folds_are_means_and_seconds_are_a_sum(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten fits of one second, each on nine tenths of the samples."""
    sizes: list[int] = []

    def tell(model: FusionClassifier, data: Modalities, target: np.ndarray, groups: None) -> dict[str, float]:
        sizes.append(len(data))
        return {"fit_seconds": 1.0, "students": float(len(sizes))}

    monkeypatch.setattr(real, "fit_and_tell", tell)
    monkeypatch.setattr(FusionClassifier, "predict_proba", lambda self, X: np.tile([0.9, 0.1], (len(X), 1)))
    numbers = found(planned("activities"), "default").numbers
    assert sizes == [36] * 10
    assert (numbers["fit_seconds"], numbers["students"], numbers["accuracy"]) == (10.0, 5.5, 0.5)


def test_random_splits_follow_the_seed_and_keep_the_classes() -> None:
    """A share of test rows of each class; all rows are somewhere, none twice."""
    bunch = stand_in("digits")
    (train, test), (_, other) = random_split(0.3, bunch, 1)[0], random_split(0.3, bunch, 2)[0]
    assert np.bincount(bunch.target[test]).tolist() == [6, 6]
    assert sorted([*train, *test]) == list(range(40))
    assert set(test) != set(other)


def test_folds_test_every_sample_once() -> None:
    """In ten folds by class."""
    bunch = stand_in("activities")
    parts = folds(bunch, 1)
    assert sorted(np.concatenate([test for _, test in parts])) == list(range(40))
    assert all(np.bincount(bunch.target[test]).tolist() == [2, 2] for _, test in parts)


def test_the_published_split_is_the_same_for_all_seeds() -> None:
    """And that of the data set."""
    bunch = stand_in("alzheimer")
    for seed in (1, 2):
        ((train, test),) = fixed_split(bunch, seed)
        assert (train.tolist(), test.tolist()) == (list(range(28)), list(range(28, 40)))


def test_f1_of_two_classes_is_that_of_the_second() -> None:
    """As in MOGONET's table: one of two patients found, one control taken for a patient."""
    target, outputs = np.array([0, 0, 1, 1]), np.array([[0.9, 0.1], [0.2, 0.8], [0.3, 0.7], [0.6, 0.4]])
    assert binary_f1(target, outputs) == pytest.approx(0.5)
    assert binary_f1(target, outputs) == f1_score(target, outputs.argmax(1))


def test_the_best_single_modality_is_chosen_by_its_validation_loss() -> None:
    """Not by the test, where the other is best; the mean over the seeds decides, and the note says so."""
    rows = [
        ("audio", 1, 0.5, 0.6),
        ("audio", 2, 0.7, 0.6),
        ("accelerometer", 1, 0.4, 0.9),
        ("accelerometer", 2, 1.0, 0.9),
    ]
    results = pd.DataFrame(
        [("activities", f"{name}-alone", f"{name}-alone", seed, loss, score) for name, seed, loss, score in rows],
        columns=["group", "arm", "method", "seed", "validation_loss", "accuracy"],
    )
    *linear, last = planned("activities").contrasts(results)
    assert [(one.arm, one.minus) for one in linear] == [("default", "late-linear"), ("default", "early-linear")]
    assert (last.arm, last.minus) == ("default", "audio-alone")
    assert last.note == "best single modality by validation loss, of 2"


@pytest.mark.parametrize(
    ("name", "group", "method", "value"),
    [
        ("digits", "digits", "RCML", 0.994),
        ("activities", "activities", "multi-view stacking, random forests", 0.9365),
        ("alzheimer", "random", "MOGONET", 0.815),
        ("alzheimer", "fixed", "late-fused logistic regression (C = 0.01, scikit-learn)", 0.84),
    ],
)
def test_public_numbers_stand_beside_their_division(name: str, group: str, method: str, value: float) -> None:
    """And only where something ran."""
    public = planned(name).published(pd.DataFrame({"group": [group]}))
    accuracy = public[public["metric"] == "accuracy"].set_index("method")["value"]
    assert accuracy[method] == pytest.approx(value)
    assert set(public["group"]) == {group}
    assert planned(name).published(pd.DataFrame()).empty


def test_every_task_names_the_modalities_that_it_has() -> None:
    """In the words of the loaders, so that runs can be planned without data."""
    assert {name: len(task.modalities) for name, task in TASKS.items()} == {
        "digits": 6,
        "activities": 2,
        "alzheimer": 3,
    }
    for name, task in TASKS.items():
        assert all(word in (task.fetch.__doc__ or "") for word in task.modalities), name
