"""What the README and the pages show is what happens: their Python runs as it stands and prints what they say."""

import contextlib
import importlib.util
import io
import re
import warnings
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from plait import FusionRegressor, Trainer
from plait.datasets import fetch_htad

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(
    r"(?:<!-- needs: (?P<needs>\w+) -->\n+)?```python\n(?P<code>.*?)^```\n(?:\n```text\n(?P<said>.*?)^```\n)?",
    re.DOTALL | re.MULTILINE,
)
FETCH = {"htad": fetch_htad}


class Block(NamedTuple):
    """Python on a page, the text below it, and the data set it needs."""

    code: str
    said: str | None
    needs: str | None


def blocks(page):
    """The Python blocks of a page, in order."""
    return [Block(found["code"], found["said"], found["needs"]) for found in BLOCK.finditer(page.read_text())]


def at_hand(name):
    """Whether a data set is on this machine."""
    try:
        FETCH[name](download=False)
    except FileNotFoundError:
        return False
    return True


def stripped(text):
    """Lines without the blanks at their ends, which editors remove."""
    return [line.rstrip() for line in text.rstrip().splitlines()]


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page)], ids=lambda page: page.name)
def test_python_on_the_page_runs_as_it_stands(page, tmp_path, monkeypatch):
    """The blocks of a page run in order in one namespace; a text block below one is what it prints."""
    monkeypatch.chdir(tmp_path)
    names = {"__name__": "page"}
    lacking = set()
    for block in blocks(page):
        if block.needs and not at_hand(block.needs):
            lacking.add(block.needs)
            continue
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed), warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # pages show what is warned of
            exec(compile(block.code, page.name, "exec"), names)
        assert block.said is None or stripped(printed.getvalue()) == stripped(block.said)
    if lacking:
        pytest.skip(f"all blocks but those that need {', '.join(sorted(lacking))} ran; it is not on this machine")


def test_the_first_example_is_twelve_lines():
    """So that nobody is put off."""
    code = blocks(ROOT / "README.md")[0].code
    assert len([line for line in code.splitlines() if line.strip()]) <= 12


@pytest.mark.parametrize("name", ["PairFusion", "SumFusion"])
def test_the_methods_shown_to_contributors_learn(name):
    """They beat the mean, three modalities with absent rows, and keep the two promises."""
    shown = {"__name__": "contributing"}
    for block in blocks(ROOT / "CONTRIBUTING.md"):
        exec(compile(block.code, "CONTRIBUTING.md", "exec"), shown)
    draw = np.random.default_rng(0)
    X = {name: draw.normal(size=(120, 3)) for name in "abc"}
    y = X["a"][:, 0] + X["b"][:, 0] + X["c"][:, 0]
    X["a"][:5] = np.nan
    model = FusionRegressor(shown[name](), trainer=Trainer(epochs=30), random_state=0).fit(X, y)
    assert model.score(X, y) > 0.5
    one = model.predict({name: values[:1] for name, values in X.items()})
    np.testing.assert_allclose(one, model.predict(X)[:1])


def test_the_set_up_commands_are_there():
    """The README's `make` targets exist."""
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    shown = set(re.findall(r"^    make ([a-z]+)", (ROOT / "README.md").read_text(), re.MULTILINE))
    assert {"demo", "test"} <= shown <= targets


def test_the_results_are_those_of_the_demo():
    """The README's table names every method of the demo, in its order."""
    spec = importlib.util.spec_from_file_location("demo", ROOT / "examples" / "demo.py")
    demo = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(demo)
    results = (ROOT / "README.md").read_text().partition("## Results")[2]
    assert re.findall(rf"^ +({'|'.join(demo.METHODS)}) +[01]\.\d{{3}}", results, re.MULTILINE) == list(demo.METHODS)
