"""What others reached on the recordings of the hippocampus."""

from collections.abc import Mapping

import pandas as pd

from plait.datasets._published import published

_PROTOCOL = (
    "correct trials, the last 0.5 s before the choice point, bins z-scored one by one, 10-fold cross-validation, "
    "mean of 1000 repeats"
)
_SOURCE = "result files of the authors' repository"
_CHOICES: Mapping[str, str] = {
    "mouse1_session1": """
linear SVM on fpa and theta | .940 | .986
linear SVM on spikes | .931 | .988
linear SVM on fpa | .939 | .984
linear SVM on theta | .678 | .704
""",
    "mouse2_session1": """
linear SVM on fpa and theta | .656 | .721
linear SVM on spikes | .898 | .963
linear SVM on fpa | .737 | .795
linear SVM on theta | .660 | .703
""",
    "mouse2_session2": """
linear SVM on fpa and theta | .776 | .837
linear SVM on spikes | .915 | .929
linear SVM on fpa | .666 | .704
linear SVM on theta | .698 | .774
""",
    "mouse2_session3": """
linear SVM on fpa and theta | .928 | .984
linear SVM on spikes | .861 | .923
linear SVM on fpa | .903 | .960
linear SVM on theta | .813 | .909
""",
}


def hippocampus_published(session: str) -> pd.DataFrame:
    """Public numbers of a session, one row a method and metric; none of the tracks."""
    return published(_CHOICES.get(session, ""), ("accuracy", "roc_auc"), _PROTOCOL, _SOURCE)
