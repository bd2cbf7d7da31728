"""The report of a search is one page that works offline, says what every number is of, and trusts no name."""

import os
import re
import shutil
from html.parser import HTMLParser
from itertools import pairwise

import numpy as np
import pytest
from made_findings import made

from plait.skew.findings import Findings
from plait.skew.report import render, write_report
from plait.skew.report.captions import answer
from plait.skew.report.facts import side_means, trend

CHROMIUM = shutil.which("chromium")
EVIL = '<script>alert(\'1\')</script> & "x" onload="alert(1)'
CHOICES = {
    "skew pair": (("image", 5, "text", 2),),
    "diagonal pair": (("image", 4, "text", 4),),
    "several pairs": (("image", 5, "text", 2), ("image", 2, "text", 6)),
    "no supported fusion": (),
}
ANSWERS = {
    "skew pair": "Join image@5 + text@2: a skew pair.",
    "diagonal pair": "Join image@4 + text@4: a diagonal pair.",
    "several pairs": "Join image@5 + text@2; image@2 + text@6.",
    "no supported fusion": "No fusion is supported: use image@5 alone.",
}


BARE = {"chosen": (), "metric": "log_loss", "tested": False}


@pytest.fixture(scope="module")
def page():
    """The report of findings with everything, two operators and test rows."""
    return render(made(operators=("concat", "outer")))


@pytest.fixture(scope="module")
def bare():
    """The report of a search that came to nothing, without test rows."""
    return render(made(**BARE))


def words(page):
    """What a page says, without its style and its tags."""
    return re.sub(r"<[^>]+>", " ", re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL))


def figures(page):
    """The captions of all pictures."""
    return re.findall(r"<figcaption>(.*?)</figcaption>", page, re.DOTALL)


def table(page, caption):
    """The rows of a table as text."""
    found = next(text for text in re.findall(r"<table.*?</table>", page, re.DOTALL) if caption in text)
    body = found[found.index("<tbody>") :]
    return [[words(cell).strip() for cell in re.findall(r"<t[hd].*?</t[hd]>", row)] for row in body.split("<tr")[1:]]


@pytest.mark.parametrize("verdict", CHOICES)
def test_every_verdict_is_one_plain_sentence(verdict):
    """What to join, or what to use alone."""
    findings = made(chosen=CHOICES[verdict])
    assert findings.verdict == verdict
    assert answer(findings) == ANSWERS[verdict]


def test_the_verdict_stands_on_top(page, bare):
    """The answer, then the sentence of the findings, before any table or picture; in another colour if it is none."""
    for text, verdict, kind in ((page, "skew pair", "yes"), (bare, "no supported fusion", "no")):
        assert f'<section id="verdict" class="answer {kind}">' in text
        assert f"<strong>{ANSWERS[verdict]}</strong>" in text
        assert text.index(ANSWERS[verdict]) < text.index("It is so.") < text.index("<svg")


def test_the_choice_comes_with_its_gain_its_bound_and_how_it_was_made(page):
    """Gain over the best tap, the simultaneous bound, and the trail step by step."""
    said = words(page)
    for text in (
        "+0.300 over the best single tap, image@5",
        "+0.200 (95 %, simultaneous)",
        "concat (tried: concat, outer)",
    ):
        assert text in said
    assert re.search(r"<ol>\s*<li>First this.</li>\s*<li>Then that.</li>\s*</ol>", page)


def test_sections_stand_in_order(page):
    """The choice, what test rows say of it, then why; and every link of the page leads to one of them."""
    headings = re.findall(r"<h2>(.*?)</h2>", page)
    assert headings[1:] == [
        "The choice",
        "On test samples: reported once",
        "Gain of every pair",
        "How sure the choice is, and whether fewer pairs are enough",
        "What the layers are like",
        "What the choice has to beat",
        "How to read this",
    ]
    assert set(re.findall(r'href="#(\w+)"', page)) <= set(re.findall(r'<section id="(\w+)"', page))
    levels = [int(level) for level in re.findall(r"<h([1-6])", page)]
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_what_was_measured_on_the_samples_that_chose_is_called_descriptive(page):
    """Every picture and every table, except those on test rows, which were reported once."""
    flags = [re.match(r'<span class="flag">(.*?)</span>', caption)[1] for caption in figures(page)]
    assert flags == ["Reported once.", *["Descriptive only."] * 10]
    captions = re.findall(r"<caption>.*?</caption>", page, re.DOTALL)
    assert sum("Descriptive only." in caption for caption in captions) == len(captions) - 1
    assert sum("Reported once." in caption for caption in captions) == 1


def test_captions_say_metric_samples_draws_and_level(page):
    """All of them, also as the label of the picture for those who do not see it."""
    for caption in figures(page):
        assert "Accuracy" in caption
        assert "500 bootstrap draws, 95 % intervals" in caption
        assert "1000 held-out samples" in caption or "test samples" in caption
    assert all(len(label) > 50 for label in re.findall(r'<svg role="img" aria-label="([^"]*)"', page))
    assert page.count("<svg") == len(figures(page))


def test_without_test_rows_there_is_no_such_section(bare):
    """And nothing claims to have been reported once."""
    assert 'id="tested"' not in bare
    assert "eported once" not in bare


def test_the_best_pairs_come_first_and_the_choice_is_named(page):
    """Sorted by score over all operators, with d, both gains, the bounds and the share of the draws."""
    rows = table(page, "best pairs by score")
    assert rows[0] == [
        "image@5 + text@2 (chosen)", "concat", "+3", "0.800", "+0.300", "[0.200, 0.400]", "+0.300", "+0.300", "100.0 %",
        "yes",
    ]  # fmt: skip
    scores = [float(row[3]) for row in rows]
    assert scores == sorted(scores, reverse=True)
    assert sum("(chosen)" in row[0] for row in rows) == 1


def test_baselines_begin_with_the_choice(page):
    """With what each is, and by how much the choice is better."""
    rows = table(page, "baselines on the samples that chose")
    assert rows[0][:3] == ["chosen", "0.720 [0.710, 0.730]", ""]
    assert rows[1] == [
        "best tap of image",
        "0.500 [0.490, 0.510]",
        "+0.220 [0.210, 0.230]",
        "how best tap of image was made",
    ]
    assert len(rows) == 12


def test_the_ladder_says_whether_fewer_pairs_are_better(page):
    """Windows lose .02 with every pair."""
    assert "Over windows, from 1 to 6 pairs, it falls with every step." in words(page)
    assert "Over sets built pair by pair, from 1 to 2 pairs, it falls with every step." in words(page)


def test_how_many_pairs_are_as_good_is_told(page):
    """The resolution of the search, over the pairs of both operators."""
    assert "2 of 72 single pairs" in words(page)


def test_a_metric_of_which_less_is_better_is_called_negated(bare):
    """Scores are greater-is-better, and the page says so."""
    assert "Minus log loss (nats) on 1000 held-out samples" in words(bare)
    assert "gain in minus log loss (nats)" in words(bare)


def test_side_means_are_of_each_side():
    """Two pairs below, one on the diagonal, none above: the means, and no mean of nothing."""
    found = side_means(np.array([-3, -1, 0]), np.array([1.0, 2.0, 5.0]))
    assert found["side"].tolist() == ["d < 0", "d = 0", "d > 0"]
    assert found["pairs"].tolist() == [2, 1, 0]
    assert found["mean"].tolist()[:2] == [1.5, 5.0]
    assert np.isnan(found["mean"].iloc[2])


def test_sides_have_the_means_of_the_pairs(page):
    """As a table of the gains of each operator."""
    findings = made(operators=("concat", "outer"))
    own = findings.pairs[(findings.pairs["operator"] == "outer") & (findings.pairs["skewness"] > 0)]
    assert table(page, "Mean gain by side")[1][4] == f"{own['gain'].mean():+.3f} (15)".replace("-", "\N{MINUS SIGN}")


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([1, 2, 3], "rises"),
        ([3, 2, 1], "falls"),
        ([1, 2, 2], "neither"),
        ([2, 1, 1], "neither"),
        ([2, 1, 2], "neither"),
        ([1], "neither"),
    ],
)
def test_a_trend_has_no_exception(values, said):
    """One step that is flat or the other way is enough to have none."""
    assert trend(np.array(values, dtype=float)) == said


def test_the_page_needs_nothing_else(page):
    """No script, no link to elsewhere, a policy that forbids both, and no id twice."""
    assert "<script" not in page
    addresses = re.findall(r"(?:src|href)=\"([^\"]*)\"|url\(([^)]*)\)", page)
    assert all(address.startswith(("#", "data:")) for pair in addresses for address in pair if address)
    assert "default-src 'none'" in page
    ids = re.findall(r'\sid="([^"]+)"', page)
    assert len(ids) == len(set(ids))


def test_the_same_findings_give_the_same_page(bare):
    """There is no date and no chance in it; also after a way through tables."""
    assert render(Findings.from_tables(made(**BARE).tables())) == bare


def attributes(page):
    """Names of the attributes of all tags."""
    found = set()
    parser = HTMLParser()
    parser.handle_starttag = lambda _, given: found.update(name for name, _ in given)
    parser.feed(page)
    return found


def test_names_are_letters_and_never_tags():
    """In modalities, sentences, trails and descriptions."""
    findings = made({EVIL: 6, "text": 6}, ((EVIL, 5, "text", 2),))
    tables = findings.tables()
    tables["summary"] = findings.summary.assign(sentence=EVIL, trail=EVIL, operators=EVIL)
    tables["baselines"] = findings.baselines.assign(what=EVIL)
    page = render(Findings.from_tables(tables))
    assert "<script" not in page
    assert "onload" not in attributes(page)
    assert "&lt;script&gt;alert(" in page


def test_writing_is_all_or_nothing(tmp_path):
    """The findings write it; one that cannot be made leaves the old one as it was, and nothing beside it."""
    path = tmp_path / "report.html"
    findings = made(tested=False)
    assert findings.report(path) == path
    before = path.read_text(encoding="utf-8")
    assert ANSWERS["skew pair"] in before
    with pytest.raises(KeyError, match="score"):
        write_report(Findings(**(findings.tables() | {"taps": findings.taps.drop(columns="score")})), path)
    assert path.read_text(encoding="utf-8") == before
    assert os.listdir(tmp_path) == ["report.html"]  # noqa: PTH208


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    """With its name, and what to do."""
    with pytest.raises(FileNotFoundError, match=r"no folder .*lost.*Make it first"):
        write_report(made(), tmp_path / "lost" / "report.html")


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
    frames: [...document.querySelectorAll(".picture, .scroll")].map(box),
    pictures: [...document.querySelectorAll(".picture")].map(frame => ({
      ...box(frame.querySelector("svg")), scrolls: frame.scrollWidth > frame.clientWidth })),
    letters: [...document.querySelectorAll("svg text")].filter(text => text.textContent.trim())
      .map(text => parseFloat(getComputedStyle(text).fontSize) * Math.hypot(text.getCTM().a, text.getCTM().b)),
  };
}"""


@pytest.fixture(scope="module")
def three(tmp_path_factory):
    """The file of a report on three modalities of different depths."""
    findings = made({"a modality with a long name & <brackets>": 6, "sound": 4, "text": 12}, (("sound", 4, "text", 7),))
    return write_report(findings, tmp_path_factory.mktemp("three") / "report.html")


@pytest.mark.parametrize("width", [400, 1400])
def test_everything_is_visible_in_chromium(browser, three, width):
    """On a telephone and on a desk: no error, no request, nothing sticks out, letters of 5 pixels at least."""
    tab = browser.new_page(viewport={"width": width, "height": 900})
    said, asked = [], []
    tab.on("console", lambda message: said.append(message.text))
    tab.on("pageerror", lambda error: said.append(str(error)))
    tab.on("request", lambda request: asked.append(request.url))
    tab.goto(three.as_uri())
    found = tab.evaluate(LAYOUT)
    tab.close()
    assert said == []
    assert [url for url in asked if not url.startswith("data:")] == [three.as_uri()]
    assert found["page"] == width
    for box in found["frames"]:
        assert box["left"] >= 0
        assert box["right"] <= width
    assert len(found["pictures"]) == 7
    for picture in found["pictures"]:
        assert picture["width"] > 250
        assert picture["right"] <= width or picture["scrolls"]
    assert min(found["letters"]) > 5


def test_two_modalities_need_no_scrolling_on_a_desk(browser, page, tmp_path):
    """Every picture has its whole width."""
    path = tmp_path / "report.html"
    path.write_text(page, encoding="utf-8")
    tab = browser.new_page(viewport={"width": 1400, "height": 900})
    tab.goto(path.as_uri())
    found = tab.evaluate(LAYOUT)
    tab.close()
    assert len(found["pictures"]) == 11
    assert not any(picture["scrolls"] for picture in found["pictures"])
