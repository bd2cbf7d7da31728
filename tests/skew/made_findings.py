"""Small made-up findings with a known choice, of any depths, modalities and operators."""

from itertools import combinations

import numpy as np
import pandas as pd

from plait.skew.findings import Findings
from plait.skew.space import Pair, TapSpace

SIX = {"image": 6, "text": 6}


def made(depths=SIX, chosen=(("image", 5, "text", 2),), operators=("concat",), metric="accuracy", tested=True):
    """Gains fall with the distance to the chosen pairs by .05 a tap, from .3; none is supported if none is chosen.

    The first operator is the chosen one; every further one is worse by .1. Single taps score .5 at best.
    """
    space, pairs = TapSpace(depths), tuple(Pair(*one) for one in chosen)
    grid = pd.concat([_pairs(space, pairs, operator, 0.1 * place) for place, operator in enumerate(operators)])
    baselines, taps = _baselines(space), _taps(depths)
    tap = taps.loc[taps["score"].idxmax()]
    tables = {
        "summary": _summary(pairs, operators, metric, f"{tap['modality']}@{tap['tap']}"),
        "depths": pd.DataFrame({"modality": list(depths), "taps": list(depths.values())}),
        "pairs": grid,
        "taps": taps,
        "sets": _sets(space, pairs, operators),
        "skew": _skew(grid),
        "marginals": _marginals(grid, depths),
        "baselines": baselines,
        "similarity": _similarity(space),
        "tested": baselines if tested else baselines.iloc[:0],
    }
    return Findings.from_tables(tables)


def without_bounds(findings):
    """The same with every number that may be unknown unknown."""
    tables = findings.tables()
    for key, table in tables.items():
        unknown = [name for name in table if name.endswith(("low", "high", "_effect", "cka", "fault", "agreement"))]
        tables[key] = table.assign(**dict.fromkeys(unknown, np.nan))
    return Findings.from_tables(tables)


def _summary(pairs, operators, metric, tap):
    kind = "skew pair" if pairs and pairs[0].i != pairs[0].j else "diagonal pair" if pairs else "no supported fusion"
    row = {"task": "classification", "metric": metric, "verdict": "several pairs" if len(pairs) > 1 else kind}
    row |= {"operator": operators[0] if pairs else "", "pairs": "; ".join(map(str, pairs)), "tap": tap}
    row |= {"gain": 0.3, "gain_low": 0.2 if pairs else -0.1, "score": 0.8, "level": 0.95, "draws": 500, "margin": 0.0}
    row |= {"train": 2000, "held": 1000, "skew_effect": 0.1, "skew_effect_low": 0.05, "skew_effect_high": 0.15}
    row |= {"p_skew": 0.9, "hoyer": 0.4, "gini": 0.6, "entropy": 0.2, "cost": 0.58, "sentence": "It is so."}
    return pd.DataFrame([row | {"trail": "First this.\nThen that.", "operators": ", ".join(operators)}])


def _pairs(space, chosen, operator, worse):
    rows = []
    for pair in space.all():
        far = min((abs(pair.i - one.i) + abs(pair.j - one.j) for one in chosen if _same(pair, one)), default=9)
        gain = 0.3 - 0.05 * far - worse
        row = {"operator": operator, "pair": str(pair), "first": pair.first, "i": pair.i, "second": pair.second}
        row |= {"j": pair.j, "skewness": space.skewness(pair), "relative_skewness": space.relative_skewness(pair)}
        row |= {"score": 0.5 + gain, "gain": gain, "gain_low": gain - 0.1, "gain_high": gain + 0.1}
        row |= {"gain_own": gain, "gain_late": gain, "frequency": 1.0 / len(chosen) if chosen and not far else 0.0}
        row |= {"in_confidence_set": not far, "supported": gain > 0.1, "chosen": pair in chosen and not worse}
        rows.append(row)
    return pd.DataFrame(rows)


def _same(pair, other):
    return (pair.first, pair.second) == (other.first, other.second)


def _taps(depths):
    rows = [
        {"modality": name, "tap": tap, "score": 0.5 - 0.03 * abs(tap - 5)}
        for name in depths
        for tap in _to(depths[name])
    ]
    table = pd.DataFrame(rows)
    best = np.arange(len(table)) == table["score"].argmax()
    return table.assign(low=table["score"] - 0.04, high=table["score"] + 0.04, best=best)


def _to(depth):
    return range(1, depth + 1)


def _sets(space, chosen, operators):
    rows = []
    sets = [("greedy", chosen), ("greedy", space.all()[:2]), ("late", space.late()), ("pairwise", space.pairwise())]
    edge = space.edges[0]
    sets += [("window", space.window(size, 0, between=edge)) for size in _to(max(space.depths[name] for name in edge))]
    for kind, pairs in sets:
        score = 0.8 - 0.02 * len(pairs)
        row = {"operator": operators[0], "kind": kind, "pairs": "; ".join(map(str, pairs)), "size": len(pairs)}
        row |= {"density": space.density(pairs), "score": score, "low": score - 0.02, "high": score + 0.02}
        row |= {"gain": score - 0.5, "gain_low": score - 0.55, "gain_high": score - 0.45}
        rows.append(row | {"chosen": bool(chosen) and pairs == chosen})
    further = [
        row | {"operator": name, "chosen": False} for name in operators[1:] for row in rows if row["kind"] == "greedy"
    ]
    return pd.DataFrame([row for row in (*rows, *further) if row["size"]])


def _skew(grid):
    rows = []
    for (operator, first, second, d), own in grid.groupby(["operator", "first", "second", "skewness"], sort=False):
        row = {"operator": operator, "first": first, "second": second, "d": d, "pairs": len(own)}
        for kind, value in (("mean", own["gain"].mean()), ("best", own["gain"].max())):
            row |= {f"{kind}_gain": value, f"{kind}_low": value - 0.02, f"{kind}_high": value + 0.02}
        rows.append(row | {"frequency": own["frequency"].sum()})
    return pd.DataFrame(rows)


def _marginals(grid, depths):
    rows = []
    for operator, own in grid.groupby("operator", sort=False):
        for name in depths:
            for tap in _to(depths[name]):
                here = ((own["first"] == name) & (own["i"] == tap)) | ((own["second"] == name) & (own["j"] == tap))
                row = {"operator": operator, "modality": name, "tap": tap}
                rows.append(row | {"frequency": own.loc[here, "frequency"].sum()})
    return pd.DataFrame(rows)


def _baselines(space):
    names = [f"{what} of {name}" for name in space.depths for what in ("best tap", "mix of all taps", "two taps")]
    rows = []
    for place, name in enumerate(
        [*names, "late decisions", "late pair", "pairwise", "all taps", "random pair", "chosen"]
    ):
        score = 0.5 + 0.02 * place
        ahead = 0.5 + 0.02 * (len(names) + 5) - score
        row = {"name": name, "what": f"how {name} was made", "score": score, "low": score - 0.01, "high": score + 0.01}
        rows.append(row | {"difference": ahead, "difference_low": ahead - 0.01, "difference_high": ahead + 0.01})
    return pd.DataFrame(rows)


def _similarity(space):
    rows = []
    for a, b in combinations(space.depths, 2):
        for pair in space.all((a, b)):
            row = {"first": a, "i": pair.i, "second": b, "j": pair.j, "cka": 0.02 * (pair.i + pair.j)}
            rows.append(row | {"disagreement": 0.3 + 0.01 * pair.i, "double_fault": 0.1})
    return pd.DataFrame(rows)
