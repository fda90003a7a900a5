"""Show what a script adds to the one before it: ``python -m steps.diff NN``."""

from __future__ import annotations

import argparse
import ast
import difflib
import sys

from steps.check import step_name
from steps.support import HERE, quiet_pipes

COLOURS = {"+": "\033[32m", "-": "\033[31m", "@": "\033[36m"}


def code(step: str) -> list[str]:
    """A script's code without comments and docstrings, in lines, as Python itself writes it."""
    tree = ast.parse((HERE / f"{step}.py").read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Expr(ast.Constant(...))]
    return ast.unparse(tree).splitlines()


def definitions(step: str) -> dict[str, list[str]]:
    """The classes, methods and functions of a script, each with its lines; ``main`` is left out, as each script has another."""
    tree, found = ast.parse("\n".join(code(step))), {}
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            for part in node.body:
                if isinstance(part, ast.FunctionDef):
                    found[f"{node.name}.{part.name}"] = ast.unparse(part).splitlines()
            settings = ["    " + ast.unparse(part) for part in node.body if isinstance(part, (ast.Assign, ast.AnnAssign))]
            found.setdefault(f"class {node.name}", [ast.unparse(node).splitlines()[0], *settings])
        elif isinstance(node, ast.FunctionDef) and node.name != "main":
            found[node.name] = ast.unparse(node).splitlines()
    return found


def changes(before: str, after: str, whole: bool = False) -> list[str]:
    """The lines of the comparison: of the definitions, or of all code."""
    if whole:
        return list(difflib.unified_diff(code(before), code(after), before, after, lineterm="", n=2))
    old, new = definitions(before), definitions(after)
    lines: list[str] = []
    for name in new:
        if old.get(name) != new[name]:
            lines.append(f"@@ {name}: {'changed' if name in old else 'new'}")
            compared = difflib.unified_diff(old.get(name, []), new[name], lineterm="", n=2)
            lines.extend(line for line in compared if line[:3] not in ("---", "+++", "@@ "))
    if gone := [name for name in old if name not in new]:
        lines.append(f"@@ gone: {', '.join(gone)}")
    return lines


def from_the_package(step: str) -> set[str]:
    """What a script uses of the package: "Variable", "F.sin", "viz.explain"."""
    tree = ast.parse((HERE / f"{step}.py").read_text(encoding="utf-8"))
    modules, used = set(), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules |= {alias.asname or alias.name for alias in node.names if alias.name.split(".")[0] == "dezero"}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "dezero":
            for alias in node.names:
                (modules if alias.name in ("functions", "layers", "viz", "cuda") else used).add(alias.asname or alias.name)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) in modules:
            used.add(ast.unparse(node))
    return used


def first_time(step: str) -> list[str]:
    """What a script uses of the package that no script before it did."""
    known: set[str] = set()
    for n in range(23, int(step.removeprefix("step"))):
        known |= from_the_package(f"step{n:02d}")
    return sorted(from_the_package(step) - known)


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m steps.diff", description="Show what a script adds to the one before it.")
    parser.add_argument("step", help="number of the script: 02 to 60")
    parser.add_argument("--whole", action="store_true", help="compare all code, not the definitions alone")
    options = parser.parse_args(arguments)
    after = step_name(options.step)
    number = after.removeprefix("step")
    if not number.isdigit() or not (HERE / f"{after}.py").is_file() or int(number) < 2:
        raise SystemExit(f"steps.diff: {options.step!r} has no script before it: 02 to 60 are expected")
    before = f"step{int(number) - 1:02d}"
    colour = sys.stdout.isatty()
    print(f"{before} -> {after} (code alone; `--whole` compares all of it)")
    if new := first_time(after):
        print(f"from the package for the first time: {', '.join(new)}")
    for line in changes(before, after, options.whole) or ["no definition has changed: the new idea is in main()"]:
        print(f"{COLOURS[line[0]]}{line}\033[0m" if colour and line[:1] in COLOURS else line)
    return 0


if __name__ == "__main__":
    quiet_pipes()
    raise SystemExit(main())
