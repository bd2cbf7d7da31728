"""The table for other documents: complete, escaped, with its protocol."""

import re

import frames
import numpy as np
import pandas as pd
import pytest

from plait.compare.export import to_csv, to_latex, to_markdown
from plait.compare.layout import wide_table
from plait.drawing.numbers import shown


def test_the_wide_table_groups_kinds_and_marks_the_best():
    """Baseline, single modalities, fusion; the best is that of the metric's good end, controls aside."""
    groups = wide_table(frames.scores(frames.KINDS | {"shuffled": "control"}))
    assert [group.heading for group in groups] == ["Baseline", "Single modalities", "Fusion", "Negative controls"]
    best = [row.method for group in groups for row in group.rows if all(cell.best for cell in row.cells)]
    assert best == ["late"]


def test_a_baseline_is_never_the_best():
    """A perfectly calibrated baseline is not bold, nor is a control or a subset with the best score."""
    kinds = {"prior": "baseline", "audio": "single", "late": "fusion", "shuffled": "control", "two": "subset"}
    table = frames.scores(kinds, ["ece"]).assign(mean=[0.0, 0.2, 0.1, 0.1, 0.1])
    assert [row.method for group in wide_table(table) for row in group.rows if row.cells[0].best] == ["late"]
    assert re.findall(r"\| (\w+) \| \*\*", to_markdown(table)) == ["late"]
    assert re.findall(r"(\w+) & \\textbf", to_latex(table)) == ["late"]


def test_without_a_single_modality_or_fusion_nothing_is_best():
    """Baselines alone, and rows that all failed."""
    table = frames.scores()
    table.loc[table["kind"] != "baseline", ["mean", "low", "high"]] = np.nan
    for some in (table, table[table["kind"] == "baseline"]):
        assert not any(cell.best for group in wide_table(some) for row in group.rows for cell in row.cells)


@pytest.mark.parametrize(
    ("value", "text"), [(0.93949, "0.939"), (-0.5, "\N{MINUS SIGN}0.500"), (12345.6, "12346"), (np.nan, "\N{EN DASH}")]
)
def test_numbers_have_three_decimals(value, text):
    """Unless they are large or not there."""
    assert shown(value) == text


def test_markdown_has_a_row_a_method_and_its_protocol():
    """Every line has as many cells; the best is bold; the protocol stands below."""
    text = to_markdown(frames.scores(), protocol="5 folds x 2 repeats")
    table, note = text.split("\n\n")
    assert {line.count("|") for line in table.splitlines()} == {5}
    assert "| late | **0.540** [0.520, 0.560] | **0.960** [0.940, 0.980] | 6.0 |" in table
    assert "5 folds x 2 repeats." in note


def test_markdown_names_cannot_break_the_table():
    """Bars, stars and tags are letters."""
    text = to_markdown(frames.scores({"a|b *c* <i>": "fusion"}), ["accuracy"])
    assert r"a\|b \*c\* \<i\>" in text


def test_latex_is_balanced_and_escaped():
    """Braces and environments close, special letters are escaped, every row has its cells."""
    table = frames.failed(frames.scores({"50% & a_b {x} #1 $2 ~^\\": "single", "b": "fusion"}), "b", "needs 3 & more_")
    text = to_latex(table, caption="On R&D_1", label="tab:one", protocol="5 folds × 2 repeats")  # noqa: RUF001
    bare = text.replace("\\\\\n", "\n").replace(r"\{", "").replace(r"\}", "")
    assert bare.count("{") == bare.count("}")
    assert re.findall(r"\\begin{(\w+)}", text) == re.findall(r"\\end{(\w+)}", text)[::-1]
    assert r"50\% \& a\_b \{x\} \#1 \$2 \textasciitilde{}\textasciicircum{}\textbackslash{} & \textbf{0.500}" in text
    assert r"\multicolumn{3}{l}{failed: needs 3 \& more\_}" in text
    assert r"\caption{On R\&D\_1 Mean with 95 \% interval" in text
    assert r"5 folds $\times$ 2 repeats.}" in text
    assert not re.search(r"(?<!\\)[%#]", text)
    rows = [line for line in text.splitlines() if line.endswith(r"\\") and "multicolumn" not in line]
    assert {len(re.findall(r"(?<!\\)&", row)) for row in rows} == {3}


def test_metrics_are_chosen_and_unknown_ones_refused():
    """In the order asked for."""
    assert "log loss (nats) | accuracy" in to_markdown(frames.scores(), ["log_loss", "accuracy"])
    with pytest.raises(ValueError, match=r"metrics auc; it has accuracy, log_loss"):
        to_latex(frames.scores(), ["auc"])


def test_csv_comes_back_as_it_was(tmp_path):
    """Tidy, with full precision; what was there is replaced, and nothing is left beside it."""
    table = frames.pairs().assign(difference=1 / 3)
    for _ in range(2):
        to_csv(table, tmp_path / "pairs.csv")
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "pairs.csv"), table, check_dtype=False)
    assert [path.name for path in tmp_path.iterdir()] == ["pairs.csv"]


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    """With its name."""
    with pytest.raises(FileNotFoundError, match=r"no folder .*lost.*Make it first"):
        to_csv(frames.pairs(), tmp_path / "lost" / "pairs.csv")
