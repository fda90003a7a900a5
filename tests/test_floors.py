"""The plan of the house: imports run downward, nothing goes in circles, files and functions stay small, nothing runs strings."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from dezero.functions import _MODULES

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "dezero"
FILES = sorted(PACKAGE.rglob("*.py"))

# From the ground up; a floor may import from those before it.
FLOORS = [
    {"errors", "config"},
    {"backend"},
    {"core"},
    {"functions"},
    {"serialization", "initializers", "layers", "optimizers", "transforms", "datasets", "dataloaders"},
    {"viz", "models", "training", "testing", "cli"},
    {"utils", "cuda", "functions_conv", "core_simple"},
    {"", "__main__"},
]
# Packages that an installation may lack: imported where they are used, never by ``import dezero``.
OPTIONAL = {"cupy", "cupyx", "graphviz", "matplotlib", "ml_dtypes", "numba", "PIL", "IPython", "safetensors", "scipy", "tensorboardX",
            "threadpoolctl", "tqdm"}
MAX_FILE, MAX_FUNCTION = 400, 60
# Functions that may be longer, each with its reason.
LONG = {"dezero.core.backprop._run": 90}  # the engine's loop: calls between its parts would cost more than the parts


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


NAMES = {module_name(p): p for p in FILES}


@cache
def tree(name: str) -> ast.Module:
    return ast.parse(NAMES[name].read_text(encoding="utf-8"))


def imports(node: ast.AST) -> Iterator[str]:
    """The full names that the statements in ``node`` import; ``from a import b`` gives a.b if that is a module of ours."""
    for n in ast.walk(node):
        if isinstance(n, ast.Import):
            yield from (alias.name for alias in n.names)
        elif isinstance(n, ast.ImportFrom):
            assert n.level == 0, "imports are absolute here"
            for alias in n.names:
                full = f"{n.module}.{alias.name}"
                yield full if full in NAMES else str(n.module)


def ours(name: str) -> set[str]:
    return {i for i in imports(tree(name)) if i in NAMES}


def floor(name: str) -> int:
    part = [*name.split("."), ""][1]
    for i, names in enumerate(FLOORS):
        if part in names:
            return i
    raise AssertionError(f"{name} has no floor: add it to FLOORS in tests/test_floors.py and to the design")


modules = pytest.mark.parametrize("name", NAMES)


@modules
def test_imports_run_downward(name: str) -> None:
    for other in ours(name):
        assert floor(other) <= floor(name), f"{name} imports {other}, which is above it"


@pytest.mark.parametrize("name", [n for n in NAMES if n.startswith("dezero.functions.")])
def test_function_modules_import_what_is_listed_before_them(name: str) -> None:
    order = [m.__name__ for m in _MODULES]
    assert name in order, f"{name} is not in _MODULES of dezero/functions/__init__.py"
    for other in ours(name):
        if other.startswith("dezero.functions"):
            assert other in order[: order.index(name)], f"{name} imports {other}, which is not listed before it"


def test_imports_have_no_circles() -> None:
    try:
        TopologicalSorter({name: ours(name) - {name} for name in NAMES}).prepare()
    except CycleError as error:
        pytest.fail(f"a circle of imports: {' -> '.join(error.args[1])}")


def functions(name: str) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (n for n in ast.walk(tree(name)) if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef)))


@modules
def test_only_optional_packages_are_imported_inside_functions(name: str) -> None:
    for function in functions(name):
        for other in imports(function):
            assert other.split(".")[0] in OPTIONAL, f"{name}.{function.name} imports {other}: do it at the top of the file"


@modules
def test_files_and_functions_are_short(name: str) -> None:
    lines = len(NAMES[name].read_text(encoding="utf-8").splitlines())
    assert lines <= MAX_FILE, f"{name} has {lines} lines; {MAX_FILE} are allowed"
    for function in functions(name):
        n, allowed = length(function), LONG.get(f"{name}.{function.name}", MAX_FUNCTION)
        assert n <= allowed, f"{name}.{function.name} has {n} lines without its docstring; {allowed} are allowed"


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """The lines of a function, its docstring left out."""
    assert function.end_lineno is not None
    total = function.end_lineno - function.lineno + 1
    if ast.get_docstring(function) is not None:
        doc = function.body[0]
        assert doc.end_lineno is not None
        total -= doc.end_lineno - doc.lineno + 1
    return total


@modules
def test_nothing_runs_strings_or_loads_objects(name: str) -> None:
    for module in imports(tree(name)):
        assert module.split(".")[0] not in {"pickle", "marshal", "shelve", "dill", "joblib"}, f"{name} imports {module}"
    for n in ast.walk(tree(name)):
        if not isinstance(n, ast.Call):
            continue
        called = ast.unparse(n.func)
        assert called not in {"eval", "exec", "os.system", "os.popen"}, f"{name}:{n.lineno} calls {called}"
        for keyword in n.keywords:
            if keyword.arg in {"shell", "allow_pickle"}:
                assert ast.unparse(keyword.value) == "False", f"{name}:{n.lineno} sets {keyword.arg}"


def loaded_by(code: str) -> set[str]:
    """The top-level packages loaded in a fresh Python that has run ``code``."""
    code += "\nimport sys; print(*sorted({name.split('.')[0] for name in sys.modules}))"
    out = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    return set(out.stdout.split())


def test_import_loads_no_optional_package() -> None:
    found = loaded_by("import dezero")
    assert "dezero" in found
    assert found & OPTIONAL == set()
