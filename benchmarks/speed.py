"""How fast is a step? Beside the literal loop, beside the machine's limit, with more students, with more rhos."""

from collections.abc import Sequence

import torch

from benchmarks.cohorts import Case, random_batch, resized
from benchmarks.steps import adam_step, batched_step, literal_cohort_step, products_step
from benchmarks.timing import interleaved, milliseconds, ratios, seconds, spread, table

_ROWS = 64
_BUDGET = 25.0  # seconds that the literal loop may take, about


def against_literal_loop(cases: Sequence[Case], most: int, device: str = "cpu") -> None:
    """The batched step beside the published algorithm word for word."""
    rows = []
    for case in cases:
        plan = case.plan()
        batch = random_batch(plan, _ROWS, device)
        literal = literal_cohort_step(plan, batch)
        repeats = max(3, min(most, int(_BUDGET / seconds(literal))))
        times = interleaved({"literal": literal, "batched": batched_step(plan, batch)}, repeats, warm=1)
        faster = spread(ratios(times["literal"], times["batched"]))
        rows.append((case.name, milliseconds(times["literal"]), milliseconds(times["batched"]), faster, case.faster))
    header = ("cohort", "student by student, ms", "batched, ms", "times faster", "at least")
    table(f"A step beside the literal per-student loop ({_on(device)})", header, rows)


def against_machine(cases: Sequence[Case], repeats: int, device: str = "cpu") -> None:
    """The batched step beside its multiply-adds as plain products plus one pass of optimiser traffic."""
    rows = []
    for case in cases:
        plan = case.plan()
        batch = random_batch(plan, _ROWS, device)
        kinds = {"batched": batched_step, "products": products_step, "adam": adam_step}
        times = interleaved({name: kind(plan, batch) for name, kind in kinds.items()}, repeats)
        limit = [sum(pair) for pair in zip(times["products"], times["adam"], strict=True)]
        rows.append((case.name, *map(milliseconds, times.values()), spread(ratios(times["batched"], limit))))
    header = ("cohort", "batched, ms", "products, ms", "Adam, ms", "times the limit (at most 3, aim 1.5)")
    table(f"A step beside the machine's limit ({_on(device)})", header, rows)


def by_students(case: Case, counts: Sequence[int], repeats: int, device: str = "cpu") -> None:
    """Cost of a step as students are added; linear cost is a constant last column."""
    batch = random_batch(case.plan(), _ROWS, device)
    times = interleaved({str(n): batched_step(resized(case.plan(), n), batch) for n in counts}, repeats)
    rows = []
    for n in counts:
        each, first = ([took / k for took in times[str(k)]] for k in (n, counts[0]))
        rows.append((n, milliseconds(times[str(n)]), spread(each, 1e6), spread(ratios(each, first))))
    header = ("students", "step, ms", "a student, µs", f"a student, beside {counts[0]} students")
    table(f"More students: {case.name} ({_on(device)})", header, rows)


def by_rhos(cases: Sequence[Case], counts: Sequence[int], repeats: int, device: str = "cpu") -> None:
    """Several strengths of mutual learning at once, beside one after the other."""
    rows = []
    for case in cases:
        batch = random_batch(case.plan(), _ROWS, device)
        plans = {n: case.plan(tuple(float(rho + 1) for rho in range(n))) for n in (1, *counts)}
        times = interleaved({str(n): batched_step(plan, batch) for n, plan in plans.items()}, repeats)
        for n in counts:
            together, apart = times[str(n)], [n * took for took in times["1"]]
            rows.append((case.name, n, milliseconds(together), milliseconds(apart), spread(ratios(together, apart))))
    header = ("cohort", "rhos", "at once, ms", "one after the other, ms", "at once / one after the other")
    table(f"Several rhos ({_on(device)})", header, rows)


def _on(device: str) -> str:
    if device == "cuda":
        return torch.cuda.get_device_name()
    threads = torch.get_num_threads()
    return f"{threads} thread{'s' * (threads > 1)}"
