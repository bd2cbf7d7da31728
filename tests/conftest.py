"""Shapes and types are checked at every call in tests; real data is looked for beside the project."""

import os
from pathlib import Path

from jaxtyping import install_import_hook

install_import_hook("plait", "beartype.beartype")

_SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
if _SHARED.is_dir():
    os.environ.setdefault("PLAIT_DATA", str(_SHARED))
