"""Colour photos in ten classes: a residual network, augmentation of whole batches, and a learning rate that rises and falls once.

    python examples/cifar.py                       needs CIFAR-10, which is fetched (170 MB) if its archive is not found
    python examples/cifar.py --epochs 30 --device gpu
    python examples/cifar.py --fast                needs nothing: small pictures of coloured shapes in CIFAR's format

Each batch is cropped, mirrored and partly covered at random, so the network never sees the same picture twice; the test pictures come as
they are. One cycle of the rate: Smith and Topin, "Super-convergence", 2018. Covered squares: DeVries and Taylor, "Cutout", 2017.
"""

import argparse
from pathlib import Path

import numpy as np

import dezero.functions as F
import dezero.layers as L
from dezero import DataLoader
from dezero.datasets import CIFAR10, ArrayDataset
from dezero.errors import DatasetError
from dezero.models import Sequential
from dezero.optimizers import AdamW, OneCycle
from dezero.training import LearningRateScheduler, ProgressBar, Trainer
from dezero.transforms import Compose, Cutout, Normalize, RandomCrop, RandomHorizontalFlip, ToFloat
from dezero.viz.plots import confusion_matrix, image_grid, mistakes

PLAIN = Compose([ToFloat(), Normalize(127.5, 127.5)])  # bytes to -1..1
AUGMENTED = Compose([RandomCrop(32, pad=4), RandomHorizontalFlip(), *PLAIN.transforms, Cutout(8)])
SHAPES = ["red disc", "green disc", "blue disc", "red bar", "green bar", "blue bar", "red cross", "green cross", "blue cross", "ring"]


def coloured_shapes(n, seed):
    """Pictures (n, 3, 32, 32) of bytes with a shape somewhere on a noisy ground, and their classes: what CIFAR's files hold, but easy."""
    rng = np.random.default_rng(seed)
    t = rng.integers(0, 10, n)
    size, (y, x) = rng.uniform(6, 9, (n, 1, 1)), rng.uniform(10, 22, (2, n, 1, 1))
    v, u = abs(np.arange(32)[:, None] - y), abs(np.arange(32) - x)
    r = np.hypot(v, u)
    masks = np.stack([r < size, (v < 0.35 * size) & (u < 1.3 * size), (np.minimum(v, u) < 0.3 * size) & (r < 1.2 * size), abs(r - 0.85 * size) < 1.5])
    inside = masks[t // 3, np.arange(n)]
    colours = np.array([(220, 50, 40), (40, 180, 60), (50, 80, 220)])[np.where(t == 9, rng.integers(0, 3, n), t % 3)]
    ground = rng.integers(60, 190, (n, 3, 1, 1)) + rng.normal(0, 25, (n, 3, 32, 32))
    pictures = np.where(inside[:, None], colours[:, :, None, None] + rng.normal(0, 15, (n, 3, 32, 32)), ground)
    return pictures.clip(0, 255).astype(np.uint8), t


def load(fast):
    """The parts to train and to test on, and the names of the classes."""
    if fast:
        print("--fast: generated pictures of coloured shapes take the place of CIFAR-10")
        train, test = (ArrayDataset(*coloured_shapes(n, seed), transform=f) for n, seed, f in ((600, 1, AUGMENTED), (200, 2, PLAIN)))
        return train, test, SHAPES
    try:
        return CIFAR10(train=True, transform=AUGMENTED), CIFAR10(train=False, transform=PLAIN), list(CIFAR10.labels().values())
    except DatasetError as error:
        raise SystemExit(f"{error}\nWithout it, look at: python examples/cifar.py --fast") from None


def conv_block(channels, stride=1):
    return L.Sequential(L.Conv2d(channels, 3, stride=stride, pad=1, nobias=True, initializer="he"), L.BatchNorm(), L.ReLU())


def network(width):
    """Each stage halves the picture and doubles the channels; a residual block works on what is left to learn."""
    layers = [conv_block(width)]
    for channels in (2 * width, 4 * width, 8 * width):
        layers += [conv_block(channels, stride=2), L.Residual(L.Sequential(conv_block(channels), conv_block(channels)))]
    return Sequential(*layers, L.GlobalAvgPool2d(), L.Linear(10))


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, help="12, or 8 with --fast")
    parser.add_argument("--width", type=int, help="channels of the first layer (24, or 8 with --fast)")
    parser.add_argument("--batch-size", type=int, help="128, or 16 with --fast")
    parser.add_argument("--rate", type=float, default=5e-3, help="the highest learning rate (0.005)")
    parser.add_argument("--device", choices=("cpu", "gpu"), default="cpu")
    parser.add_argument("--out", type=Path, default=Path("runs/cifar"), help="the folder for pictures and weights (runs/cifar)")
    parser.add_argument("--fast", action="store_true", help="a small network on generated pictures")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args(argv)
    np.random.seed(args.seed)
    train, test, names = load(args.fast)
    epochs = args.epochs or (8 if args.fast else 12)
    train_loader = DataLoader(train, args.batch_size or (16 if args.fast else 128), workers=0 if args.fast else 1)
    test_loader = DataLoader(test, 200, shuffle=False)
    some = (train[:32][0] + 1) / 2
    image_grid(some, [names[int(t)] for t in train.label[:32]], cols=8, path=args.out / "augmented.png", title="What the network is shown")

    model = network(args.width or (8 if args.fast else 24))
    optimizer = AdamW(weight_decay=0.02)
    one_cycle = OneCycle(optimizer, max_rate=args.rate, steps=epochs * len(train_loader))
    trainer = Trainer(model, optimizer, F.softmax_cross_entropy, metrics=[F.accuracy],
                      callbacks=[LearningRateScheduler(one_cycle, by="batch"), ProgressBar()], device=args.device)
    history = trainer.fit(train_loader, test_loader, epochs)

    scores = trainer.predict(test_loader)
    history.plot(args.out / "curves.png", title=f"{model.count_params():,} parameters, {len(train):,} pictures")
    confusion_matrix(scores, test.label, names, args.out / "confusion.png")
    mistakes(test.data, scores, test.label, F.softmax(scores).data, count=24, path=args.out / "mistakes.png", labels=names)
    model.save_weights(args.out / "weights.npz")
    accuracy = history["val_accuracy"][-1]
    print(f"test accuracy {100 * accuracy:.1f} %; pictures and weights are in {args.out}")
    return {"loss": history["loss"], "accuracy": accuracy, "train": len(train)}


if __name__ == "__main__":
    main()
