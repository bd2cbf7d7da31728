"""The report is one page that works offline, shows everything at any width, and trusts no name."""

import os
import re
import shutil
from dataclasses import replace
from itertools import pairwise
from types import SimpleNamespace

import frames
import numpy as np
import pytest

from plait.compare.report import ReportInput, render, write_report

CHROMIUM = shutil.which("chromium")
EVIL = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def page():
    """The report with all sections, as text."""
    return render(frames.everything())


def words(page):
    """What a page says, without its style and its tags."""
    return re.sub(r"<[^>]+>", " ", re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL))


def test_the_verdict_stands_first(page):
    """Before the table, which stands before the pictures; the glossary is last."""
    headings = re.findall(r"<h2>(.*?)</h2>", page)
    assert headings[0] == "Is fusion worth it? <strong>Yes, on these data.</strong>"
    assert headings[1:] == [
        "Scores",
        "Pairwise comparison",
        "What each modality is worth",
        "Can the probabilities be trusted?",
        "Inside the cohorts",
        "Numbers of others",
        "Settings",
        "How to read this",
    ]
    assert page.index("late beats the best single modality") < page.index("<table") < page.index("<svg")


def test_an_unsupported_fusion_is_called_so():
    """The other answer, in plain words."""
    verdict = SimpleNamespace(supported=False, sentences=("No fusion beats motion.",))
    page = render(ReportInput(frames.scores(metrics=["accuracy"]), verdict=verdict))
    assert "Not shown by these data." in page
    assert "Yes, on these data." not in page


def test_every_table_says_its_protocol_and_every_picture_what_it_shows(page):
    """Captions, labels for those who do not see, and a heading before every deeper one."""
    tables = re.findall(r"<table.*?</table>", page, re.DOTALL)
    assert all("<caption>" in table for table in tables)
    assert sum("5 folds x 1 repeat x 1 seed" in table for table in tables) == len(tables)
    assert all(label for label in re.findall(r'<svg role="img" aria-label="([^"]*)"', page))
    assert page.count("<svg") == page.count("<figcaption>") == 12
    levels = [int(level) for level in re.findall(r"<h([1-6])", page)]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_the_page_needs_nothing_else(page):
    """No script, no link to elsewhere, and a policy that forbids both."""
    assert "<script" not in page
    addresses = re.findall(r"(?:src|href)=\"([^\"]*)\"|url\(([^)]*)\)", page)
    assert all(address.startswith(("#", "data:")) for pair in addresses for address in pair if address)
    assert "default-src 'none'" in page


def test_ids_are_unique(page):
    """In the page and all its pictures."""
    ids = re.findall(r'\sid="([^"]+)"', page)
    assert len(ids) == len(set(ids))


def test_numbers_of_others_stand_beside_ours_with_their_protocol(page):
    """From the best; each with the protocol that it is of."""
    table = next(found for found in re.findall(r"<table.*?</table>", page, re.DOTALL) if "MOGONET" in found)
    methods = re.findall(r'<th scope="row"><span class="name">(.*?)</span></th>', table)
    assert methods == ["MOGONET", "KNN", "late", "early", "motion", "majority"]
    assert "0.815 ± 0.023" in table
    assert "five 70/30 splits" in table
    assert table.count("this comparison") == 4


def test_failures_and_origin_are_told(page):
    """The reason, seeds, versions, fingerprint, parameters and the call."""
    said = words(page)
    for text in ("failed: out of memory", "0, 1", "torch 2.0", "sha256:0000", "rule = &#39;mean&#39;", "--option19"):
        assert text in said
    assert "3 of 60 samples have no motion." in said


def test_the_same_input_gives_the_same_page():
    """There is no date and no chance in it."""
    first, second = (render(ReportInput(frames.scores(), ledger=frames.ledger())) for _ in range(2))
    assert first == second


def test_names_are_letters_and_never_tags():
    """In labels of methods, modalities and classes, in sentences, settings and sources."""
    names = {f"{EVIL} & {kind}": kind for kind in ("baseline", "single", "fusion")}
    report = ReportInput(
        frames.scores(names, [EVIL]),
        title=EVIL,
        protocol=EVIL,
        verdict=SimpleNamespace(supported=False, sentences=(EVIL,)),
        data={EVIL: EVIL},
        pairs=frames.pairs(tuple(names)),
        redundancy=frames.redundancy((EVIL, "b")),
        confusion=frames.confusion((EVIL, "b")),
        confusion_of=f'{EVIL} " onload="alert(1)',
        published=frames.published().assign(method=EVIL, source=EVIL),
        settings={EVIL: {EVIL: EVIL}},
        command=EVIL,
        failures={EVIL: EVIL},
        warnings=(EVIL,),
    )
    page = render(report)
    assert "<script" not in page
    assert ' onload="' not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_scores_are_enough():
    """Other sections are left out, with their links; empty tables count as none."""
    report = ReportInput(frames.scores(metrics=["accuracy"]), pairs=frames.pairs().iloc[:0])
    page = render(report)
    assert page.count("<svg") == 1
    assert "Pairwise" not in page
    assert set(re.findall(r'href="#(\w+)"', page)) - {"scores", "settings", "glossary"} <= set(
        re.findall(r' id="(\w+-\w+|\w+)"', page)
    )


def test_writing_is_all_or_nothing(tmp_path):
    """A report that cannot be made leaves the old one as it was, and nothing beside it."""
    path = tmp_path / "report.html"
    report = ReportInput(frames.scores(metrics=["accuracy"]))
    assert write_report(report, path) == path
    before = path.read_text(encoding="utf-8")
    with pytest.raises(ValueError, match="Expected a table of scores"):
        write_report(replace(report, scores=report.scores.iloc[:0]), path)
    assert path.read_text(encoding="utf-8") == before
    assert os.listdir(tmp_path) == ["report.html"]  # noqa: PTH208


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    """Before anything is computed."""
    with pytest.raises(FileNotFoundError, match=r"no folder .*lost.*Make it first"):
        write_report(frames.everything(), tmp_path / "lost" / "report.html")


@pytest.mark.parametrize("kinds", [{"majority": "baseline"}, {"audio": "single"}, {"two": "subset", "one": "baseline"}])
def test_a_report_needs_no_fusion(kinds, tmp_path):
    """Baselines or single modalities alone have their table and their picture."""
    page = write_report(ReportInput(frames.scores(kinds)), tmp_path / "report.html").read_text(encoding="utf-8")
    assert page.count("<svg") == 2


def test_a_report_of_failures_only_can_be_written(tmp_path):
    """All means are NaN: with reasons, and without; nothing is bold in the table."""
    bare = frames.scores().assign(mean=np.nan, low=np.nan, high=np.nan)
    for scores in (bare, bare.assign(failure="out of memory", sd_folds=np.nan, seconds=np.nan, runs=0)):
        report = replace(frames.everything(), scores=scores, pairs=None, ledger=None, cohorts={}, rhos={})
        page = write_report(report, tmp_path / "report.html").read_text(encoding="utf-8")
        table = re.findall(r"<table.*?</table>", page, re.DOTALL)[0]
        assert "<strong>" not in table
        assert ("failed: out of memory" in table) == bool(scores["failure"].iloc[0])


def test_many_metrics_say_that_the_table_scrolls():
    """Six metrics do, two do not."""
    hint = "Scroll sideways for more metrics."
    assert hint in render(ReportInput(frames.scores(metrics=[f"metric {place}" for place in range(6)])))
    assert hint not in render(ReportInput(frames.scores()))


@pytest.fixture(scope="module")
def browser():
    """Chromium without a window."""
    playwright = pytest.importorskip("playwright.sync_api", reason="needs `pip install playwright`")
    if CHROMIUM is None:
        pytest.skip("needs Chromium: `apt-get install chromium`")
    with playwright.sync_playwright() as engine:
        opened = engine.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


LAYOUT = """() => {
  document.querySelectorAll("details").forEach(part => { part.open = true; });
  const box = (element) => { const { left, right, width, height } = element.getBoundingClientRect();
                             return { left, right, width, height }; };
  return {
    page: document.documentElement.scrollWidth,
    frames: [...document.querySelectorAll(".picture")].map(box),
    pictures: [...document.querySelectorAll(".picture")].map(frame => ({
      ...box(frame.querySelector("svg")), scrolls: frame.scrollWidth > frame.clientWidth })),
    letters: [...document.querySelectorAll("svg text")].filter(text => text.textContent.trim())
      .map(text => text.getBoundingClientRect().height),
    tables: [...document.querySelectorAll(".scroll")].map(box),
  };
}"""


@pytest.mark.parametrize("width", [400, 1400])
def test_everything_is_visible_in_chromium(browser, page, width, tmp_path):
    """On a telephone and on a desk: no error, no request, every picture inside the page, nothing sticks out."""
    path = tmp_path / "report.html"
    path.write_text(page, encoding="utf-8")
    tab = browser.new_page(viewport={"width": width, "height": 900})
    said, asked = [], []
    tab.on("console", lambda message: said.append(message.text))
    tab.on("pageerror", lambda error: said.append(str(error)))
    tab.on("request", lambda request: asked.append(request.url))
    tab.goto(path.as_uri())
    found = tab.evaluate(LAYOUT)
    tab.close()
    assert said == []
    assert [url for url in asked if not url.startswith("data:")] == [path.as_uri()]
    assert found["page"] == width
    assert len(found["pictures"]) == 12
    for box in (*found["frames"], *found["tables"]):
        assert box["left"] >= 0
        assert box["right"] <= width
    for picture in found["pictures"]:
        assert picture["width"] > 250
        assert picture["height"] > 80
        assert picture["right"] <= width or picture["scrolls"]
    assert sum(picture["scrolls"] for picture in found["pictures"]) == (1 if width == 400 else 0)  # the cohort map
    assert min(found["letters"]) > 5


NAMES = """() => {
  document.querySelectorAll("details").forEach(part => { part.open = true; });
  const box = document.querySelector("#scores .scroll").getBoundingClientRect();
  const rows = [...document.querySelectorAll("#scores table.scores tbody tr:not(.group)")];
  return { page: document.documentElement.scrollWidth,
           names: Math.max(...rows.map(row => row.cells[0].getBoundingClientRect().right - box.left)) / box.width };
}"""


@pytest.mark.parametrize("width", [400, 1400])
def test_long_names_do_not_widen_the_page(browser, width, tmp_path):
    """The page never scrolls sideways, and names leave half of the score table to the scores."""
    tab = browser.new_page(viewport={"width": width, "height": 900})
    tab.goto(write_report(frames.long_names(), tmp_path / "report.html").as_uri())
    found = tab.evaluate(NAMES)
    tab.close()
    assert found["page"] == width
    assert found["names"] < 0.55
