"""The command line: ``dezero demo``, ``train``, ``evaluate``, ``predict``, ``compare``, ``graph``, ``info``; also ``python -m dezero``."""

from __future__ import annotations

import os
import sys
import warnings
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from dezero.cli.demo import demo
from dezero.cli.evaluate import compare, evaluate
from dezero.cli.graph import graph
from dezero.cli.info import info
from dezero.cli.parser import parser
from dezero.cli.predict import predict
from dezero.cli.settings import Settings
from dezero.cli.tasks import AUGMENT, IMAGES
from dezero.cli.train import WEIGHTS, compare_rates, finish, new_folder, run
from dezero.errors import DatasetError

# What a user can mend; anything else is a fault of ours and shows its traceback.
MISTAKES = (ValueError, TypeError, OSError, ImportError, RuntimeError, ArithmeticError)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        argv: the words behind the program's name; None for those of this process.

    Returns:
        The exit code: 0 if all went well, 1 for an error, 130 after Ctrl-C. Words that make no sense exit with 2.
    """
    for stream in (sys.stdout, sys.stderr) if argv is None else ():
        if hasattr(stream, "reconfigure"):  # names of files and classes in letters that a plain terminal lacks
            stream.reconfigure(errors="backslashreplace")
    words = parser()
    args = words.parse_args(argv)
    if args.command is None:
        words.print_help(sys.stderr)
        return 2
    try:
        with warnings.catch_warnings():
            warnings.showwarning = lambda message, *_: print(f"dezero {args.command}: {message}", file=sys.stderr)
            return _dispatch(args)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader of a pipe has gone, as with `| head`
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 (else Python complains at exit)
        return 1
    except DatasetError as error:
        table = str(getattr(args, "data", "")).startswith("csv:")
        print(f"dezero {args.command}: {error}" + ("" if table else "\nWithout a download: --data digits comes with the package"), file=sys.stderr)
        return 1
    except MISTAKES as error:
        if "DEZERO_DEBUG" in os.environ:
            raise
        print(f"dezero {args.command}: {error}", file=sys.stderr)
        return 1


def _dispatch(args: Namespace) -> int:
    match args.command:
        case "demo":
            return demo(args.out)
        case "train":
            return train(args)
        case "evaluate":
            return evaluate(args.run)
        case "predict":
            return predict(args.images, args.run, args.top)
        case "compare":
            return compare(args.runs, args.out)
        case "graph":
            given = {name: value for name, value in vars(args).items() if name not in ("command", "script", "out", "args")}
            return graph(args.script, args.out, args.args, **given)
        case _:
            return info()


def train(args: Namespace) -> int:
    """``dezero train``: a new run, several for a comparison, or one that goes on."""
    given = {name: value for name, value in vars(args).items() if name not in ("command", "out", "resume")}
    if args.resume is not None:
        return _resume(args.resume, given, args.out)
    rates = given.pop("lr", None) or [None]
    settings = replace(Settings(), **given)
    if "augment" in given and not settings.augment:  # alone: what suits the data; an error for data without images
        settings = replace(settings, augment=list(IMAGES[settings.data][2] if settings.data in IMAGES else AUGMENT))
    name = f"{Path(settings.data.removeprefix('csv:')).stem}-{settings.model}"
    with new_folder(args.out, Path("runs") / name) as folder:
        if len(rates) > 1:
            return compare_rates(settings, sorted(set(rates)), folder)
        return finish(run(replace(settings, lr=rates[0]), folder))


def _resume(folder: Path, given: dict[str, object], out: Path | None) -> int:
    device = given.pop("device", None)
    if given or out is not None:
        extra = ", ".join(f"--{name.replace('_', '-')}" for name in [*given, *(["out"] if out is not None else [])])
        raise ValueError(f"--resume goes on with the settings of the run: leave out {extra}")
    settings = Settings.load(folder)
    if device is not None:
        settings = replace(settings, device=str(device))
    if (folder / WEIGHTS).exists():
        print(f"{folder}: this run is finished; look at it by `dezero evaluate {folder}`")
        return 0
    return finish(run(settings, folder, resume=True))


__all__ = ["main"]
