"""The pictures of a report, by section."""

from collections.abc import Iterator

from plait.compare import plots
from plait.compare.layout import metric_title, metrics_of, smaller_is_better
from plait.compare.report.content import ReportInput
from plait.drawing.page import Picture


def pictures(report: ReportInput) -> Iterator[Picture]:
    """All pictures that the tables of a report allow, in the order of the page."""
    yield from _of_scores(report)
    yield from _of_modalities(report)
    yield from _of_probabilities(report)
    yield from _of_cohorts(report)


def _of_scores(report: ReportInput) -> Iterator[Picture]:
    scores = report.scores[report.scores["kind"] != "subset"]
    for metric in sorted(metrics_of(scores) if len(scores) else (), key=lambda metric: metric != report.main_metric):
        title = metric_title(metric)
        caption = (
            f"{_capital(title)} of every method with its 95 % interval, the best on top. Dashed: the best single "
            "modality. An arrow points to what lies outside."
        )
        yield Picture("scores", plots.plot_scores(scores, metric), caption, folded=metric != report.main_metric)
    if report.learning_curve is not None and report.has("learning_curve"):
        ax = plots.plot_learning_curve(report.learning_curve, report.main_metric)
        yield Picture("scores", ax, "Learning curve: the score against the number of training samples.")
    if report.pairs is not None and report.has("pairs"):
        caption = (
            f"Differences in {metric_title(report.main_metric)} between all pairs of methods: blue where the row is "
            "better than the column. Signs or bold numbers mark what is significant at 5 % after Holm's correction."
        )
        yield Picture("pairs", plots.plot_pairs(report.pairs, report.main_metric), caption)


def _of_modalities(report: ReportInput) -> Iterator[Picture]:
    if report.ledger is not None and report.has("ledger"):
        for metric in report.ledger["metric"].unique().tolist():
            caption = (
                f"What each modality is worth in {metric_title(metric)}: alone, added last, and on average "
                "over all orders of adding it (Shapley value)."
            )
            yield Picture("modalities", plots.plot_ledger(report.ledger, metric), caption)
    if report.redundancy is not None and report.has("redundancy"):
        caption = "Redundancy: linear CKA between modalities, with 95 % intervals. High is said twice."
        yield Picture("modalities", plots.plot_redundancy(report.redundancy), caption)
    if report.presence is not None and report.has("presence"):
        caption = "Which modalities the samples have: the most frequent patterns, and the share of each modality."
        yield Picture("modalities", plots.plot_missingness(report.presence), caption)


def _of_probabilities(report: ReportInput) -> Iterator[Picture]:
    if report.reliability is not None and report.has("reliability"):
        caption = (
            "Reliability of the best fusions and the best single modality: below the diagonal a method is too sure of "
            "itself. The area of a dot is the share of samples in its bin; bins with less than 1 % are left out."
        )
        table = report.reliability
        some = table[table["method"].isin(_some_of_the_best(report))]
        yield Picture("calibration", plots.plot_reliability(some if len(some) else table), caption)
    if report.confusion is not None and report.has("confusion"):
        whose = f" of {report.confusion_of}" if report.confusion_of else ""
        caption = f"Confusion matrix{whose}: counts, averaged over repeats and seeds."
        yield Picture("calibration", plots.plot_confusion(report.confusion), caption)


def _of_cohorts(report: ReportInput) -> Iterator[Picture]:
    for label, cohort in report.cohorts.items():
        caption = f"{label}: what each student is and what it reads, its loss, whether it teaches, and its weight."
        yield Picture("cohorts", plots.plot_cohort(cohort), caption, wide=True)
    for label, rhos in report.rhos.items():
        yield Picture("cohorts", plots.plot_rho(rhos), f"{label}: validation loss for every rho that was tried.")


def _some_of_the_best(report: ReportInput) -> list[str]:
    """Few enough for their curves to be told apart."""
    metric = report.main_metric
    own = report.scores[report.scores["metric"] == metric].dropna(subset=["mean"])
    own = own.sort_values("mean", ascending=smaller_is_better(metric), kind="stable")
    best = [own.loc[own["kind"] == kind, "method"].head(count) for kind, count in (("fusion", 4), ("single", 1))]
    return [str(method) for methods in best for method in methods]


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
