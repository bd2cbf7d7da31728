"""The default without one piece at a time: arms, sets, runs, and what is written at the end."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.utils import Bunch
from typer.testing import CliRunner

from plait.cli.app import app
from plait.data.modalities import Modalities
from plait.data.spec import DataSpec
from plait.methods.meta import MetaFusion
from plait.reproduce import meta_fusion_ablation as ablation
from plait.reproduce.ablation_arms import ARMS, CHOICES, TRAINED
from plait.reproduce.ablation_sets import SETS, AblationSet, Divided, divide, simulate
from plait.reproduce.ablation_table import APART, RATIO
from plait.reproduce.meta_fusion_ablation import ORDER, Plan, contrasts
from plait.reproduce.registry import study_by_name
from plait.reproduce.study import Request


def samples(task: str, seed: int) -> Divided:
    """30 samples to fit and 20 to test; both modalities tell a part of the target."""
    draw = np.random.default_rng(seed)
    arrays = {name: draw.normal(size=(50, width)) for name, width in (("a", 2), ("b", 1))}
    target = arrays["a"][:, 0] + arrays["b"][:, 0] + 0.3 * draw.normal(size=50)
    target = (target > 0).astype(int) if task == "classification" else target
    data = Modalities(arrays)
    return Divided(data[:30], target[:30], data[30:], target[30:])


TINY = {
    "values": AblationSet("regression", "tiny", lambda seed: samples("regression", seed)),
    "classes": AblationSet("classification", "tiny", lambda seed: samples("classification", seed)),
}


@pytest.mark.parametrize("arm", TRAINED)
def test_an_arm_changes_one_piece_of_the_default(arm: str) -> None:
    """Its settings differ from the default's, those that it names and no others; the labels say which."""
    default, changed = (method.get_params(deep=False) for method in (MetaFusion(), ARMS[arm].method))
    assert {name for name in default if default[name] != changed[name]} <= set(ARMS[arm].changes)
    assert changed != default
    assert ARMS[arm].method.build(DataSpec({"a": (4,), "b": (3,)}, 1, "regression")).cohort.count > 0
    assert all(f"{name}={value!r}" in ARMS[arm].says for name, value in ARMS[arm].changes.items())


def test_some_arms_are_the_defaults_own_students() -> None:
    """They have no settings, follow the default in the order of the runs, and choose otherwise than it does."""
    assert ORDER[: 1 + len(CHOICES)] == ("default", *CHOICES)
    assert set(ORDER) == {"default", *ARMS}
    assert not any(ARMS[name].changes for name in CHOICES)
    assert MetaFusion().ensemble not in {choice.ensemble for choice in CHOICES.values()}


def test_every_seed_has_every_arm_on_every_set() -> None:
    """Seed by seed and set by set, so that samples are loaded once."""
    study = study_by_name("meta-fusion/ablation", Request(seeds=(3, 9)))
    assert [run.name for run in study.runs] == [f"{name}/{arm}/{s}" for s in (3, 9) for name in SETS for arm in ORDER]
    first = study.runs[ORDER.index("same-rows")]
    assert first.labels["group"] == "1.1"
    assert first.labels["protocol"].endswith("(stopping='same-rows')")
    assert study.settings["default"]["learners"] == str(MetaFusion().learners)


def test_simulations_are_the_published_ones_with_fewer_rows() -> None:
    """Other seeds are other data; rows to fit and to test are those of one draw."""
    one, other = (simulate("1.1", 12, 5, seed) for seed in (1, 2))
    assert (len(one.data), len(one.target), len(one.test), len(one.test_target)) == (12, 12, 5, 5)
    assert one.data["m0"].shape[1:] == simulate("1.1", 3, 3, 1).data["m0"].shape[1:]
    assert not np.allclose(one.target, other.target)


def test_classes_are_divided_by_class() -> None:
    """Every sample is in one part; some modalities may be left out."""
    target = np.repeat([0, 1], [40, 20])
    data = Modalities({name: np.arange(60.0)[:, None] for name in ("a", "b", "c")})
    found = divide(lambda: Bunch(data=data, target=target), ("c", "a"), 30, 4)
    assert sorted([*found.data["a"][:, 0], *found.test["a"][:, 0]]) == list(range(60))
    assert list(found.data) == ["c", "a"]
    assert np.bincount(found.target).tolist() == np.bincount(found.test_target).tolist() == [20, 10]
    np.testing.assert_array_equal(target[found.data["a"][:, 0].astype(int)], found.target)


def test_the_default_is_trained_once_for_all_its_students(monkeypatch: pytest.MonkeyPatch) -> None:
    """One fit a set and seed; no arm alters what the others see."""
    trained: list[str] = []
    tell = ablation.fit_and_tell
    monkeypatch.setattr(
        ablation, "fit_and_tell", lambda model, *rows: trained.append(type(model.method).__name__) or tell(model, *rows)
    )
    plan = Plan(Request(epochs=1, threads=1), TINY)
    found = {arm: plan.run("classes", arm, 1).fit(0).numbers for arm in ("default", *CHOICES)}
    assert trained == ["Reselecting"]
    assert plan.run("classes", "default", 1).fit(0).numbers == found["default"]
    assert found["no-networks"]["network_weight"] == 0
    assert 0 < found["simple"]["network_weight"] < 1
    assert found["simple"]["log_loss"] != found["best"]["log_loss"]
    plan.run("classes", "best", 2).fit(0)
    assert trained == ["Reselecting"] * 2


def test_all_of_it_is_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Overviews as csv, on the page and in JSON; the picture; seeds of one set may be more than of another."""
    monkeypatch.setattr(ablation, "SETS", TINY)
    asked = ["reproduce", "meta-fusion/ablation", "--epochs", "1", "--threads", "1", "--out", str(tmp_path), "--quiet"]
    some = ["values/default/1", "values/greedy/1", "values/same-rows/1", "classes/default/*", "classes/greedy/*"]
    only = [word for pattern in some for word in ("--only", pattern)]
    said = CliRunner().invoke(app, [*asked, *only, "--seeds", "1,2", "--json"], catch_exceptions=False)
    told = json.loads(said.stdout)
    assert (said.exit_code, len(told["runs"])) == (0, 3 + 2 * 2)
    overview = pd.DataFrame(told["overviews"]["ablation"]).set_index(["arm", "measure"])
    assert list(overview.index) == [("same-rows", RATIO), ("greedy", RATIO), ("greedy", APART)]
    assert overview["buys"].tolist()[:2] == ["one seed: no interval"] * 2
    by_set = pd.read_csv(tmp_path / "ablation-by-set.csv").set_index(["arm", "group", "measure"])
    runs = pd.DataFrame(told["runs"]).set_index(["group", "method", "seed"])
    ratio = runs.loc[("values", "same-rows", 1), "mse"] / runs.loc[("values", "default", 1), "mse"]
    assert by_set.loc[("same-rows", "values", RATIO), "value"] == pytest.approx(ratio)
    assert by_set.loc[("greedy", "classes", RATIO), "seeds"] == 2
    assert "## ablation\n\n| piece | instead |" in (tmp_path / "summary.md").read_text()
    assert (tmp_path / "ablation.svg").read_text().count("<path") > 10


def test_every_arm_is_compared_with_the_default_of_its_set() -> None:
    """Beside the table: differences of all metrics, seed by seed."""
    found = contrasts(pd.DataFrame({"group": ["1.1", "htad", "1.1"]}))
    assert len(found) == 2 * len(ARMS)
    assert {one.minus for one in found} == {"1.1/default", "htad/default"}
    assert {one.arm for one in found} == {f"{name}/{arm}" for name in ("1.1", "htad") for arm in ARMS}
