"""The program as the shell calls it, and a folder of patients."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from shell import Outcome, Run

from plait.cli import main


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Call the program as the shell does."""

    def call(*arguments: object) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["plait", *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            main()
        said = capsys.readouterr()
        return Outcome(int(stop.value.code or 0), said.out, said.err)

    return call


@pytest.fixture
def patients(tmp_path: Path) -> Path:
    """A folder of 40 patients: blood has all, scan lacks two, one has no diagnosis; age is a second target."""
    rng = np.random.default_rng(0)
    ids = [f"p{row:02d}" for row in range(40)]
    sick = rng.integers(0, 2, 40)
    blood = pd.DataFrame(rng.normal(size=(40, 3)) + sick[:, None], columns=["a", "b", "c"]).assign(patient=ids)
    scan = pd.DataFrame(rng.normal(size=(40, 2)), columns=["u", "v"]).assign(patient=ids, age=rng.uniform(20, 80, 40))
    diagnosis = pd.DataFrame({"patient": ids, "diagnosis": np.where(sick, "sick", "well")})
    folder = tmp_path / "patients"
    folder.mkdir()
    blood.to_csv(folder / "blood.csv", index=False)
    scan.iloc[2:].to_csv(folder / "scan.csv", index=False)
    diagnosis.iloc[:-1].to_csv(folder / "target.csv", index=False)
    return folder
