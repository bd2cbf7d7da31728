"""From the user's words to a comparison: what is read, how it is divided, what comes out."""

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import GroupKFold, ShuffleSplit
from torch import nn

from plait import EarlyFusion, LateFusion, MetaFusion, SingleModality, SkewPairFusion, Trainer
from plait.compare import Comparison, compare
from plait.compare.writing import report_input
from samples import names_of, three_modalities

SMALL = [LateFusion(hidden=(4,)), EarlyFusion(hidden=(4,))]
TRAINER = Trainer(epochs=2, learning_rate=0.05)


def run(X=None, y=None, methods=SMALL, **choices) -> Comparison:
    if X is None:
        X, y = three_modalities()
    usual = {"cv": 2, "trainer": TRAINER, "verbose": 0, "controls": False, "ledger": "none", "validation": 0.25}
    return compare(methods, X, y, **usual | choices)


def test_a_comparison_has_its_tables_and_a_verdict():
    """Baseline, singles and methods by every metric; pairs of all of them; sentences."""
    found = run()
    assert found.metric == "accuracy"
    assert found.table().index[0] == "baseline"
    assert set(found.table()["kind"]) == {"baseline", "single", "fusion"}
    assert len(found.pairs) == 6 * 5 // 2
    assert found.verdict.sentences
    assert found.best in ("late fusion (hidden 4)", "early fusion (hidden 4)")
    assert found.confusion().to_numpy().sum() == 60
    assert found.ledger().empty
    assert repr(found) == f"Comparison(6 contenders, {found.protocol}, metric='accuracy')"


def test_controls_and_refits_are_no_contenders():
    """They serve the verdict and the ledger."""
    found = run(controls=True, ledger="auto", methods=[EarlyFusion(hidden=(4,))])
    kinds = [one.kind for one in found.outcomes.contenders.values()]
    assert kinds.count("control") == 4
    assert kinds.count("subset") == 6
    assert found.ledger()["modality"].tolist() == ["sound", "image", "age"]
    assert len(found.table()) == 1 + 3 + 1
    assert any("shuffled target" in sentence for sentence in found.verdict.sentences)


@pytest.mark.parametrize(
    ("y", "task", "given"),
    [
        (np.arange(60) % 3, "classification", None),
        (np.array(["a", "b"])[np.arange(60) % 2], "classification", None),
        (np.linspace(0, 1, 60), "regression", None),
        (np.arange(60) % 7, "regression", "regression"),
        (np.random.default_rng(0).normal(size=(60, 2)), "regression", None),
    ],
)
def test_the_task_is_that_of_the_target(y, task, given):
    """Whole numbers and text are classes, unless it is said otherwise."""
    found = run(three_modalities()[0], y, methods=[SMALL[1]], task=given)
    assert found.plan.task == task
    assert not found.failures


def test_a_target_with_ids_is_matched():
    """Whatever its order."""
    X, y = three_modalities()
    shuffled = pd.Series(y, index=names_of(60)).sample(frac=1, random_state=1)
    found, expected = (run(X, target).table().drop(columns="seconds") for target in (shuffled, y))
    pd.testing.assert_frame_equal(found, expected)


def test_one_column_is_one_value_a_sample():
    """A table with one column of classes is a classification."""
    X, y = three_modalities()
    table = pd.DataFrame({"ill": y}, index=names_of(60))
    assert run(X, table, methods=[SMALL[1]]).plan.task == "classification"


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (
            np.where(np.arange(60) == 7, np.nan, 1.5 * np.arange(60)),
            "y is missing in 1 .* the first in row 7",
        ),
        (np.array(["a", None] * 30, dtype=object), "y is missing in 30"),
        (np.full(60, 3.5), "All values of y are the same"),
    ],
)
def test_a_target_that_says_nothing_is_refused(y, message):
    """Before anything is fitted."""
    with pytest.raises(ValueError, match=message):
        run(three_modalities()[0], y)


def test_without_a_fusion_the_report_is_written_all_the_same(tmp_path):
    """Singles alone, or fusions that all failed."""
    X, y = three_modalities()
    for methods in ([SingleModality("sound", hidden=(4,))], [LateFusion(hidden=(0,))]):
        found = run(X, y, methods=methods)
        assert not found.verdict.supported
        assert (found.write(tmp_path / str(len(found.failures))) / "report.html").is_file()


def test_groups_are_never_divided():
    """Nor by a splitter of scikit-learn."""
    X, y = three_modalities()
    groups = np.arange(60) // 3
    for cv in (3, GroupKFold(3)):
        found = run(X, y, groups=groups, cv=cv)
        for split in found.plan.splits.parts:
            assert not set(groups[split.train]) & set(groups[split.test])


def test_splitters_and_published_splits_are_taken_as_they_are():
    """Overlapping tests are repeats; one split is one split."""
    several = run(cv=ShuffleSplit(3, test_size=0.3, random_state=0))
    assert len(several.plan.splits.parts) == 3
    one = run(cv=[(np.arange(40), np.arange(40, 60))], seeds=(0, 1))
    assert len(one.plan.splits.parts) == 1
    assert one.outcomes.contenders["baseline"].outputs.shape[0] == 2
    assert "2 seeds" in one.protocol


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"metric": "beauty"}, "beauty"),
        ({"task": "ranking"}, "task must be one of 'classification', 'regression'"),
        ({"seeds": 3}, "seeds must list one or more different whole numbers"),
        ({"margin": -1.0}, "margin must be a number"),
        ({"encoders": {"nose": nn.Identity()}}, r"Encoders are given for modalities that are not there: \['nose'\]"),
        ({"seeds": ()}, "seeds must list one or more different whole numbers"),
        ({"seeds": (0, 0)}, "seeds must list one or more different whole numbers"),
        ({"cv": ShuffleSplit(2), "repeats": 2}, "repeats goes with a number of folds"),
        ({"cv": 31}, "31"),
        ({"repeats": 0}, "repeats must be a whole number of at least 1"),
    ],
)
def test_what_cannot_be_run_is_told_before_the_fits(choices, message):
    """By name, with what is expected."""
    with pytest.raises(ValueError, match=message):
        run(**choices)


def test_a_method_that_fails_is_named_and_the_others_go_on():
    """With its message in the verdict, the table and the report."""
    found = run(methods=[SMALL[0], LateFusion(hidden=(0,))])
    assert [label for label in found.failures if "alone" not in label] == ["late fusion (hidden 0)"]
    assert found.table().loc["late fusion (hidden 0)"].drop("kind").isna().all()
    assert any("hidden must list the widths" in sentence for sentence in found.verdict.sentences)


def test_everything_is_written(tmp_path):
    """Report, verdict, tables; what is told of the data."""
    found = run(controls=True, ledger="auto").annotated("sixty people", "plait compare people")
    folder = found.write(tmp_path / "deep" / "out")
    page = (folder / "report.html").read_text(encoding="utf-8")
    for words in ("sixty people", "plait compare people", found.plan.data_fingerprint, found.verdict.sentences[0][:40]):
        assert words in page
    written = {path.name for path in folder.iterdir()}
    assert {"scores.csv", "pairs.csv", "ledger.csv", "redundancy.csv", "calibration.csv", "cohort.csv"} <= written
    assert len(pd.read_csv(folder / "pairs.csv")) == len(found.pairs)
    assert "late fusion" in (folder / "table.tex").read_text(encoding="utf-8")


def test_what_a_search_of_pairs_found_is_written_into_a_folder_of_its_own(tmp_path):
    """The tables "search/..." of every fit, below each other; a second time they are replaced."""
    X, y = three_modalities(90)
    pairs = {"scan": ("concat",), "most": 1, "rank": 4, "draws": 20}
    found = run(X.select(["sound", "image"]), y, methods=[SkewPairFusion(**pairs)], validation=0.3)
    for _ in range(2):
        folder = found.write(tmp_path / "out")
        written = pd.read_csv(folder / "search" / "summary.csv")
        assert written["fold"].tolist() == [0, 1]
        assert set(written["verdict"]) <= {"skew pair", "diagonal pair", "no supported fusion"}


def test_cohorts_of_some_modalities_alone_are_drawn(tmp_path):
    """The ledger fits the best method on each: what its students do not have is not in their map."""
    X, y = three_modalities()
    method = MetaFusion(("identity", "null"), hidden=(4,), rhos=(0.0,), learners=("ridge",))
    found = run(X.select(["sound", "image"]), y, methods=[method], ledger="auto")
    page = found.report(tmp_path / "report.html").read_text(encoding="utf-8")
    assert len(found.ledger()) > 0
    assert "Inside the cohorts" in page
    assert ">nan<" not in page


def test_a_regression_is_written(tmp_path):
    """Without what belongs to classes."""
    X, y = three_modalities()
    found = run(X, y + np.random.default_rng(0).normal(size=60), methods=[SMALL[0]])
    folder = found.write(tmp_path / "out")
    assert not (folder / "reliability.csv").exists()
    with pytest.raises(ValueError, match="A regression has no classes"):
        found.confusion()


def test_one_modality_is_no_question_of_fusion(tmp_path):
    """It is said plainly, and the report is written all the same."""
    X, y = three_modalities()
    found = run({"sound": X["sound"]}, y, methods=["early"], cv=2)
    assert not found.verdict.supported
    found.report(tmp_path / "report.html")


def test_probabilities_can_be_calibrated():
    """Other probabilities, the same classes; a temperature in every fit."""
    plain, scaled = run(methods=[SMALL[1]]), run(methods=[SMALL[1]], calibration="temperature")
    one, other = (found.outcomes["early fusion (hidden 4)"].outputs for found in (plain, scaled))
    assert not np.allclose(one, other)
    np.testing.assert_array_equal(one.argmax(-1), other.argmax(-1))
    assert report_input(scaled).settings["every fit"]["calibration"] == "temperature"


def test_the_same_comparison_gives_the_same_numbers():
    """Bit for bit."""
    one, other = run(), run()
    for label, predicted in one.outcomes.contenders.items():
        np.testing.assert_array_equal(predicted.outputs, other.outcomes[label].outputs)
