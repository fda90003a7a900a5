"""Run the benchmarks, each in a process of its own, with the default number of threads and with one; print a table and write JSON files."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks import accuracy, drawing, gpu, loader, memory, mlp, optimizers, scalars, scale, startup, threads, trainer
from benchmarks.harness import GPU_PROGRAMS, PROGRAMS, RESULTS, ROOT, THREAD_VARIABLES, Row, environment, table, write_json

MODULES = (scalars, mlp, loader, startup, scale, memory, threads, trainer, optimizers, accuracy, drawing,
           gpu)  # importing them fills the lists of programs


def options(argv: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", metavar="NAME", action="append", default=[], help="this benchmark; may be given several times")
    parser.add_argument("--quick", action="store_true", help="small sizes and short runs: does it work, not how fast is it")
    parser.add_argument("--threads", choices=("default", "one", "both"), default="both", help="threads of the linear algebra libraries")
    parser.add_argument("--gpu", action="store_true", help="the benchmarks on the GPU, with CuPy")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder for the JSON files (default: benchmarks/results)")
    parser.add_argument("--list", action="store_true", help="list the names and stop")
    parser.add_argument("--here", metavar="NAME", help=argparse.SUPPRESS)  # what the processes of their own are asked to do
    args = parser.parse_args(argv)
    programs = GPU_PROGRAMS if args.gpu else PROGRAMS
    if unknown := [name for name in args.only if name not in programs]:
        parser.error(f"unknown benchmark {unknown[0]!r}: the names are {', '.join(programs)}")
    return args


def run_here(name: str, quick: bool) -> None:
    """Run one program in this process and print its rows as JSON."""
    rows = {**PROGRAMS, **GPU_PROGRAMS}[name](quick)
    print(json.dumps({"environment": environment(), "rows": [asdict(row) for row in rows]}))


def run_apart(name: str, threads_: str, quick: bool) -> tuple[list[Row], Any]:
    """Run one program in a process of its own; its rows and its environment."""
    env = {**os.environ, **dict.fromkeys(THREAD_VARIABLES if threads_ == "one" else (), "1")}
    command = [sys.executable, "-m", "benchmarks", "--here", name, *(["--quick"] if quick else [])]
    done = subprocess.run(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise SystemExit(f"benchmark {name} failed, see above")
    found = json.loads(done.stdout.splitlines()[-1])
    return [Row(**{**row, "threads": threads_}) for row in found["rows"]], found["environment"]


def main() -> None:
    """Run what the command line asks for."""
    args = options()
    programs = GPU_PROGRAMS if args.gpu else PROGRAMS
    if args.list:
        print("\n".join(programs))
        return
    if args.here:
        run_here(args.here, args.quick)
        return
    if args.gpu and (problem := gpu.missing()):
        raise SystemExit(f"the benchmarks on the GPU need CuPy and a CUDA device: {problem}")
    kinds = ("default",) if args.gpu else ("default", "one") if args.threads == "both" else (args.threads,)
    rows: list[Row] = []
    for name in args.only or programs:
        mine: list[Row] = []
        environments = {}
        for kind in kinds:
            found, environments[kind] = run_apart(name, kind, args.quick)
            mine += found
        print(table(mine), f"-> {write_json(name, mine, environments, args.out, args.quick).name}\n", sep="\n", flush=True)
        rows += mine
    missed = [row for row in rows if not row.met]
    print(f"{len(rows)} figures, {len(missed)} beyond what they may be at most")
    for row in missed:
        print(f"  {row.what}, {row.threads}: {row.value:.3g}, at most {row.target:g}")


if __name__ == "__main__":
    main()
