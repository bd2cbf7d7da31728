"""The verdict: planted advantages are found, noise is not, and every sentence says what it is of."""

import re
from dataclasses import replace

import numpy as np
import pytest
from simulated import contender, near, outcomes, race, right, truth

from plait.compare.statistics.multiple import holm
from plait.compare.statistics.paired import compare_pairs
from plait.compare.verdict.decision import beating, decide
from plait.compare.verdict.wording import figure, p_value
from plait.statistics.metrics import primary

FIELD = {
    "baseline": ("baseline", 0.5),
    "mrna": ("single", 0.7),
    "mirna": ("single", 0.6),
    "late": ("fusion", 0.7, "predictions"),
    "early": ("fusion", 0.7, "features"),
    "Meta Fusion": ("fusion", 0.7, "all"),
}


def _field(n=400, seed=0, **qualities):
    """The field above with other qualities, two repeats."""
    changed = {label: (entry[0], qualities.get(label, entry[1]), *entry[2:]) for label, entry in FIELD.items()}
    return race(changed, n=n, repeats=2, seed=seed)


def _said(verdict, pattern):
    return [sentence for sentence in verdict.sentences if re.search(pattern, sentence)]


def test_a_planted_advantage_is_supported():
    """The sentence names the gain, its interval, the adjusted p, the test and the protocol."""
    found = decide(_field(late=0.85), "accuracy")
    assert found.supported
    assert (found.best_fusion, found.best_single) == ("late", "mrna")
    pattern = (
        r"^Late beats the best single modality \(mrna\) by \.1\d\d accuracy \(95 % interval \.\d+ to \.\d+; "
        r"Holm-adjusted p [=<] \.\d+; corrected t over 10 splits, 5 folds x 2 repeats\)\.$"
    )
    assert re.search(pattern, found.sentences[0])
    assert _said(found, "No other fusion is shown to do both")
    assert _said(found, r"better by more than \.01 is (above )?\.9")


@pytest.mark.parametrize(("better", "kind"), [("late", "late"), ("early", "joint"), ("Meta Fusion", "undecided")])
def test_the_kind_is_that_of_the_better_family(better, kind):
    """A cohort is of neither."""
    found = decide(_field(**{better: 0.9}), "accuracy")
    assert found.supported
    assert found.best_fusion == better
    assert found.kind == kind
    assert _said(found, "is the better kind" if kind != "undecided" else "undecided: joint")


def test_a_family_that_was_not_tried_is_named():
    """The kind is undecided then."""
    found = _field(late=0.9)
    without = [one for label, one in found.contenders.items() if label != "early"]
    alone = decide(outcomes(found.truth, *without), "accuracy")
    assert (decide(found, "accuracy").kind, alone.kind) == ("late", "undecided")
    assert _said(alone, r"^Joint fusion \(of features or representations\) was not tried")


def test_no_advantage_is_unsupported():
    """Fusion must beat the best single modality: as good as that is not enough."""
    found = decide(_field(), "accuracy")
    assert not found.supported
    assert found.best_fusion in {"late", "early", "Meta Fusion"}
    assert found.sentences[0] == "No fusion is shown to beat the best single modality and the baseline."
    assert _said(found, r"^The best fusion, .* accuracy (above|below) the best single modality \(mrna\)")
    assert _said(found, "cannot be told apart")


def test_noise_supports_no_fusion():
    """Twelve fusions, three modalities and a baseline of one quality: at most 7 % of 200 comparisons call one."""
    labels = {"baseline": ("baseline", 0.6), **{f"m{place}": ("single", 0.6) for place in range(3)}}
    labels |= {f"f{place}": ("fusion", 0.6) for place in range(12)}
    called = 0
    for seed in range(200):
        found = race(labels, n=100, seed=seed)
        called += decide(found, "accuracy").supported
    assert called <= 14


def test_the_rule_by_hand():
    """The largest one-sided p against any rival, then Holm over the candidates."""
    found = _field(late=0.8, early=0.75)
    paired = compare_pairs(found, primary("classification"))
    rivals = ["mrna", "mirna", "baseline"]
    by_hand = holm(np.array([max(paired.between(a, b).p_in_favour for b in rivals) for a in ("late", "early")]))
    assert list(beating(paired, ["late", "early"], rivals).values()) == pytest.approx(by_hand.tolist())
    assert beating(paired, ["late"], []) == {}


def test_ties_are_said_to_be_ties():
    """Twins of the best modality: unsupported, and named among those that cannot be told apart."""
    data = truth(n=200)
    best = right(data, 0.8, 1)
    found = decide(
        outcomes(
            data,
            contender(data, "baseline", "baseline", right(data, 0.5, 2)),
            contender(data, "mrna alone", "single", best, reads=["mrna"]),
            contender(data, "late fusion", "fusion", best, reads=["mrna", "mirna"]),
        ),
        "accuracy",
    )
    assert not found.supported
    assert _said(found, r"^The best fusion, late fusion, is \.000 accuracy above the best single modality \(mrna\)")
    assert _said(found, r"best single modality \(mrna\)")


def test_what_a_supported_fusion_beats_is_not_doubted():
    """Though by Holm over all pairs alone it would be."""
    found = decide(_field(seed=6, late=0.8, mrna=0.68, mirna=0.5, early=0.79), "accuracy")
    row = found.evidence.query("a == 'mrna' and b == 'late'").iloc[0]
    assert (found.supported, found.best_fusion) == (True, "late")
    assert row.p_holm > 0.05
    assert _said(found, "^Late (has the best mean of all fusions; it|and .*) cannot be told apart.*early")
    assert not _said(found, "told apart.*mrna")


def test_one_split_is_tested_over_samples():
    """And a sentence says what that does not tell."""
    labels = {"baseline": ("baseline", 0.5), "mrna": ("single", 0.7), "late": ("fusion", 0.95)}
    found = decide(race(labels, n=400, test=0.5), "accuracy")
    assert found.supported
    assert "sign-flip over 200 samples, one split" in found.sentences[0]
    assert _said(found, "^There is one split: .* other training samples")


def test_few_splits_ask_for_caution():
    """Below five."""
    labels = {"baseline": ("baseline", 0.5), "mrna": ("single", 0.7), "late": ("fusion", 0.9)}
    assert _said(decide(race(labels, folds=3), "accuracy"), "^There are 3 splits only")
    assert not _said(decide(race(labels, folds=5), "accuracy"), "splits only")


def test_one_modality_leaves_nothing_to_fuse():
    """It is said plainly; the modality is judged all the same."""
    found = decide(race({"baseline": ("baseline", 0.5), "mrna": ("single", 0.8)}), "accuracy")
    assert (found.supported, found.kind, found.best_fusion, found.best_single) == (False, None, None, "mrna")
    assert found.sentences[0] == "There is one modality (mrna), so there is nothing to fuse."
    assert _said(found, "over the baseline it gains")


def test_without_a_single_modality_nothing_is_supported():
    """However good the fusion."""
    found = decide(race({"baseline": ("baseline", 0.5), "late": ("fusion", 0.9)}), "accuracy")
    assert not found.supported
    assert _said(found, "^No single modality was compared")


def test_nothing_learned_is_said():
    """No modality beats the baseline."""
    found = decide(_field(mrna=0.5, mirna=0.5, late=0.5, early=0.5, **{"Meta Fusion": 0.5}), "accuracy")
    assert _said(found, "^No single modality is shown to beat the baseline; the best, mi?rna, differs by")
    assert _said(decide(_field(), "accuracy"), "^The best single modality is mrna; over the baseline it gains")


def _controlled(shuffled):
    found = _field(late=0.9)
    data = found.truth
    extra = [
        contender(data, "control: target shuffled", "control", right(data, shuffled, 77)),
        contender(data, "control: mrna shuffled", "control", right(data, 0.7, 78)),
    ]
    return outcomes(data, *found.contenders.values(), *extra)


def test_controls_are_read():
    """A shuffled target must not beat the baseline; shuffled modalities cost the probe something."""
    good = decide(_controlled(0.5), "accuracy", probe="late")
    assert _said(good, "shuffled target, a method does not beat the baseline, as it should be")
    assert _said(good, r"a modality costs late \(in accuracy, 95 % intervals\): mrna \.[12]\d\d \(\.\d+ to \.\d+\)\.$")
    assert _said(decide(_controlled(0.8), "accuracy"), "^Alarm: .* Something leaks")
    assert not _said(decide(_controlled(0.5), "accuracy"), "costs")


def test_failures_are_named():
    """With their reason; they are in no comparison."""
    found = _field(late=0.9)
    dead = contender(found.truth, "tensor fusion", "fusion", np.full((1, 2, 400, 2), np.nan), failure="out of memory")
    verdict = decide(outcomes(found.truth, *found.contenders.values(), dead), "accuracy")
    assert verdict.sentences[-1] == "Tensor fusion failed and is not compared: out of memory."
    assert "tensor fusion" not in {*verdict.evidence.a, *verdict.evidence.b}


@pytest.mark.parametrize("metric", ["r2", "rmse"])
def test_regressions_are_decided(metric):
    """Lower noise is better, whatever the direction of the metric."""
    data = truth(n=300, classes=0)
    noise = {"baseline": 1.2, "mrna": 0.8, "mirna": 0.9, "late": 0.4, "early": 0.8}
    kinds = ["baseline", "single", "single", "fusion", "fusion"]
    joins = ["nothing", "nothing", "nothing", "predictions", "representations"]
    found = decide(
        outcomes(
            data,
            *(
                contender(data, label, kind, near(data, size, place + 50), join)
                for place, ((label, size), kind, join) in enumerate(zip(noise.items(), kinds, joins, strict=True))
            ),
        ),
        metric,
    )
    assert (found.supported, found.kind, found.best_fusion, found.best_single) == (True, "late", "late", "mrna")
    assert re.search(r"^Late beats .* by \.\d+ (R²|RMSE)", found.sentences[0])


def test_numbers_are_written_as_in_papers():
    """No zero before the point, three digits after it; p not below .001."""
    written = [figure(value) for value in (0.0312, -0.004, 0.0, 1.25, -12.344, 1234.4, 0.00012, float("nan"))]
    assert written == [".031", "-.004", ".000", "1.250", "-12.34", "1234", ".00012", "undefined"]
    assert [p_value(p) for p in (0.0201, 0.0004, 1.0)] == ["p = .020", "p < .001", "p = 1.000"]


def test_levels_are_checked():
    """The message says the range."""
    with pytest.raises(ValueError, match=r"in \(0, 1\) \(got 0\.0\)"):
        decide(_field(), "accuracy", alpha=0.0)
    with pytest.raises(ValueError, match="is no metric of a classification"):
        decide(_field(), "r2")


def test_a_kind_that_is_not_better_is_rarely_called_so_whatever_the_sizes():
    """Twelve joint methods against one late method, all equal: hardly any of 60 comparisons decides."""
    decided = 0
    for seed in range(60):
        data = truth(n=100, seed=seed)
        joins = ["representations"] * 12 + ["predictions"]
        field = [
            contender(data, f"f{place}", "fusion", right(data, 0.7, 100 * seed + place), join)
            for place, join in enumerate(joins)
        ]
        single = contender(data, "a alone", "single", right(data, 0.6, 100 * seed + 50), reads=["a"])
        decided += decide(outcomes(data, single, *field), "accuracy").kind != "undecided"
    assert decided <= 5


@pytest.mark.parametrize(("other", "said"), [(0.7, "none is shown to beat it"), (0.99, "shown to beat it: gated")])
def test_the_simple_baseline_is_named(other, said):
    """How many fusions are below a fusion of linear learners, and which are shown to be above it."""
    data = truth(n=400)
    linear = replace(contender(data, "late linear", "fusion", right(data, 0.8, 1)), learner="base='linear'")
    gated = contender(data, "gated", "fusion", right(data, other, 2), "representations")
    single = contender(data, "mrna alone", "single", right(data, 0.6, 3), reads=["mrna"])
    found = decide(outcomes(data, single, linear, gated), "accuracy")
    assert _said(found, f"^Late linear, the simplest to fit and explain, has .* of the 1 other fusions; {said}")
