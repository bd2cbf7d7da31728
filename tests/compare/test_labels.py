"""What methods are called in tables."""

import pytest
from sklearn.linear_model import LogisticRegression

from plait import CooperativeFusion, LateFusion, LowRankFusion, MetaFusion, SingleModality
from plait.compare.labels import label_of, unique_labels


@pytest.mark.parametrize(
    ("method", "label"),
    [
        (MetaFusion(), "Meta Fusion"),
        (LateFusion(), "late fusion"),
        (LowRankFusion(), "low-rank fusion"),
        (LateFusion(rule="stacking"), "late fusion (rule stacking)"),
        (LateFusion(hidden=()), "late fusion (hidden none)"),
        (LateFusion(hidden=(8, 4), base=None), "late fusion (hidden 8 4)"),
        (LateFusion(base=LogisticRegression(C=0.1)), "late fusion (base logistic regression)"),
        (SingleModality("rna", base="linear"), "single modality (base linear, modality rna)"),
        (CooperativeFusion(rhos=(0.5,)), "cooperative fusion (rhos 0.5)"),
    ],
)
def test_a_label_is_the_class_and_what_is_not_default(method, label):
    """In words."""
    assert label_of(method) == label


def test_methods_that_cannot_be_told_apart_are_refused():
    """Two learners of one class need names."""
    with pytest.raises(ValueError, match=r"'late fusion \(base logistic regression\)' is there twice. .* give names"):
        unique_labels([LateFusion(base=LogisticRegression(C=c)) for c in (0.1, 1.0)])
