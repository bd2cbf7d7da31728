"""Is fusion worth it? Home activities from sound and wrist motion, every strategy on the same split.

Run `make demo`, or `pip install ".[demo]"` and then `python examples/demo.py`. Writes into the folder demo/.
"""

import time
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import accuracy_score, f1_score
from sklearn.model_selection import train_test_split
from tqdm import tqdm

from plait import (
    EarlyFusion,
    FusionClassifier,
    IntermediateFusion,
    LateFusion,
    MetaFusion,
    Modalities,
    SingleModality,
    load,
    save,
)
from plait.compare import plot_cohort
from plait.datasets import fetch_htad

SEED = 0
OUT = Path("demo")
METHODS = {
    "audio alone": SingleModality("audio"),
    "accelerometer alone": SingleModality("accelerometer"),
    "early fusion": EarlyFusion(),
    "late fusion": LateFusion(),
    "intermediate fusion": IntermediateFusion(),
    "Meta Fusion": MetaFusion(),
}
PUBLISHED = """\
Published for these data, by another protocol (random forests, 10-fold cross-validation, all 1386 rows): accuracy
audio .854, accelerometer .856, multi-view stacking .937 (Garcia-Ceja, "Behavior Analysis with Machine Learning
Using R", table 3.1)."""


def compare(X: Modalities, y: np.ndarray, train: np.ndarray, test: np.ndarray) -> tuple[pd.DataFrame, FusionClassifier]:
    """Fit every method on the same training rows and score it on the same test rows; also the last one fitted."""
    rows = []
    for name, method in (bar := tqdm(METHODS.items(), unit="method", dynamic_ncols=True)):
        bar.set_description(name)
        start = time.perf_counter()
        model = FusionClassifier(method, random_state=SEED, verbose=int(name == "Meta Fusion"))
        predicted = model.fit(X[train], y[train]).predict(X[test])
        scores = accuracy_score(y[test], predicted), f1_score(y[test], predicted, average="macro")
        rows.append((name, *scores, time.perf_counter() - start))
    return pd.DataFrame(rows, columns=["method", "accuracy", "macro-F1", "seconds"]), model


def report(table: pd.DataFrame, model: FusionClassifier, train: np.ndarray, test: np.ndarray) -> None:
    """Print the table, what its numbers are of, and what the modalities are worth."""
    best = table["accuracy"].max()
    error = np.sqrt(best * (1 - best) / len(test))
    print(f"\nHTAD: {len(train)} training rows, {len(test)} test rows (stratified 80/20 split, seed {SEED}).")
    print(f"Accuracy and macro-F1 on the test rows; the best accuracy has a standard error of {error:.3f}.\n")
    formats = {"accuracy": "{:.3f}".format, "macro-F1": "{:.3f}".format, "seconds": "{:.1f}".format}
    print(table.to_string(index=False, formatters=formats), PUBLISHED, sep="\n\n")
    print("\nWhat each modality is worth to Meta Fusion, as the fall in validation loss (nats): its Shapley value, its")
    print("worth alone, and what it adds to the other:\n", model.modality_values_.round(3), sep="\n")


def keep(model: FusionClassifier, X: Modalities) -> None:
    """Save the model, load it again, check that it predicts the same, and draw its cohort."""
    OUT.mkdir(exist_ok=True)
    folder = save(model, OUT / "model", overwrite=True)
    again = load(folder)
    if not np.array_equal(again.predict_proba(X), model.predict_proba(X)):
        raise SystemExit("The loaded model predicts otherwise than the saved one.")
    print(f"\nMeta Fusion saved to {folder}/, loaded again: the same {len(X)} predictions, bit for bit.")
    figure = plot_cohort(again.cohort_).figure
    for suffix in ("png", "svg"):
        figure.savefig(OUT / f"cohort_map.{suffix}")
    print(f"Cohort map: {OUT}/cohort_map.png and .svg")


def main() -> None:
    """All of it, on a stratified split of HTAD."""
    X, y = fetch_htad(return_X_y=True)
    train, test = train_test_split(np.arange(len(y)), test_size=0.2, stratify=y, random_state=SEED)
    table, model = compare(X, y, train, test)
    report(table, model, train, test)
    keep(model, X[test])


if __name__ == "__main__":
    main()
