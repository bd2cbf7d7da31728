"""The tree keeps to its own rules: what was forgotten is named here."""

import ast
import importlib
import inspect
import re
import tomllib
from pathlib import Path

import pytest
from importlinter.cli import lint_imports

import plait
from plait import methods
from plait.methods.registry import methods_by_name

ROOT = Path(__file__).resolve().parents[1]
SRC = ROOT / "src" / "plait"
FILES = sorted(SRC.rglob("*.py"))
TREES = {path: ast.parse(path.read_text()) for path in FILES}
EVERY_FILE = pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SRC)))
PACKAGES = [path for path in FILES if path.name == "__init__.py" and path.parent.name != "cli"]
METHODS = sorted(kind.__name__ for kind in methods_by_name().values())
DOCS = {path.name: path.read_text() for path in sorted((ROOT / "docs").glob("*.md"))}
FORBIDDEN = {
    r"\bTODO\b|\bFIXME\b|\bXXX\b": "unfinished work",
    r"allow_pickle\s*=\s*True|weights_only\s*=\s*False|\b(import|from) (pickle|dill|cloudpickle)\b": "a pickle",
    r"^from __future__ import annotations": "annotations as text, which hide shapes from their checks",
    r"(?<![\w.])/(home|tmp|work|Users)/": "a path of somebody's machine",
}


def module_of(path):
    """The dotted name of a file."""
    parts = path.relative_to(SRC.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def functions(tree):
    """Functions and methods at any depth."""
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def lines_of_code(function):
    """Lines of a function without its docstring."""
    text = function.body[0] if ast.get_docstring(function) is not None else None
    return function.end_lineno - function.lineno + 1 - (text.end_lineno - text.lineno + 1 if text else 0)


def calls(tree):
    """The names of what is called: "print", "loss.backward", ..."""
    return {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}


@EVERY_FILE
def test_files_are_short(path):
    """Under 300 lines, and no line of a function beyond its fortieth (25 is the goal)."""
    assert len(path.read_text().splitlines()) < 300
    long = {node.name: lines_of_code(node) for node in functions(TREES[path]) if lines_of_code(node) > 40}
    assert not long


@EVERY_FILE
def test_every_public_name_is_documented(path):
    """The module, its public classes and functions, and the public methods that a class is the first to have."""
    tree = TREES[path]
    assert ast.get_docstring(tree)
    defined = [node for node in tree.body if isinstance(node, ast.ClassDef | ast.FunctionDef) and not is_overload(node)]
    bare = [node.name for node in defined if not node.name.startswith("_") and ast.get_docstring(node) is None]
    module = importlib.import_module(module_of(path))
    for node in defined:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            bare += undocumented_methods(node, getattr(module, node.name))
    assert not bare


def is_overload(function):
    """Whether a function only adds a signature."""
    return any(ast.unparse(decorator) == "overload" for decorator in function.decorator_list)


def undocumented_methods(node, kind):
    """Public methods without a docstring of their own or of the class they come from."""
    found = [part for part in node.body if isinstance(part, ast.FunctionDef) and not part.name.startswith("_")]
    own = [method.name for method in found if ast.get_docstring(method) is None and not is_overload(method)]
    return [f"{kind.__name__}.{name}" for name in own if not inspect.getdoc(inspect.getattr_static(kind, name))]


@EVERY_FILE
def test_nothing_forbidden(path):
    """No print, broad except, star import, pickle or unfinished work; no file of odds and ends."""
    assert path.stem not in {"old", "utils", "util", "helpers", "misc", "common"}
    found = [why for pattern, why in FORBIDDEN.items() if re.search(pattern, path.read_text(), re.MULTILINE)]
    found += ["a print"] if "print" in calls(TREES[path]) else []
    for node in ast.walk(TREES[path]):
        if isinstance(node, ast.ExceptHandler) and (node.type is None or "Exception" in ast.unparse(node.type).split()):
            found.append(f"a broad except in line {node.lineno}")
        if isinstance(node, ast.ImportFrom) and any(name.name == "*" for name in node.names):
            found.append(f"a star import in line {node.lineno}")
    assert not found


@pytest.mark.parametrize("path", [path for path in FILES if path.parent.name != "training"], ids=lambda path: path.name)
def test_only_the_training_room_trains(path):
    """No optimiser and no backward pass elsewhere."""
    called = {name.rpartition(".")[2] for name in calls(TREES[path])}
    assert "backward" not in called
    assert not re.search(r"torch\.optim|from torch import .*\boptim\b", path.read_text())


def test_the_lazy_exports_agree():
    """`_HOMES`, `__all__` and what type checkers see name the same things, in the same places."""
    guards = [node for node in TREES[SRC / "__init__.py"].body if isinstance(node, ast.If)]
    seen = {name.name: node.module for node in guards[0].body for name in node.names}
    assert seen == plait._HOMES
    assert sorted(plait.__all__) == sorted(plait._HOMES)


@pytest.mark.parametrize("package", PACKAGES, ids=module_of)
def test_every_exported_name_exists_and_is_in_the_docs(package):
    """What a package lists can be imported from it and is explained on a page."""
    module = importlib.import_module(module_of(package))
    for name in getattr(module, "__all__", ()):
        assert getattr(module, name) is not None
        assert any(re.search(rf"\b{name}\b", text) for text in DOCS.values()), f"{name} is on no page of docs/"


@pytest.mark.parametrize("name", METHODS)
def test_every_method_has_its_file_its_tests_and_its_row(name):
    """One method a file, under contract; the class is named in a test and has a row in docs/methods.md."""
    home = Path(inspect.getsourcefile(getattr(methods, name)))
    alike = [other for other in METHODS if inspect.getsourcefile(getattr(methods, other)) == str(home)]
    assert alike == [name]
    tests = [path for path in (ROOT / "tests").rglob("test_*.py") if path.name != Path(__file__).name]
    assert any(re.search(rf"\b{name}\(", path.read_text()) for path in tests)
    assert re.search(rf"^\| `{name}` \|", DOCS["methods.md"], re.MULTILINE)
    assert f"plait.methods.{home.stem}" in independent_methods()


def independent_methods():
    """The modules that must not import each other."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    return next(contract["modules"] for contract in contracts if contract["type"] == "independence")


def test_every_page_is_linked_and_every_link_leads_somewhere():
    """From docs/index.md to every page; links between files resolve."""
    linked = set(re.findall(r"\]\(([\w./-]+\.md)", DOCS["index.md"]))
    assert set(DOCS) - {"index.md"} <= linked
    for page in (*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")):
        targets = re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text())
        lost = [target for target in targets if not (page.parent / target).exists()]
        assert not lost, f"{page.name} links to {lost}"


def test_rooms_import_only_from_the_left(monkeypatch):
    """The contracts of import-linter hold."""
    monkeypatch.chdir(ROOT)
    assert lint_imports(no_cache=True) == 0
