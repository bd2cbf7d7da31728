"""Findings of planted pairs: verdicts, sentences, baselines, and what chooses and what does not."""

import re
from dataclasses import replace

import numpy as np
import pytest
from planted_judges import noise, planted

from plait.skew.findings import Findings
from plait.skew.judge import Judge, Split
from plait.skew.search import ClosedForm
from plait.skew.space import Pair


def found(judge, operators=("concat",), test=None, most=1, **kwargs):
    """Findings of a search by a judge."""
    search = ClosedForm(operators, judge.how, shortlist=4, most=most).judged(judge)
    return Findings.of(search, judge, test, **kwargs)


def judge_of(judge, rows, target=None):
    """A judge of other rows, with the same heads."""
    split = judge.splits[0]
    data = split.data if target is None else replace(split.data, target=target)
    return Judge(judge.how, [Split(data, split.train, rows)], judge.metric)


@pytest.fixture(scope="module")
def add():
    """The task of one skew pair, with test rows: its judge, and its findings."""
    judge, bunch = planted("add")
    return judge, bunch, found(judge, test=judge_of(judge, bunch.test))


def row(findings):
    return findings.summary.iloc[0]


@pytest.mark.parametrize(
    ("task", "operator", "most", "verdict"),
    [
        ("add", "concat", 1, "skew pair"),
        ("diag", "concat", 1, "diagonal pair"),
        ("multi", "outer", 3, "several pairs"),
        ("uni", "concat", 1, "no supported fusion"),
        ("null", "concat", 1, "no supported fusion"),
    ],
)
def test_each_task_has_its_verdict_and_its_sentence(task, operator, most, verdict):
    """Pairs, gain and bounds stand in plain words, or that there are none."""
    judge, bunch = planted(task, seed=1)
    findings = found(judge, (operator,), most=most)
    told, summary = findings.sentence, row(findings)
    assert findings.verdict == verdict
    assert summary["tap"] in told
    assert f"{summary['gain']:.3f}" in told
    assert f"{summary['gain_low']:.3f} to " in told
    if verdict == "no supported fusion":
        assert told.startswith("No fusion is supported")
        assert (summary["operator"], summary["pairs"]) == ("", "")
        assert summary["gain_low"] <= 0
        return
    pairs = [Pair.parse(text) for text in summary["pairs"].split("; ")]
    assert {(pair.first, pair.i, pair.second, pair.j) for pair in pairs} == set(bunch.planted)
    assert all(str(pair) in told for pair in pairs)
    assert operator in told
    assert set(findings.pairs.loc[findings.pairs["chosen"], "pair"]) == set(map(str, pairs))


def test_the_words_are_short_where_they_are_printed(add):
    """`repr` in one line; `str` with the way of the choice."""
    findings = add[2]
    words = r"Findings\(skew pair: a@3 \+ b@1 by concat, gain 0\.\d{3}, at least 0\.\d{3}\)"
    assert re.fullmatch(words, repr(findings))
    assert str(findings).splitlines() == [findings.sentence, *row(findings)["trail"].splitlines()]


def test_the_summary_repeats_what_the_tables_say(add):
    """One number, one place: gain, score, frequency of skew pairs, cost, samples."""
    judge, bunch, findings = add
    summary, pairs = row(findings), findings.pairs
    chosen = pairs[pairs["chosen"]].iloc[0]
    assert summary[["gain", "gain_low", "score"]].tolist() == chosen[["gain", "gain_low", "score"]].tolist()
    assert summary["p_skew"] == pytest.approx(pairs.loc[pairs["skewness"] != 0, "frequency"].sum())
    assert summary["cost"] == pytest.approx((3 / 4 + 1 / 4) / 2)
    assert (summary["train"], summary["held"]) == (len(bunch.train), len(bunch.validation))
    assert (summary["draws"], summary["level"], summary["margin"]) == (judge.how.draws, 0.95, 0)
    assert (summary["task"], summary["metric"], summary["operators"]) == ("classification", "accuracy", "concat")
    best = findings.taps[findings.taps["best"]]
    assert (best["modality"] + "@" + best["tap"].astype(str)).tolist() == [summary["tap"]]


def test_the_skew_effect_is_positive_where_the_pair_is_skew_and_negative_where_it_is_not(add):
    """Clear of 0 either way."""
    assert row(add[2])["skew_effect_low"] > 0
    assert row(found(planted("diag")[0]))["skew_effect_high"] < 0


def test_other_target_of_the_test_rows_changes_what_was_tested_alone(add):
    """Test rows choose nothing."""
    judge, bunch, findings = add
    target = bunch.target.copy()
    target[bunch.test] = np.random.default_rng(0).permutation(target[bunch.test])
    other = found(judge, test=judge_of(judge, bunch.test, target))
    for name, table in findings.tables().items():
        assert table.equals(other.tables()[name]) == (name != "tested")
    assert findings.tested["what"].tolist() == other.tested["what"].tolist() == findings.baselines["what"].tolist()
    scores = other.tested.set_index("name")["score"]
    assert scores["chosen"] == pytest.approx(0.25, abs=0.08)


def test_what_was_tested_is_the_choice_on_those_rows(add):
    """The same heads, scored on the test rows; the difference is of the same draws."""
    judge, bunch, findings = add
    test = judge_of(judge, bunch.test)
    tested = findings.tested.set_index("name")
    expected = test.sets("concat", [(Pair("a", 3, "b", 1),)])
    assert tested.loc["chosen", "score"] == expected.values[0]
    alone = test.alone([("a", 3)])
    low, high = np.percentile(expected.drawn[:, 0] - alone.drawn[:, 0], [2.5, 97.5])
    assert tested.loc["best tap of a", ["difference_low", "difference_high"]].tolist() == pytest.approx([low, high])


def test_one_pair_beats_all_taps_where_one_pair_has_everything():
    """The benchmark's threshold on its small size: at least 0.03, on validation and on test rows."""
    judge, bunch = planted("add", "small", draws=20)
    findings = found(judge, test=judge_of(judge, bunch.test))
    for table in (findings.baselines, findings.tested):
        assert table.set_index("name").loc["all taps", "difference"] >= 0.03


def test_every_report_has_the_baselines_it_must_have(add):
    """Each modality's best tap, mix and best two; decisions; late, pairwise, diagonal, skew, all, random; chosen."""
    findings = add[2]
    each = [f"{what} of {name}" for what in ("best tap", "mix of all taps", "two taps") for name in ("a", "b")]
    sets = ["late pair", "pairwise", "best diagonal pair", "best skew pair", "all taps", "random pair", "chosen"]
    assert findings.baselines["name"].tolist() == ["best tap of all", *each, "late decisions", *sets]
    last = findings.baselines.iloc[-1]
    assert last[["difference", "difference_low", "difference_high"]].tolist() == [0, 0, 0]


def test_baselines_are_the_scores_of_what_they_say(add):
    """By formulas of their own: best of the grid's diagonal, its mean, its corner, all two taps, mean outputs."""
    judge, _, findings = add
    score = findings.baselines.set_index("name")["score"]
    grid = findings.pairs["score"].to_numpy().reshape(4, 4)
    assert score["best diagonal pair"] == np.diagonal(grid).max()
    assert score["best skew pair"] == grid[~np.eye(4, dtype=bool)].max()
    assert score["best tap of all"] == findings.taps["score"].max()
    assert score["random pair"] == pytest.approx(grid.mean())
    assert score["late pair"] == grid[3, 3]
    two = [((("a", i),), (("a", j),)) for i in range(1, 5) for j in range(i + 1, 5)]
    assert score["two taps of a"] == judge.scored(judge.outputs(two)).values.max()
    mean = judge.outputs([((("a", 3),),), ((("b", 1),),)]).mean(0, keepdims=True)
    assert score["late decisions"] == judge.scored(mean).values[0]
    mix = judge.outputs([tuple(((("b", tap),)) for tap in range(1, 5))])
    assert score["mix of all taps of b"] == judge.scored(mix).values[0]


def test_rivals_have_the_operator_that_is_best_for_them():
    """Two planted pairs: the choice is joined by one operator, all pairs of equal depth do better by the other."""
    judge, _ = planted("multi", seed=1)
    findings = found(judge, ("outer", "concat+outer"))
    scores = {name: judge.sets(name, [judge.space.pairwise()]).values[0] for name in ("outer", "concat+outer")}
    table = findings.baselines.set_index("name")
    assert row(findings)["operator"] == "concat+outer"
    assert table.loc["pairwise", "what"] == "all taps of equal depth joined by outer"
    assert table.loc["pairwise", "score"] == scores["outer"] > scores["concat+outer"]


def test_folds_choose_for_themselves_and_are_tested_together(add):
    """One fold is as by itself; of two, `tested` has every test sample once, by heads of its own fold."""
    judge, bunch, alone = add
    test = judge_of(judge, bunch.test)
    search = ClosedForm(("concat",), judge.how, shortlist=4, most=1).judged(judge)
    [one] = Findings.of_folds([(search, judge, test)])
    assert all(table.equals(one.tables()[name]) for name, table in alone.tables().items())
    half = len(bunch.train) // 2
    data = judge.splits[0].data
    small = Judge(judge.how, [Split(data, bunch.train[:half], bunch.validation)], judge.metric)
    other = ClosedForm(("concat",), judge.how, shortlist=4, most=1).judged(small)
    parts = [
        Judge(judge.how, [Split(data, rows, held)], judge.metric)
        for rows, held in ((bunch.train, bunch.test[:50]), (bunch.train[:half], bunch.test[50:]))
    ]
    both = Findings.of_folds([(search, judge, parts[0]), (other, small, parts[1])])
    assert both[0].tested.equals(both[1].tested)
    assert both[0].baselines.equals(alone.baselines)
    assert not both[1].baselines.equals(alone.baselines)
    each = [
        Findings.of(*fold).tested.set_index("name")["score"]
        for fold in ((search, judge, parts[0]), (other, small, parts[1]))
    ]
    share = 50 / len(bunch.test)
    pooled = share * each[0] + (1 - share) * each[1]
    np.testing.assert_allclose(both[0].tested.set_index("name")["score"], pooled)
    made = [dict.fromkeys(pair) for pair in zip(*(one.baselines["what"] for one in both), strict=True)]
    assert {len(one) for one in made} == {1, 2}
    told = [next(iter(one)) if len(one) == 1 else f"of each fold its own: {' | '.join(one)}" for one in made]
    assert both[0].tested["what"].tolist() == told


def test_where_nothing_is_supported_the_best_tap_is_the_choice():
    """With no difference to itself, and at the cost of its own blocks."""
    findings = found(planted("uni")[0])
    table = findings.baselines.set_index("name")
    assert table.loc["chosen", "score"] == table.loc["best tap of a", "score"] == row(findings)["score"]
    assert table.loc["best tap of a", "difference"] == 0
    assert row(findings)["cost"] == pytest.approx(3 / 4 / 2)


def test_the_ladder_has_sets_of_every_size(add):
    """Windows at the best skewness are nested and end where they no longer fit; densities are m / L."""
    sets = add[2].sets
    windows = sets[sets["kind"] == "window"]
    assert windows["size"].tolist() == [1, 2]
    assert windows["pairs"].tolist() == ["a@4 + b@2", "a@4 + b@2; a@3 + b@1"]
    assert windows["density"].tolist() == [1 / 4, 2 / 4]
    assert sets["kind"].value_counts().to_dict() == {"window": 2, "greedy": 1, "late": 1, "pairwise": 1}
    assert sets.loc[sets["chosen"], "pairs"].tolist() == ["a@3 + b@1"]
    assert sets.set_index("kind").loc["pairwise", "density"] == 1


def test_the_greedy_rungs_are_the_nested_sets_of_the_search():
    """Two planted pairs: one, then both."""
    findings = found(planted("multi", seed=1)[0], ("outer",), most=3)
    greedy = findings.sets[findings.sets["kind"] == "greedy"]
    assert greedy["size"].tolist() == [1, 2]
    assert greedy["pairs"].iloc[1].startswith(greedy["pairs"].iloc[0])
    assert greedy["chosen"].tolist() == [False, True]


def test_similarity_is_of_heads_and_of_taps():
    """A tap that both modalities have is aligned with itself, and its heads err together."""
    judge, bunch = planted("add")
    data = judge.splits[0].data
    twin = replace(data, taps={"a": data.taps["a"], "b": [3 * data.taps["a"][2] + 1, data.taps["b"][0]]})
    judge = Judge(judge.how, [Split(twin, bunch.train, bunch.validation)], judge.metric)
    table = found(judge).similarity.set_index(["i", "j"])
    assert table.loc[(3, 1), "cka"] == pytest.approx(1)
    assert table.loc[(3, 1), "disagreement"] == 0
    assert abs(table.loc[(3, 2), "cka"]) < 0.02
    right = judge.outputs([((("a", 3),),), ((("b", 2),),)]).argmax(2) == judge.target
    assert table.loc[(3, 2), "disagreement"] == (right[0] != right[1]).mean()
    assert table.loc[(3, 2), "double_fault"] == (~right[0] & ~right[1]).mean()


def test_swapping_the_modalities_negates_skewness_and_keeps_scores():
    """The transposed grid, the mirrored profile, the same choice."""
    judge, bunch = planted("add")
    data = judge.splits[0].data
    other = replace(data, taps={name: data.taps[name] for name in ("b", "a")})
    one, two = found(judge), found(Judge(judge.how, [Split(other, bunch.train, bunch.validation)], judge.metric))
    swapped = two.pairs.set_index(["j", "i"]).loc[list(zip(one.pairs["i"], one.pairs["j"], strict=True))]
    np.testing.assert_array_equal(swapped["skewness"], -one.pairs["skewness"])
    np.testing.assert_allclose(swapped["score"], one.pairs["score"])
    np.testing.assert_allclose(swapped["gain_low"], one.pairs["gain_low"])
    np.testing.assert_allclose(two.skew["mean_gain"][::-1], one.skew["mean_gain"])
    assert Pair.parse(row(two)["pairs"]).swapped == Pair.parse(row(one)["pairs"])


def test_a_judge_that_cannot_stand_beside_the_search_is_refused(add):
    """Other taps, another metric, other draws: said in the error."""
    judge, _, _ = add
    search = ClosedForm(("concat",), judge.how, most=1).judged(judge)
    with pytest.raises(ValueError, match=r"`judge` must be a judge with the taps of the search, \{'a': 4, 'b': 4\}"):
        Findings.of(search, noise({"image": 2, "text": 2}))
    few = Judge(replace(judge.how, draws=7), judge.splits, judge.metric)
    with pytest.raises(ValueError, match="`test` must be a judge with the draws of the search, 50; got 7"):
        Findings.of(search, judge, few)


def test_level_and_margin_are_those_that_are_given(add):
    """A lower level has narrower intervals; the margin is written down."""
    judge, _, usual = add
    search = ClosedForm(("concat",), judge.how, most=1).judged(judge)
    narrow = Findings.of(search, judge, level=0.5, margin=0.01)
    assert row(narrow)[["level", "margin"]].tolist() == [0.5, 0.01]
    assert "50% bounds" in narrow.sentence
    for name in ("taps", "baselines", "sets"):
        wide, tight = ((table["high"] - table["low"]) for table in (getattr(usual, name), getattr(narrow, name)))
        assert (tight < wide).all()
    assert (narrow.pairs["gain_low"] > usual.pairs["gain_low"]).all()


def test_the_report_draws_these_findings(add, monkeypatch, tmp_path):
    """It is loaded when it is asked for, and gets the findings and the path."""
    asked = []
    monkeypatch.setattr("plait.skew.report.write_report", lambda *given: asked.append(given) or tmp_path, raising=False)
    assert add[2].report(tmp_path / "report.html") == tmp_path
    assert asked == [(add[2], tmp_path / "report.html")]
