"""What the command line makes of data sets: targets of several columns, groups, one name a table."""

import numpy as np
import pandas as pd
import pytest
from sklearn.utils import Bunch

from plait import Modalities, datasets
from plait.cli.sources import DatasetSource, dataset_loaders
from plait.cli.targets import TargetValues
from plait.datasets.hippocampus import SESSIONS


@pytest.fixture
def windows() -> Bunch:
    """Ten windows of two values to forecast, in five groups; six to train on, two to test on."""
    data = Modalities({"a": np.arange(10.0)}, ids=np.arange(10) + 100)
    published = pd.DataFrame({"data": ["ETTh1", "ETTh1", "ETTh2"], "horizon": ["96", "192", "96"]})
    return Bunch(
        data=data,
        target=np.arange(20.0).reshape(10, 2),
        target_names=np.array(["OT +1", "OT +2"]),
        groups=np.arange(10) // 2,
        train=np.arange(6),
        test=np.array([8, 9]),
        DESCR="",
        published=published,
    )


def test_a_target_of_several_columns_is_a_regression(windows: Bunch) -> None:
    """It stays a table with the ids of its rows; nothing is guessed from its values."""
    samples = DatasetSource("windows", lambda: windows).new(all_rows=False)
    assert isinstance(samples.target, pd.DataFrame)
    assert samples.target.index.tolist() == [108, 109]
    assert samples.target.columns.tolist() == ["OT +1", "OT +2"]
    target = TargetValues.of(samples, None)
    assert target.task == "regression"
    assert np.array_equal(target.values, windows.target[8:])


def test_groups_of_a_data_set_follow_its_rows(windows: Bunch) -> None:
    """So that a validation inside a fit holds out whole records or months; data sets without groups have none."""
    source = DatasetSource("windows", lambda: windows)
    groups = source.training(all_rows=False).groups
    assert groups is not None
    assert groups.to_dict() == {100: 0, 101: 0, 102: 1, 103: 1, 104: 2, 105: 2}
    del windows["groups"]
    assert DatasetSource("windows", lambda: windows).training(all_rows=False).groups is None


def test_every_table_of_ett_has_a_name(windows: Bunch, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each loads all its windows, with the published numbers of that table and horizon alone."""
    asked = []
    monkeypatch.setattr(datasets, "fetch_ett", lambda *names, **options: asked.append((names, options)) or windows)
    loaders = dataset_loaders()
    assert [name for name in loaders if name.startswith("ett")] == ["etth1", "etth2", "ettm1", "ettm2"]
    assert loaders["etth1"]().published.index.tolist() == [0]
    assert loaders["etth2"]().published.index.tolist() == [2]
    assert [names for names, _ in asked] == [("ETTh1",), ("ETTh2",)]
    assert all(options["split"] == "all" for _, options in asked)
    assert "ETTm2" in str(loaders["ettm2"].__doc__)


def test_every_session_of_the_hippocampus_has_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Arms are classes by name; a position is a number, and comes with its laps."""
    choice = Bunch(data=Modalities({"a": np.arange(4.0)}), target=np.array([0, 1, 1, 0]))
    track = Bunch(data=choice.data, target=np.array([0.5, 1.5, 0.5, 1.0]), groups=np.array([0, 0, 1, 1]))
    choice.update(target_names=np.array(["left", "right"]), DESCR="")
    track.update(target_names=np.array(["position"]), DESCR="")
    monkeypatch.setattr(datasets, "fetch_hippocampus", lambda name: track if name.startswith("track") else choice)
    loaders = {name: load for name, load in dataset_loaders().items() if name.startswith("hippocampus")}
    assert list(loaders) == [f"hippocampus-{session}" for session in SESSIONS]
    assert "arm" in str(loaders["hippocampus-mouse2_session1"].__doc__)
    told = DatasetSource("choice", loaders["hippocampus-mouse2_session1"]).training(all_rows=False)
    assert TargetValues.of(told, None).values.tolist() == ["left", "right", "right", "left"]
    samples = DatasetSource("track", loaders["hippocampus-track290"]).training(all_rows=False)
    target = TargetValues.of(samples, None)
    assert (target.task, target.values.tolist()) == ("regression", [0.5, 1.5, 0.5, 1.0])
    assert samples.groups is not None
    assert samples.groups.tolist() == [0, 0, 1, 1]
