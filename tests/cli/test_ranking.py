"""`plait rank`: several comparisons, one ranking."""

import json
from pathlib import Path

import pandas as pd
import pytest
from shell import Run

MEANS = {"htad": (0.9, 0.8, 0.7), "rosmap": (0.8, 0.7, 0.6), "mfeat": (0.95, 0.9, 0.85)}


@pytest.fixture
def folders(tmp_path: Path) -> list[Path]:
    """Three folders with scores: a before b before c, everywhere; d in one of them."""
    for name, means in MEANS.items():
        rows = [(label, "fusion", "accuracy", mean) for label, mean in zip("abc", means, strict=True)]
        rows += [("d", "fusion", "accuracy", 0.99)] if name == "htad" else []
        rows += [("control: target shuffled", "control", "accuracy", 0.5)]
        (tmp_path / name).mkdir()
        table = pd.DataFrame(rows, columns=["method", "kind", "metric", "mean"])
        table.to_csv(tmp_path / name / "scores.csv", index=False)
    return [tmp_path / name for name in MEANS]


def test_methods_that_all_comparisons_have_are_ranked(run: Run, folders: list[Path], tmp_path: Path) -> None:
    """By hand: ranks 1, 2, 3 on each of three data sets; Friedman's chi2 is 6, p = exp(-3)."""
    done = run("rank", *folders, "--json", "--out", tmp_path / "ranks.svg")
    assert done.code == 0, done.err
    told = json.loads(done.out)
    assert told["mean_ranks"] == {"a": 1.0, "b": 2.0, "c": 3.0}
    assert told["left_out"] == ["d"]
    assert told["friedman_p"] == pytest.approx(0.0497871, abs=1e-6)
    assert (tmp_path / "ranks.svg").read_text(encoding="utf-8").lstrip().startswith("<?xml")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("{0}", "{1}", "--metric", "beauty"), "must be in all comparisons: accuracy"),
        (("{0}", "nowhere"), "nowhere/scores.csv is not there"),
        (("{0}", "{0}"), "need different names"),
        (("{0}", "{1}", "{2}", "--out", "ranks.txt"), "svg, png or pdf"),
    ],
)
def test_what_cannot_be_ranked_is_told(run: Run, folders: list[Path], arguments: tuple[str, ...], message: str) -> None:
    """In one line, with exit code 1."""
    done = run("rank", *(argument.format(*folders) for argument in arguments))
    assert done.code == 1
    assert message in done.err
