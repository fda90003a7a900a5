"""A language model of single characters: it reads a text, learns what comes next, and goes on by itself.

The LSTM reads the text in order, as parallel streams, chunk after chunk. Its state goes on from one chunk to the next, the gradient does
not (``detach_state``: truncated backpropagation through time). The transformer reads pieces of the text in random order.

    python examples/char_lm.py                      Shakespeare where his text is found, else the documentation of dezero.functions
    python examples/char_lm.py --model gpt          a small transformer in the place of the LSTM
    python examples/char_lm.py --text my_book.txt --temperature 0.5
"""

import argparse
import inspect
import math
from pathlib import Path

import numpy as np

import dezero.functions as F
from dezero import DataLoader
from dezero.datasets import ArrayDataset, Shakespeare, TextCharacters
from dezero.errors import DatasetError
from dezero.models import GPT, CharLSTM, text_loss
from dezero.optimizers import Adam, ClipGrad, CosineLR
from dezero.training import Callback, LearningRateScheduler, Trainer
from dezero.viz.plots import learning_curves


def read_text(path):
    """The text as numbered characters."""
    if path is not None:
        return TextCharacters(path)
    try:
        return Shakespeare()
    except DatasetError as error:
        print(f"{error}; going on with the documentation of dezero.functions")
        return TextCharacters("\n\n".join(f"{name}\n{inspect.getdoc(getattr(F, name))}" for name in F.__all__))


def streams(ids, size, length):
    """The text cut into ``size`` streams that are read side by side: chunks (x, t) of (size, length), t one character later."""
    columns = (len(ids) - 1) // size
    x, t = (part[:size * columns].reshape(size, columns) for part in (ids[:-1], ids[1:]))
    return [(x[:, i:i + length], t[:, i:i + length]) for i in range(0, columns - length + 1, length)]


def pieces(ids, size, length):
    """Overlapping pieces of the text in random order, as batches of the same form."""
    windows = np.lib.stride_tricks.sliding_window_view(ids, length + 1)[::length // 2]
    return DataLoader(ArrayDataset(windows[:, :-1], windows[:, 1:]), size)


class Sampler(Callback):
    """Lets the model write some characters now and then."""

    def __init__(self, text, temperature, epochs):
        self.text, self.temperature, self.every = text, temperature, max(1, epochs // 4)

    def write(self, model, length, seed=0):
        prompt = self.text.encode(self.text.decode(self.text.data[:1]))
        return self.text.decode(model.generate(prompt, length, temperature=self.temperature, seed=seed))

    def on_epoch_end(self, trainer, record):
        if record["epoch"] % self.every == 0:
            said = " ".join(self.write(trainer.model, 70).split())
            print(f"epoch {record['epoch']:3}  loss {record['loss']:.3f}  unseen text {record['val_loss']:.3f}  | {said}")


def options(argv):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", choices=("lstm", "gpt"), default="lstm")
    parser.add_argument("--text", type=Path, help="a text file, UTF-8")
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--length", type=int, default=64, help="of a chunk (64)")
    parser.add_argument("--temperature", type=float, default=0.7, help="below 1 it writes what is probable, above 1 what is daring (0.7)")
    parser.add_argument("--device", choices=("cpu", "gpu"), default="cpu")
    parser.add_argument("--out", type=Path, default=Path("runs/char_lm"), help="the folder for text, curves and weights (runs/char_lm)")
    parser.add_argument("--fast", action="store_true", help="a small model, 2 epochs, 40,000 characters")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args(argv)


def main(argv=None):
    args = options(argv)
    np.random.seed(args.seed)
    text = read_text(args.text)
    ids = text.data[:40_000] if args.fast else text.data
    cut = int(0.95 * len(ids))
    vocabulary, epochs, hidden = len(text.char_to_id), 2 if args.fast else args.epochs, 64 if args.fast else 256
    if args.model == "gpt":
        model = GPT(vocabulary, context=args.length, embed_size=hidden // 2, num_layers=2 if args.fast else 4, dropout_ratio=0.1)
        batches = pieces
    else:
        model = CharLSTM(vocabulary, embed_size=64, hidden_size=hidden)
        batches = streams
    train, test = batches(ids[:cut], 16 if args.fast else 32, args.length), batches(ids[cut:], 4, args.length)
    print(f"{len(ids):,} characters, {vocabulary} different ones, {len(train)} batches")

    optimizer = Adam(3e-3 if args.model == "lstm" else 2e-3)
    optimizer.add_hook(ClipGrad(1.0))
    sampler = Sampler(text, args.temperature, epochs)
    schedule = LearningRateScheduler(CosineLR(optimizer, steps=epochs * len(train)), by="batch")
    trainer = Trainer(model, optimizer, text_loss, callbacks=[sampler, schedule], device=args.device)
    history = trainer.fit(train, test, epochs)

    written = sampler.write(model, 200 if args.fast else 1000, seed=args.seed)
    learning_curves(history, args.out / "curves.png", title="Cross entropy of the next character")
    (args.out / "written.txt").write_text(written, encoding="utf-8")
    model.save_weights(args.out / f"{args.model}.npz")
    loss = history["val_loss"][-1]
    print(f"of {vocabulary} characters it hesitates between {math.exp(loss):.1f}; it writes ({args.out / 'written.txt'}):\n\n{written[:300]}")
    return {"loss": history["loss"], "val_loss": loss, "vocabulary": vocabulary, "written": written}


if __name__ == "__main__":
    main()
