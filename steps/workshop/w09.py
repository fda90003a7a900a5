"""When is a training over, and what if the power fails before?

A net that learns too long learns by heart. Early stopping watches data that the net does not learn from, and ends the run when they get no better.
A run also ends without being asked. A checkpoint in the middle of an epoch lets it go on as if nothing had happened: we cut the power and
compare bit for bit. In the end we measure over seeds when early stopping is of use, and when it costs.
"""

import io
import tempfile
from pathlib import Path

import numpy as np

from support import picture, run

import dezero.functions as F
from dezero import DataLoader
from dezero.datasets import ArrayDataset, Digits
from dezero.models import MLP
from dezero.optimizers import Adam
from dezero.training import Callback, Checkpoint, CSVLogger, EarlyStopping, Evaluator, History, ProgressBar, ReduceLROnPlateau, Trainer

# %% Three sets
# 500 digits to learn from, 200 to watch, and 1,097 to test with. As in step 54, labels can be wrong: a share of them is drawn by lot, among those to
# learn from and, as it would be in life, among those to watch. The test labels are right.
#
# The watched set, called validation set, must not be the test set. It decides when to stop, so the result on it is partly the luck of that choice.


def split(seed, by_lot):
    parts = Digits()[:], Digits(train=False)[:]
    x, t = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(x))
    x, t = x[order], t[order]
    chosen = rng.permutation(700)[:round(700 * by_lot)]
    t[chosen] = rng.integers(0, 10, len(chosen))
    return [(x[:500], t[:500]), (x[500:700], t[500:700]), (x[700:], t[700:])]


def hidden(h):
    return F.dropout(F.relu(h), 0.1)


# %% All that happens around the training
# A callback is called at certain moments of a training: the ``Trainer`` does the loop, callbacks do the rest. Here are five of them.
#
# - EarlyStopping ends the run when the validation loss has not improved for 6 epochs, and puts the weights of the best epoch back.
# - ReduceLROnPlateau of w08 lowers the rate after 3 + 1 such epochs.
# - CSVLogger adds a line to a table after each epoch. If the program dies, the lines so far are on the disk.
# - ProgressBar shows where it is. Here it writes into a text, so that we can look at it later; without ``file`` it writes to the screen.
# - Checkpoint saves the whole run every 4 batches.


def make(folder, *more):
    """A Trainer, its EarlyStopping, the text of the progress, and the loaders."""
    learn, validation, _ = split(0, 0.3)
    optimizer, text = Adam(0.01), io.StringIO()
    stopping = EarlyStopping("val_loss", patience=6)
    callbacks = [stopping, ReduceLROnPlateau("val_loss", factor=0.5, patience=3), CSVLogger(folder / "log.csv"), ProgressBar(file=text, bar=False),
                 Checkpoint(folder / "run.safetensors", every=4), *more]
    trainer = Trainer(MLP((100, 10), activation=hidden, in_size=64), optimizer, F.softmax_cross_entropy, [F.accuracy], callbacks)
    return trainer, stopping, text, (DataLoader(ArrayDataset(*learn), 50, seed=0), DataLoader(ArrayDataset(*validation), 200, shuffle=False))


def whole_run(folder):
    np.random.seed(0)
    trainer, stopping, text, loaders = make(folder)
    history = trainer.fit(*loaders, epochs=40)
    lines = text.getvalue().splitlines()
    print("what ProgressBar wrote (its last column, the seconds, is left out here):")
    for line in (*lines[:2], lines[stopping.best_epoch - 1], lines[-2]):
        print("    " + line.rsplit("  ", 1)[0])
    print("    " + lines[-1])
    restored = trainer.evaluate(loaders[1])["loss"]
    print(f"validation loss after the last epoch {history['val_loss'][-1]:.4f}, with the weights that were put back {restored:.4f}")
    return trainer, stopping, restored


# %% The power fails
# ``PowerCut`` stands for whatever ends a program in the middle of an epoch. The run had saved itself after step 44, the fourth batch of epoch 5. The
# next day another program makes the same Trainer, with other first weights, loads the file, and calls ``fit`` with the same number of epochs.


class PowerCut(Callback):
    def on_batch_end(self, trainer):
        if trainer.steps == 47:
            raise RuntimeError("power cut")


def interrupted_run(folder):
    np.random.seed(0)
    trainer, _, _, loaders = make(folder, PowerCut())
    try:
        trainer.fit(*loaders, epochs=40)
    except RuntimeError as error:
        print(f"\n{error} after step {trainer.steps}; the log has {len(History.from_csv(folder / 'log.csv').rows)} epochs", end="; ")


def go_on(folder, callbacks=True):
    np.random.seed(1)
    trainer, stopping, _, loaders = make(folder)
    trainer.load(folder / "run.safetensors", callbacks=callbacks)
    start = f"{trainer.epoch} epochs and {trainer.batch} batches"
    trainer.fit(*loaders, epochs=40)
    return trainer, stopping, start


# %% What has to be in the file
# Step 53 had weights, optimizer and the place in the data. This run has more that the rest of it depends on: the state of the random numbers, since
# dropout draws from them; the sums of the running epoch, for the log; and what the callbacks remember: the best loss so far and its weights, how long
# they have waited. To see that this matters, we load once more, without the states of the callbacks. Then EarlyStopping takes the first epoch that it
# sees for the best.


def weights_of(trainer):
    return b"".join(np.ascontiguousarray(p.data).tobytes() for p in trainer.model.params())


def without_seconds(rows):
    return [{name: value for name, value in row.items() if name != "seconds"} for row in rows]


def compare(folder, whole, stopping):
    (folder / "cut").mkdir()
    interrupted_run(folder / "cut")
    saved = (folder / "cut" / "run.safetensors").read_bytes()
    found = {"whole": [len(whole.history.rows), stopping.best_epoch]}
    for name, callbacks in (("all states", True), ("no states of callbacks", False)):
        (folder / "cut" / "run.safetensors").write_bytes(saved)  # the runs after it save, too
        trainer, again, start = go_on(folder / "cut", callbacks)
        log = History.from_csv(folder / "cut" / "log.csv")
        found[name] = {"epochs": len(log.rows), "best": again.best_epoch, "weights": weights_of(trainer) == weights_of(whole),
                       "log": without_seconds(log.rows) == without_seconds(whole.history.rows)}
        if callbacks:
            print(f"gone on from {start}")
            print(f"{'':32}epochs   best   weights equal bit for bit   log equal")
            print(f"{'never stopped':32}{found['whole'][0]:6} {found['whole'][1]:6}")
        row = found[name]
        print(f"{'gone on, ' + name:32}{row['epochs']:6} {row['best']:6} {row['weights']!s:>27} {row['log']!s:>11}")
    return found


# %% Does early stopping help?
# It is recommended without conditions. We train for 40 epochs and note in each epoch the validation loss and the share of right answers on the
# test images. A run with early stopping is the same run up to where it stops, so one history tells what any patience would have done.


def stopped_at(losses, patience):
    """(epoch in which it stops, best epoch), counted from 1."""
    best = 0
    for i, loss in enumerate(losses):
        if loss < losses[best]:
            best = i
        elif i - best >= patience:
            return i + 1, best + 1
    return len(losses), best + 1


def long_run(seed, by_lot):
    learn, validation, test = split(seed, by_lot)
    right = []

    class Watch(Callback):
        def on_epoch_end(self, trainer, record):
            right.append(Evaluator(trainer.model, metrics=[F.accuracy]).evaluate([test])["accuracy"])

    np.random.seed(seed)
    trainer = Trainer(MLP((100, 10), activation=hidden, in_size=64), Adam(0.01), F.softmax_cross_entropy, callbacks=[Watch()])
    history = trainer.fit(DataLoader(ArrayDataset(*learn), 50), [validation], epochs=40)
    return history["val_loss"], right


# %% What came out
# With labels drawn by lot early stopping saves the result: the net learns the rule first and the wrong labels later, and the validation loss shows
# it. With right labels only there is nothing to save. The validation loss falls, then stays nearly flat, and its lowest point is chance: the last
# weights are as good as the best ones. A patience of 1 costs some two points, in both cases, since one bad epoch is often chance too; a patience
# of 3 costs next to nothing. What early stopping does save is time. So give it patience, and compare once with the run that was not stopped.


def over_seeds(seeds):
    found, curves = {}, {}
    print(f"\n{len(seeds):2} seeds, right on 1,097 images  labels right: epochs   right    30% by lot: epochs   right")
    for by_lot in (0.0, 0.3):
        runs = [long_run(seed, by_lot) for seed in seeds]
        curves[by_lot] = np.array(runs)
        for patience in (1, 3, 10, 40):
            stops = [stopped_at(losses, patience) for losses, _ in runs]
            found[by_lot, f"patience {patience:2}" if patience < 40 else "40 epochs, best weights"] = [
                [stop, right[best - 1]] for (stop, best), (_, right) in zip(stops, runs, strict=True)]
        found[by_lot, "40 epochs, last weights"] = [[40, right[-1]] for _, right in runs]
    for name in [name for by_lot, name in found if not by_lot]:
        cells = [np.mean(found[by_lot, name], axis=0) for by_lot in (0.0, 0.3)]
        print(f"{name:32}" + "".join(f"{epochs:{width}.1f} {right:8.1%}" for (epochs, right), width in zip(cells, (19, 22), strict=True)))
    return {f"{name}, {by_lot:.0%} by lot": rows for (by_lot, name), rows in found.items()}, curves


# %% Pictures
# With ``--out``: the run with its best epoch, and validation loss against right answers, as means over the seeds.


def draw(out, whole, stopping, curves):
    history = whole.history
    epochs = np.arange(1, len(history.rows) + 1)
    with picture(out / "stopping.png", size=(6.5, 4.2)) as ax:
        ax.plot(epochs, history["loss"], "--", color="#0072B2", label="training loss")
        ax.plot(epochs, history["val_loss"], color="#D55E00", label="validation loss")
        ax.axvline(stopping.best_epoch, color="0.5", linestyle=":", label="best epoch, put back")
        ax.set(title=f"Stopped after epoch {epochs[-1]}", xlabel="epoch", ylabel="loss", ylim=(0, None))
        ax.legend()
    with picture(out / "seeds.png", columns=2, size=(10.0, 4.2)) as (left, right):
        for (by_lot, runs), color, style in zip(curves.items(), ("#0072B2", "#D55E00"), ("-", "--"), strict=True):
            label = f"{by_lot:.0%} of the labels by lot" if by_lot else "all labels right"
            for ax, values in ((left, runs[:, 0]), (right, 100 * runs[:, 1])):
                ax.fill_between(range(1, 41), values.min(axis=0), values.max(axis=0), color=color, alpha=0.2, linewidth=0)
                ax.plot(range(1, 41), values.mean(axis=0), style, color=color, label=label)
        left.set(title=f"Validation loss, mean and range of {len(runs)} seeds", xlabel="epoch", ylabel="loss", ylim=(0, None))
        right.set(title="Right answers on the test images", xlabel="epoch", ylabel="right, in %")
        left.legend()


def main(out=None, fast=False):
    with tempfile.TemporaryDirectory() as name:
        whole, stopping, restored = whole_run(Path(name))
        resumed = compare(Path(name), whole, stopping)
    found, curves = over_seeds(range(5 if fast else 20))
    if out:
        draw(out, whole, stopping, curves)
    return {"val_loss": whole.history["val_loss"], "stopped": whole.history.stopped, "restored": restored, "resumed": resumed, "seeds": found}


# %% Exercises: python -m steps.check w09 my_answer.py
# 1. ``best_and_stop(values, patience, min_delta)``: for values that should fall, the pair (best epoch, last epoch), counted from 1. Only what is
#    lower than the best by more than min_delta is an improvement; after patience epochs in a row without one the run ends.
# 2. ``Budget(batches)``: a callback that ends the run after so many batches in all, with the reason "budget".
# 3. ``read_log(text)``: a table of numbers in CSV, its first line the names, as a dict from name to a list of floats. An empty cell is NaN.

if __name__ == "__main__":
    run(main)
