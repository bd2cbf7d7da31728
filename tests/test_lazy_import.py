"""Importing plait is cheap: what is heavy is loaded where it is first used."""

import json
import subprocess
import sys

import pytest

import plait

HEAVY = {"torch", "sklearn", "pandas", "scipy", "matplotlib", "numpy", "jaxtyping", "typer", "pooch"}


def loaded_after(statement):
    """The packages that a fresh interpreter has loaded after a statement."""
    listing = "sys.stdout.write(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"
    code = f"import json, sys\n{statement}\n{listing}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout))


def test_import_plait_loads_nothing_heavy():
    """Neither torch nor scikit-learn nor pandas, nor anything else that takes its time."""
    assert not loaded_after("import plait; plait.__version__; dir(plait)") & HEAVY


def test_data_alone_need_no_torch():
    """Reading and joining data works before torch is loaded."""
    assert "torch" not in loaded_after("from plait import Modalities")


@pytest.mark.parametrize("name", plait.__all__)
def test_every_name_is_there_and_listed(name):
    """A lazy name is the object of its home, and `dir` shows it."""
    assert getattr(plait, name).__name__ == name
    assert name in dir(plait)


def test_an_unknown_name_is_refused():
    """As by any module."""
    with pytest.raises(AttributeError, match="module 'plait' has no attribute 'MagicFusion'"):
        _ = plait.MagicFusion
