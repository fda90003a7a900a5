"""The words of the command line."""

from __future__ import annotations

import argparse
from pathlib import Path

from dezero.backend.device import as_device
from dezero.cli.graph import ENDINGS
from dezero.cli.tasks import ACTIVATIONS, AUGMENT, DATA, MODELS, OPTIMIZERS, SCHEDULE_NAMES
from dezero.training.precision import PRECISIONS
from dezero.viz.view import WORDS

EXAMPLES = {
    "dezero": """examples:
  dezero demo                                        train on bundled digits, a quarter of a minute
  dezero train --data digits --model cnn             the same with settings of your own
  dezero predict photo.jpg                           read a digit with the model that was trained last
  dezero graph train.py:loss -o loss.svg             draw the graph behind a variable of a script
  dezero COMMAND --help                              all settings of a command""",
    "train": """examples:
  dezero train --data mnist --model mlp --hidden 50 --optimizer sgd --lr 0.1 0.5 1.2 1.5
      784-50-10, one run for each learning rate, and their curves side by side
  dezero train --data cifar10 --model cnn --augment flip crop --schedule onecycle --epochs 20
  dezero train --data csv:iris.csv --target species --hidden 32 16
  dezero train --resume runs/mnist-cnn               go on where a run was stopped or killed""",
    "predict": """examples:
  dezero predict photo.jpg scan.png
  dezero predict --run runs/mnist-cnn photo.jpg""",
    "evaluate": """examples:
  dezero evaluate runs/mnist-cnn""",
    "compare": """examples:
  dezero compare runs/digits-mlp runs/digits-cnn --out compare.png""",
    "graph": """examples:
  dezero graph train.py                              list the variables that train.py leaves
  dezero graph train.py:loss -o loss.svg
  dezero graph train.py:loss -o loss.png --show shape,value,grad --collapse encoder decoder
  dezero graph 'train.py:losses[-1]' -o loss.pdf --depth 1 --args --epochs 1""",
    "demo": """examples:
  dezero demo --out somewhere""",
    "info": """examples:
  dezero info""",
}


def parser() -> argparse.ArgumentParser:
    """The parser of all commands."""
    top = argparse.ArgumentParser("dezero", description="Train, evaluate, use and draw small networks.", epilog=EXAMPLES["dezero"],
                                  formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = top.add_subparsers(dest="command", metavar="COMMAND")

    def command(name: str, text: str, usage: str | None = None) -> argparse.ArgumentParser:
        return commands.add_parser(name, usage=usage, help=text, description=text, epilog=EXAMPLES[name],
                                   formatter_class=argparse.RawDescriptionHelpFormatter)

    demo = command("demo", "train a digit classifier on bundled data and draw what it learned")
    demo.add_argument("--out", type=Path, default=Path("runs/demo"), help="folder for weights and pictures (default: runs/demo)")
    _train(command("train", "train a model", "dezero train [settings] [--out FOLDER]\n       dezero train --resume RUN"))
    evaluate = command("evaluate", "test a trained model on the part of the data that it has not seen")
    evaluate.add_argument("run", type=Path, help="folder of the run")
    predict = command("predict", "say what is on photos or scans")
    predict.add_argument("images", type=Path, nargs="+", metavar="IMAGE", help="image files")
    predict.add_argument("--run", type=Path, help="folder of the run (default: the newest under runs/)")
    predict.add_argument("--top", type=_count, default=3, help="how many classes to name (default: 3)")
    compare = command("compare", "draw the curves of several runs side by side")
    compare.add_argument("runs", type=Path, nargs="+", metavar="RUN", help="folders of runs")
    compare.add_argument("--out", type=Path, default=Path("compare.png"), help="the picture (default: compare.png)")
    _graph(command("graph", "run a script and draw the graph behind one of its variables",
                   "dezero graph SCRIPT.py:VARIABLE [-o FILE] [settings] [--args ...]\n       dezero graph SCRIPT.py [--args ...]"))
    command("info", "print versions and hardware, and what is missing")
    return top


def _graph(p: argparse.ArgumentParser) -> None:
    """The settings of ``dezero graph``; those of the drawing without a default here, as the drawing has them."""
    none = argparse.SUPPRESS
    p.add_argument("script", metavar="SCRIPT.py:VARIABLE", help="what to run and what to draw: a name, model.loss or losses[-1]; "
                   "without :VARIABLE the variables are listed")
    p.add_argument("-o", "--out", type=Path, metavar="FILE", help=f"the picture; its ending is its format: {', '.join(ENDINGS)} (default: graph.svg)")
    p.add_argument("--show", type=_show, default=none, metavar="WORDS", help=f"what to write into the nodes, of {','.join(WORDS)}")
    p.add_argument("--depth", type=_whole, default=none, metavar="N", help="draw layers more than N levels deep as one node each")
    p.add_argument("--collapse", nargs="*", default=none, metavar="PATH", help="draw these layers as one node each; alone: all outermost layers")
    p.add_argument("--fold", action="store_true", default=none, help="draw a part that repeats once")
    p.add_argument("--no-clusters", action="store_false", dest="clusters", default=none, help="no boxes around layers")
    p.add_argument("--max-nodes", type=_whole, default=none, metavar="N", help="collapse a larger graph until it fits; 0: never (default: 1000)")
    p.add_argument("--args", nargs=argparse.REMAINDER, default=[], metavar="...", help="the script's own arguments: all that follow")


def _train(p: argparse.ArgumentParser) -> None:
    """The settings of ``dezero train``. Without a default here, so that it can be told what was given together with --resume."""
    p.set_defaults(command="train")
    add = p.add_argument_group("settings").add_argument
    none = argparse.SUPPRESS
    add("--data", default=none, help=f"{', '.join(DATA)} or csv:FILE (default: digits)")
    add("--target", default=none, help="csv: the column with the classes (default: the last)")
    add("--model", choices=list(MODELS), default=none, help="default: mlp")
    add("--hidden", type=_count, nargs="+", default=none, metavar="N", help="mlp: sizes of the hidden layers (default: 128)")
    add("--activation", choices=list(ACTIVATIONS), default=none, help="mlp: default: relu")
    add("--dropout", type=_ratio, default=none, metavar="P", help="share of units to drop (default: 0)")
    add("--epochs", type=_count, default=none, metavar="N", help="default: 10")
    add("--batch-size", type=_count, default=none, metavar="N", help="default: 100")
    add("--lr", type=_rate, nargs="+", default=none, metavar="RATE", help="learning rate; several make a run each and a comparison")
    add("--optimizer", choices=list(OPTIMIZERS), default=none, help="default: adam")
    add("--weight-decay", type=_rate, default=none, metavar="RATE", help="default: 0")
    add("--schedule", choices=SCHEDULE_NAMES, default=none, help="of the learning rate (default: none)")
    add("--augment", nargs="*", choices=list(AUGMENT), default=none, metavar="WHAT",
        help=f"change images at random: {', '.join(AUGMENT)}; alone: what suits the data")
    add("--seed", type=_seed, default=none, metavar="N", help="the same seed gives the same weights (default: 0)")
    add("--device", type=_device, default=none, metavar="DEVICE", help="cpu, cuda (or gpu), cuda:1 for a certain device (default: cpu)")
    add("--precision", choices=PRECISIONS, default=none, help="of forward and loss; weights stay float32 (default: float32)")
    add("--threads", type=_count, default=none, metavar="N", help="of the linear algebra library; 1 is best for small networks on a busy machine")
    add("--checkpoint-every", type=_count, default=none, metavar="BATCHES", help="default: at the end of every epoch")
    place = p.add_argument_group("where")
    place.add_argument("--out", type=Path, help="folder for weights, history and pictures (default: runs/DATA-MODEL)")
    place.add_argument("--resume", type=Path, metavar="RUN", help="go on with the run in this folder, with its settings; --device may be another")


def _count(text: str) -> int:
    value = _number(int, text, "a positive whole number")
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text}: a positive whole number is expected")
    return int(value)


def _whole(text: str) -> int:
    value = _number(int, text, "a whole number of at least 0")
    if value < 0:
        raise argparse.ArgumentTypeError(f"{text}: a whole number of at least 0 is expected")
    return int(value)


def _show(text: str) -> tuple[str, ...]:
    found = tuple(word.strip() for word in text.split(",") if word.strip())
    for word in found:
        if word not in WORDS:
            raise argparse.ArgumentTypeError(f"{word!r}: words of {', '.join(WORDS)} are expected, with commas between them")
    return found


def _seed(text: str) -> int:
    value = _number(int, text, "a whole number from 0 to 4294967295")
    if not 0 <= value < 2 ** 32:
        raise argparse.ArgumentTypeError(f"{text}: a whole number from 0 to 4294967295 is expected")
    return int(value)


def _device(text: str) -> str:
    try:
        as_device(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r}: cpu, cuda, gpu, or cuda:1 for a certain device is expected") from None
    return text


def _rate(text: str) -> float:
    value = _number(float, text, "a number of at least 0")
    if not 0 <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text}: a number of at least 0 is expected")
    return value


def _ratio(text: str) -> float:
    value = _number(float, text, "a number from 0 to below 1")
    if not 0 <= value < 1:
        raise argparse.ArgumentTypeError(f"{text}: a number from 0 to below 1 is expected")
    return value


def _number(kind: type, text: str, expected: str) -> float:
    try:
        return float(kind(text))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r}: {expected} is expected") from None
