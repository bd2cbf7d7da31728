"""How well the methods predict on real data, with their default settings: `python -m benchmarks.quality htad|rosmap`.

HTAD: stratified 10-fold cross-validation, folds of seed 0 or of a second argument. ROSMAP: the published split of 245
training and 106 test rows, five seeds. Simple baselines stand in the same table.
"""

import sys
from collections.abc import Iterator

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from tqdm import tqdm

from plait import EarlyFusion, FusionClassifier, IntermediateFusion, LateFusion, MetaFusion, SingleModality
from plait.datasets import fetch_htad, fetch_rosmap

SEEDS = range(5)
PUBLISHED = {
    "htad": "Published, random forests, 10-fold: audio .854, accelerometer .856, multi-view stacking .937.",
    "rosmap": "Published, five random 70/30 splits (another protocol): MOGONET .815, NN_VCDN .775, XGBoost .760.",
}


class LateLogistic:
    """The baseline that is hard to beat: a mean of logistic regressions (C = 0.01), one a modality."""

    def fit(self, X, y):
        self.models = {name: _logistic().fit(X[name], y) for name in X}
        return self

    def predict(self, X):
        return np.mean([model.predict_proba(X[name]) for name, model in self.models.items()], axis=0).argmax(1)


def _logistic():
    return make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=5000))


def candidates(names, seed) -> Iterator[tuple[str, object]]:
    """Every method with its default settings, each modality alone, and the logistic baseline."""
    for name in names:
        yield f"{name} alone", FusionClassifier(SingleModality(name), random_state=seed)
    yield "late-fused logistic regression", LateLogistic()
    with_logistic = MetaFusion(learners=(*MetaFusion().learners, "logistic"))
    averages = LateFusion(), LateFusion(hidden=())
    for method in (EarlyFusion(), *averages, IntermediateFusion(), MetaFusion(), with_logistic):
        yield repr(method), FusionClassifier(method, random_state=seed)


def splits(which, folds_of=0):
    """Data, and a training and a test set for every fold (HTAD) or seed (ROSMAP)."""
    if which == "htad":
        found = fetch_htad()
        folds = StratifiedKFold(10, shuffle=True, random_state=folds_of).split(
            np.zeros(len(found.target)), found.target
        )
        return found, [(0, *rows) for rows in folds]
    found = fetch_rosmap()
    return found, [(seed, found.train, found.test) for seed in SEEDS]


def main(which, folds_of=0):
    """Print the table of one data set."""
    found, parts = splits(which, folds_of)
    X, y = found.data, found.target
    scores: dict[str, list[float]] = {}
    for seed, train, test in tqdm(parts, desc=which):
        for name, model in candidates(X.names, seed):
            scores.setdefault(name, []).append(
                float(np.mean(model.fit(X[train], y[train]).predict(X[test]) == y[test]))
            )
    what = f"10 folds (seed {folds_of})" if which == "htad" else "5 seeds on the published split (106 test rows)"
    print(f"{which}: accuracy, mean over {what}; standard deviation over them\n")
    for name, values in scores.items():
        print(f"{name:34s} {np.mean(values):.3f}  sd {np.std(values, ddof=1):.3f}")
    print(f"\n{PUBLISHED[which]}")


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
