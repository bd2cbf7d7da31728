"""Skew-pair fusion on real data: runs, rivals, reports, what may be looked at when."""

from dataclasses import replace
from importlib import import_module

import numpy as np
import pandas as pd
import pooch
import pytest
import tiny_readings

from plait import datasets
from plait.reproduce import ssfn_audio_image, ssfn_encoders, ssfn_text_audio, ssfn_text_text
from plait.reproduce.registry import REPRODUCTIONS
from plait.reproduce.running import reproduce
from plait.reproduce.ssfn_encoders import taps_of
from plait.reproduce.ssfn_facts import words
from plait.reproduce.ssfn_real import PairProtocol, contrasts, study_of
from plait.reproduce.ssfn_tasks import Effort
from plait.reproduce.ssfn_trained import HeadTraining
from plait.reproduce.study import Request
from plait.skew.findings import Findings
from plait.skew.findings.contenders import CHOSEN

TASKS = ("image-text", "audio-image", "text-audio", "text-text")
_FEW = HeadTraining(copies=2, rank=4, width=4, most=3, epochs=1)
WAYS = ("closed-form", "trained")
TINY = PairProtocol(operators=("concat",), rank=6, product_rank=2, draws=20, encoder_epochs=1, heads=_FEW)


@pytest.fixture(autouse=True)
def tiny(monkeypatch, tmp_path):
    """Small data, a small encoder of texts, a cache of our own."""
    for name in ("fetch_emoji", "fetch_av_digits", "fetch_mosi", "fetch_clothing"):
        monkeypatch.setattr(datasets, name, getattr(tiny_readings, name))
    monkeypatch.setattr(ssfn_encoders, "MiniLM", tiny_readings.Letters)
    monkeypatch.setattr(pooch, "os_cache", lambda name: tmp_path)
    monkeypatch.setattr(ssfn_audio_image, "_SECONDS", 0.1)


def task_of(name):
    return import_module(f"plait.reproduce.ssfn_{name.replace('-', '_')}").TASK


def study(name, seeds=(1,), protocol=TINY):
    return study_of(task_of(name), Request(seeds, threads=1), protocol)


@pytest.mark.parametrize("name", TASKS)
def test_every_task_has_every_rival(name):
    """Both kinds of heads, both modalities, and all ways to fuse that a report must name; no run twice."""
    module = import_module(f"plait.reproduce.{REPRODUCTIONS[f'ssfn/{name}'].module}")
    made = module.study(Request((1, 2)))
    names = [run.name for run in made.runs]
    assert len(set(names)) == len(names)
    for heads in WAYS:
        ways = {run.labels["method"] for run in made.runs if run.labels["heads"] == heads}
        assert {CHOSEN, "best tap of all", "late decisions", "late pair", "pairwise", "best diagonal pair"} < ways
        assert {f"best tap of {one}" for one in task_of(name).modalities} < ways
    assert {"mix of both", "best skew pair"} < {run.labels["method"] for run in made.runs}
    assert {"all taps", "random pair"} < {run.labels["method"] for run in made.runs}
    assert "a reconstruction after Hu et al." in made.note


@pytest.mark.parametrize("name", ["image-text", pytest.param("audio-image", marks=pytest.mark.slow), *TASKS[2:]])
def test_numbers_are_well_formed(name):
    """Scores lie in their intervals; a rival's gain is the chosen one's score minus its own."""
    made = study(name)
    found = {run.name: run.fit(0) for run in made.runs}
    for run in made.runs:
        metric, numbers = task_of(name).metric, found[run.name].numbers
        chosen = found[f"{run.arm.rpartition('/')[0]}/{CHOSEN}/1"]
        assert 0 <= numbers[f"{metric}_low"] <= numbers[f"{metric}_high"] <= 1
        assert 0 <= numbers[metric] <= 1
        if CHOSEN not in run.arm:
            assert numbers["gain"] == pytest.approx(chosen.numbers[metric] - numbers[metric])
            assert numbers["gain_low"] <= numbers["gain_high"]
        else:
            assert {"choice", "grid"} == set(chosen.tables)
            assert 0 <= numbers["p_skew"] <= 1
            assert numbers["validation_gain_low"] <= numbers["validation_gain"]


@pytest.mark.slow
def test_every_choice_has_a_report_in_the_folder_of_its_run(tmp_path):
    """Of both kinds of heads; its tables are what the results were read from."""
    outcome = reproduce(study("image-text"), tmp_path, [f"*/{CHOSEN}/*", "*/closed-form/late-pair/*"], verbose=0)
    folders = sorted(path for path in (tmp_path / "runs").iterdir() if path.is_dir())
    assert [one.name.rpartition("-")[0] for one in folders] == [f"emoji_{way}_chosen_1" for way in WAYS]
    assert all((one / "report.html").read_text().startswith("<!") for one in folders)
    tested = Findings.read(folders[0]).tested.set_index("name")
    results = outcome.results.set_index(["heads", "method"])
    assert results.loc[("closed-form", "late pair"), "accuracy"] == tested.loc["late pair", "score"]
    assert results.loc[("closed-form", "late pair"), "gain_low"] == tested.loc["late pair", "difference_low"]


def test_every_fold_chooses_for_itself(tmp_path, monkeypatch):
    """A row and a folder a speaker; facts are their means."""
    made = study("audio-image")
    found = next(run for run in made.runs if run.name == f"degraded/closed-form/{CHOSEN}/1").fit(0)
    choice = found.tables["choice"]
    assert [row.partition(":")[0] for row in choice] == ["anna", "ben", "cleo"]
    monkeypatch.setattr(Findings, "report", lambda told, path: path.write_text(str(told)))
    found.files(tmp_path / "kept")
    assert sorted(path.name for path in (tmp_path / "kept").iterdir()) == ["anna", "ben", "cleo"]
    for row in choice:
        folder = tmp_path / "kept" / row.partition(":")[0]
        assert (folder / "report.html").exists()
        assert words(Findings.read(folder)) == row.partition(": ")[2]
    assert found.numbers["near"] == pytest.approx(np.mean([row["near"] for row in choice.values()]))


def test_test_rows_choose_nothing(monkeypatch):
    """Other labels of the test rows leave every choice and every validation score as they were."""
    before = study("text-audio").runs[0].fit(0)
    real = tiny_readings.fetch_mosi()
    real.target[real.test] = 1 - real.target[real.test]
    monkeypatch.setattr(datasets, "fetch_mosi", lambda: real)
    after = study("text-audio").runs[0].fit(0)
    assert after.tables == before.tables
    assert after.numbers["accuracy"] == pytest.approx(1 - before.numbers["accuracy"])


def test_a_seed_gives_its_numbers_again():
    """And another one others: encoders and heads are drawn anew."""
    names = ("closed-form/best-tap-of-image", "trained/late-pair")
    found = {
        seed: [run.fit(0).numbers for run in study("image-text", (seed,)).runs if run.arm.partition("/")[2] in names]
        for seed in (1, 2)
    }
    again = [run.fit(0).numbers for run in study("image-text").runs if run.arm.partition("/")[2] in names]
    assert again == found[1]
    assert found[1] != found[2]


def test_no_speaker_is_in_two_parts_of_a_fold():
    """One tests, one chooses, the others train; every speaker tests once."""
    speakers = tiny_readings.fetch_av_digits(pairing="speakers", length=8).groups
    folds = ssfn_audio_image.folds()["degraded"]
    for fold in folds:
        parts = [set(speakers[rows]) for rows in (fold.part.train, fold.part.validation, fold.part.test)]
        assert [len(one) for one in parts] == [1, 1, 1]
        assert len(set.union(*parts)) == 3
    assert sorted(np.concatenate([fold.part.test for fold in folds]).tolist()) == list(range(60))


def test_variants_share_what_they_have_in_common():
    """The same sound and the same rows: its encoder is trained once for both."""
    clean, degraded = ssfn_audio_image.folds().values()
    assert clean[0].part is degraded[0].part
    assert clean[0].readings["audio"] is degraded[0].readings["audio"]
    assert clean[0].readings["image"] is not degraded[0].readings["image"]


def test_pictures_are_degraded_once_and_for_all():
    """A square of zeros under noise of the stated size; the same noise at every call."""
    images = np.full((200, 1, 16, 15), 5.0, np.float32)
    found = ssfn_audio_image.degraded(images)
    assert np.array_equal(found, ssfn_audio_image.degraded(images))
    hidden = (found < 2.5).sum(axis=(1, 2, 3))
    assert (np.median(hidden), (images == 5).all()) == (36, True)
    assert found[found > 2.5].std() == pytest.approx(0.6, rel=0.05)


def test_videos_stay_whole_and_scaling_knows_training_rows_alone():
    """No video is on two sides; the sound of training utterances has mean 0."""
    part, readings = (getattr(ssfn_text_audio.folds()["mosi"][0], name) for name in ("part", "readings"))
    sides = [set(part.groups[rows]) for rows in (part.train, part.validation, part.test)]
    assert not sides[0] & sides[1]
    assert not sides[2] & (sides[0] | sides[1])
    np.testing.assert_allclose(readings["audio"].values[part.train].mean(0), 0, atol=1e-5)


def test_reviews_have_a_title_and_a_text_and_pass_one_encoder():
    """Those without one are left out; both texts go through the same object."""
    fold = ssfn_text_text.folds()["clothing"][0]
    assert len(fold.part.target) == 108
    encoders = [reading.encoder(reading, fold.part, 0, Effort(1)) for reading in fold.readings.values()]
    assert encoders[0] is encoders[1]
    assert all(isinstance(text, str) for reading in fold.readings.values() for text in reading.values)


def test_taps_of_texts_keep_the_order_of_the_samples():
    """Though they pass by length; the second time they come from the files."""
    reading, part = (
        ssfn_encoders.Pretrained(8).reading(["bbb", "a", "cc", ""]),
        ssfn_text_text.folds()["clothing"][0].part,
    )
    for _ in range(2):
        taps = taps_of(reading, part, 0, Effort(1))
        assert taps[1][:, :3].tolist() == [[0, 9, 0], [1, 0, 0], [0, 0, 4], [0, 0, 0]]


def test_the_chosen_one_is_compared_with_every_rival_of_its_kind():
    """Closed with closed, trained with trained, variant by variant."""
    arms = ["x/closed-form/chosen", "x/closed-form/late-pair", "x/trained/chosen", "x/trained/best-tap", "y/trained/z"]
    found = [(one.arm, one.minus) for one in contrasts(pd.DataFrame({"arm": arms}))]
    assert found == [(arms[0], arms[1]), (arms[2], arms[3])]


def test_fewer_epochs_are_for_everything():
    """More than the protocol has changes nothing."""
    assert TINY.limited(None) is TINY
    made = PairProtocol().limited(3)
    assert (made.encoder_epochs, made.heads.epochs) == (3, 3)
    assert PairProtocol().limited(1000) == replace(PairProtocol())


def test_public_numbers_stand_beside_their_group():
    """With their protocol; none where nothing ran, or nothing is published."""
    made = study("text-audio")
    assert made.published(pd.DataFrame({"group": ["mosi"]}))["protocol"].tolist() == ["another split"]
    assert made.published(pd.DataFrame({"group": ["other"]})).empty
    assert made.published(pd.DataFrame()).empty
    assert study("image-text").published(pd.DataFrame({"group": ["emoji"]})).empty
