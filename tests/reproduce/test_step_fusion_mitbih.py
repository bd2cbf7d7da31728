"""Step Fusion on MIT-BIH: runs, splits, scores, and how the best single modality is chosen."""

import numpy as np
import pandas as pd
import pytest
import tiny_windows
import torch
from sklearn.metrics import balanced_accuracy_score

from plait import datasets
from plait.data.spec import DataSpec
from plait.estimators import FusionClassifier
from plait.methods.early import EarlyFusion
from plait.methods.late import LateFusion
from plait.nn.module import FusionModule
from plait.reproduce import step_fusion_mitbih as mitbih
from plait.reproduce.heartbeats import Beats, classify, confusion, encoders, load, scores
from plait.reproduce.step_fusion_arms import ALONE, CONCAT, CROSS, STEP, fusions
from plait.reproduce.study import Found, Request
from plait.training.trainer import Trainer

CLASSES = ("N", "S", "V", "F")


@pytest.fixture(autouse=True)
def beats(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets, "fetch_mitbih", tiny_windows.fetch_mitbih)


def test_every_split_has_every_method() -> None:
    """Four modalities alone, the lead and its image by three ways, all by three ways and two forests."""
    study = mitbih.study(Request(seeds=(1, 2)))
    names = [run.name for run in study.runs]
    assert len(set(names)) == len(names) == 2 * 2 * (4 + 3 + 5)
    arms = {run.arm.partition("/")[2] for run in study.runs if run.labels["group"] == "inter"}
    assert {f"{name}/{ALONE}" for name in ("lead1", "lead2", "rr", "image")} < arms
    assert {f"{name}/{way}" for name in ("pair", "all") for way in (STEP, CONCAT, CROSS)} < arms
    assert {"all/early-forest", "all/late-forest"} < arms


def test_every_run_says_which_split_it_is_of() -> None:
    """The random one by what it is; forests say that they saw the validation beats."""
    for run in mitbih.study(Request(epochs=3)).runs:
        protocol = str(run.labels["protocol"])
        assert ("Kaggle-style: random 80/20 split of beats" in protocol) == (run.labels["group"] == "intra")
        assert ("DS1 -> DS2" in protocol) == (run.labels["group"] == "inter")
        assert ("validation beats too" in protocol) == ("forest" in run.arm)
        assert ("3 epochs, refitted on all training beats" in protocol) == ("forest" not in run.arm)


@pytest.mark.parametrize(
    ("name", "modalities", "kind"),
    [
        ("inter/rr/alone/2", ("rr",), None),
        ("inter/pair/step-fusion/2", ("lead1", "image"), None),
        ("intra/all/early-forest/2", ("lead1", "lead2", "rr", "image"), EarlyFusion),
        ("intra/all/late-forest/2", ("lead1", "lead2", "rr", "image"), LateFusion),
    ],
)
def test_models_are_fitted_as_the_protocol_says(
    monkeypatch: pytest.MonkeyPatch, name: str, modalities: tuple[str, ...], kind: type | None
) -> None:
    """On the modalities of the set, validated on the beats that the split holds out."""
    seen: list[tuple[FusionClassifier, Beats]] = []

    def classify(model: FusionClassifier, beats: Beats, *, refit: bool) -> Found:
        seen.append((model, beats))
        assert refit == (kind is None)
        return Found({})

    monkeypatch.setattr(mitbih, "classify", classify)
    study = mitbih.study(Request(seeds=(2,), threads=1), mitbih.MitbihProtocol(dropout=0.3, clip=2.0))
    next(run for run in study.runs if run.name == name).fit(0)
    model, beats = seen[0]
    assert beats.data.names == beats.test.names == modalities
    assert model.validation is beats.validation
    assert (model.random_state, model.scaling) == (2, "none")
    assert repr(model.trainer) == repr(
        Trainer(3, 256, 1e-3, 1e-2, None, schedule="cosine", clip=2.0, class_weight="sqrt", threads=1)
    )
    if kind is None:
        assert (model.method.dropout, model.method.head) == (0.3, "joint")
        assert tuple(model.encoders) == modalities
    else:
        assert model.encoders is None
        assert isinstance(model.method, kind)
        assert model.method.base == "forest"


def test_validation_is_on_whole_training_records() -> None:
    """Beats of one record, none of which trains or is tested; images have the size that was asked for."""
    beats = load("inter", 8, 0.1)
    assert np.flatnonzero(beats.validation).tolist() == list(range(20, 40))
    assert (len(beats.data), len(beats.test)) == (80, 80)
    assert beats.data["image"].shape == (80, 1, 8, 8)
    assert beats.classes == CLASSES


def test_random_validation_is_by_class_and_always_the_same() -> None:
    """A share of each class of the training beats."""
    one, other = load("intra", 8, 0.25), load("intra", 8, 0.25)
    np.testing.assert_array_equal(one.validation, other.validation)
    share = np.bincount(one.target[one.validation]) / np.bincount(one.target)
    np.testing.assert_allclose(share, 0.25, atol=0.06)


def test_scores_by_hand() -> None:
    """Six beats N (one taken for S), two S (one found), one V (found), one F (taken for V)."""
    target = np.array([0, 0, 0, 0, 0, 0, 1, 1, 2, 3])
    predicted = np.array([0, 0, 0, 0, 0, 1, 1, 0, 2, 2])
    found = scores(target, predicted, CLASSES)
    assert found["accuracy"] == pytest.approx(0.7)
    assert found["balanced_accuracy"] == pytest.approx((5 / 6 + 1 / 2 + 1 + 0) / 4)
    assert found["balanced_accuracy"] == pytest.approx(balanced_accuracy_score(target, predicted))
    assert found["macro_f1"] == pytest.approx((5 / 6 + 1 / 2 + 2 / 3 + 0) / 4)
    assert found["kappa"] == pytest.approx((0.7 - 0.42) / (1 - 0.42))
    assert found["j_kappa"] == pytest.approx(found["kappa"] / 2 + (1 / 2 + 1 + 1 / 2 + 1 / 2) / 8)
    assert (found["sensitivity S"], found["positive predictivity V"]) == (0.5, 0.5)
    assert (found["sensitivity F"], found["positive predictivity F"]) == (0.0, 0.0)
    assert confusion(target, predicted, CLASSES)["N"] == {"N": 5.0, "S": 1.0, "V": 0.0, "F": 0.0}
    assert confusion(target, predicted, CLASSES)["F"] == {"N": 0.0, "S": 0.0, "V": 1.0, "F": 0.0}


def test_a_class_that_does_not_occur_has_no_sensitivity() -> None:
    """And does not count in the means."""
    found = scores(np.array([0, 1, 2]), np.array([0, 1, 2]), CLASSES)
    assert np.isnan(found["sensitivity F"])
    assert found["balanced_accuracy"] == found["macro_f1"] == 1.0


@pytest.mark.parametrize("name", ["inter/rr/alone/1", "intra/all/step-fusion/1", "inter/all/early-forest/1"])
def test_beats_are_fitted_and_judged(name: str) -> None:
    """A class that shows in the intervals is found; the confusion counts every test beat."""
    protocol = mitbih.MitbihProtocol(
        image=8, width=8, steps=2, epochs=12, batch_size=8, learning_rate=1e-2, scaling="standard"
    )
    study = mitbih.study(Request(seeds=(1,), threads=1), protocol)
    found = next(run for run in study.runs if run.name == name).fit(0)
    assert found.numbers["balanced_accuracy"] > 0.5
    assert found.numbers["validation_balanced_accuracy"] > 0.5
    assert found.numbers["fit_seconds"] > 0
    assert sum(value for row in found.tables["confusion"].values() for value in row.values()) == 80


def test_the_best_single_modality_is_chosen_on_validation() -> None:
    """Not by the test, where another one is best; the mean over the seeds decides, and the note says so."""
    rows = [("lead1", 0.6, 0.9), ("lead1", 0.5, 0.9), ("rr", 0.4, 0.2), ("rr", 0.9, 0.2)]
    results = pd.DataFrame(
        [("inter", f"inter/{name}/alone", ALONE, chosen_by, test) for name, chosen_by, test in rows],
        columns=["group", "arm", "method", "validation_balanced_accuracy", "balanced_accuracy"],
    )
    found = mitbih.contrasts(results)
    last = found[-1]
    assert (last.arm, last.minus) == ("inter/all/step-fusion", "inter/rr/alone")
    assert "best single modality by balanced accuracy on validation, of 2" in last.note
    assert {one.minus for one in found} >= {"inter/all/concat", "inter/all/cross-attention", "inter/pair/concat"}
    none = mitbih.contrasts(results.assign(method=STEP))
    assert all("alone" not in one.minus for one in none)


def test_public_numbers_stand_beside_their_split() -> None:
    """Those of records beside records, those of random beats beside random beats, and only where something ran."""
    both = mitbih.published(pd.DataFrame({"group": ["inter", "intra"]}))
    inter = both[both["group"] == "inter"]
    assert inter["protocol"].str.contains("DS1 to DS2").all()
    assert not both[both["group"] == "intra"]["protocol"].str.contains("DS1 to DS2").any()
    found = inter.set_index(["method", "metric"])["value"]
    assert found["Mondejar-Guerra et al. 2019, ensemble of SVMs", "j_kappa"] == 0.773
    assert set(mitbih.published(pd.DataFrame({"group": ["intra"]}))["group"]) == {"intra"}
    assert mitbih.published(pd.DataFrame()).empty


def _net(way: str) -> tuple[FusionModule, FusionClassifier]:
    """A way to fuse, fresh and trained."""
    rng = np.random.default_rng(0)
    X = {"a": rng.normal(size=(40, 8, 1)), "b": rng.normal(size=(40, 12, 1))}
    method = fusions(8, 4, "patches", "joint", 0.0)[way]()
    model = FusionClassifier(method, trainer=Trainer(epochs=3, learning_rate=0.05), validation=0.2, random_state=0)
    model.fit(X, rng.integers(0, 2, 40))
    fresh = method.build(DataSpec({"a": (8, 1), "b": (12, 1)}, 2, "classification"))
    return fresh, model


def test_cross_attention_is_the_local_displacement_alone() -> None:
    """A fresh one moves nothing; a trained one moves tokens, but neither zooms nor rotates. Step Fusion moves fresh."""
    torch.manual_seed(0)
    samples = ({"a": torch.randn(5, 8, 1), "b": torch.randn(5, 12, 1)}, torch.ones(5, 2, dtype=torch.bool))
    fresh, model = _net(CROSS)
    still = fresh.trace(*samples).pooled
    assert len(still) == 1 + 2
    assert (still == still[0]).all()
    trained = model.module_.trace(*samples)
    for record in trained.records:
        assert (record.zoom == 1).all()
        assert (record.angles.abs() < 1e-6).all()
        assert (record.local > 0).all()
    assert (trained.pooled[-1] != trained.pooled[0]).any()
    moving = _net(STEP)[0].trace(*samples).pooled
    assert (moving[-1] != moving[0]).any()


def test_encoders_are_small_and_follow_the_seed() -> None:
    """Few tokens of one width; the same seed gives the same weights, another one others."""
    beats = load("inter", 24, 0.1)
    made = [encoders(beats, 16, seed) for seed in (1, 1, 2)]
    assert {name: (encoder.tokens, encoder.width) for name, encoder in made[0].items()} == {
        "lead1": (16, 16),
        "lead2": (16, 16),
        "rr": (1, 16),
        "image": (9, 16),
    }
    one, again, other = (torch.cat([value.flatten() for value in each["rr"].parameters()]) for each in made)
    assert torch.equal(one, again)
    assert not torch.equal(one, other)


def test_the_test_beats_are_classified_after_a_refit_on_all_training_beats() -> None:
    """What is held out for the validation scores trains the model of the test scores; forests are taken as they are."""
    beats = load("inter", 8, 0.1).select(["rr"])
    trainer = Trainer(epochs=2, batch_size=32, threads=1)
    method = fusions(8, 2, "shape", "joint", 0.0)[CONCAT]()
    model = FusionClassifier(method, validation=beats.validation, trainer=trainer, random_state=0)
    plain, refitted = (classify(model, beats, refit=refit).numbers for refit in (False, True))
    assert plain["validation_macro_f1"] == refitted["validation_macro_f1"]
    whole = FusionClassifier(method, validation=0, trainer=trainer, random_state=0).fit(beats.data, beats.target)
    assert refitted["accuracy"] == pytest.approx(whole.score(beats.test, beats.test_target))
