"""Handwritten digits: a Trainer around an MLP or a small convolution network, and pictures of what they got wrong.

    python examples/mnist.py                 784-1000-10 with ReLU, Adam, 5 epochs: 98 % of the test digits right
    python examples/mnist.py --model cnn     3x3 convolutions with batch norm, 3 epochs: 99 %

Where MNIST's files are not found and cannot be fetched, the smaller digits that come with the package take their place.
"""

import argparse
import math
from pathlib import Path

import numpy as np

import dezero.functions as F
from dezero import DataLoader
from dezero.datasets import MNIST, Digits, Subset
from dezero.errors import DatasetError
from dezero.models import CNN, MLP
from dezero.optimizers import Adam, OneCycle
from dezero.training import LearningRateScheduler, ProgressBar, Trainer
from dezero.transforms import Compose, Normalize, ToFloat
from dezero.viz.plots import confusion_matrix, filters, mistakes


def digits(as_images):
    """The parts to train and to test on, in 0..1: rows of pixels for the MLP, images with one channel for the CNN."""
    def parts(source, white):
        transform = Compose([ToFloat(), Normalize(0.0, white)]) if as_images else source.default_transform
        return source(train=True, transform=transform), source(train=False, transform=transform)

    try:
        return parts(MNIST, white=255.0)
    except DatasetError as error:
        print(f"{error}; going on with the bundled Digits")
        return parts(Digits, white=16.0)


def build(name):
    """The model, its optimizer and the highest learning rate."""
    if name == "cnn":
        return CNN(channels=((16,), (32, 32))), 3e-3
    return MLP((1000, 10), activation=F.relu, initializer="he"), 1e-3


def options(argv):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", choices=("mlp", "cnn"), default="mlp")
    parser.add_argument("--epochs", type=int, help="5 for the MLP, 3 for the CNN")
    parser.add_argument("--batch-size", type=int, default=100)
    parser.add_argument("--device", choices=("cpu", "gpu"), default="cpu")
    parser.add_argument("--out", type=Path, default=Path("runs/mnist"), help="the folder for pictures and weights (runs/mnist)")
    parser.add_argument("--fast", action="store_true", help="train on 2,000 digits only")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args(argv)
    args.epochs = args.epochs or {"mlp": 5, "cnn": 3}[args.model]
    return args


def main(argv=None):
    args = options(argv)
    np.random.seed(args.seed)
    train, test = digits(as_images=args.model == "cnn")
    if args.fast:
        train, test = Subset(train, range(min(len(train), 2000))), Subset(test, range(min(len(test), 1000)))
    train_loader = DataLoader(train, args.batch_size)
    test_loader = DataLoader(test, 500, shuffle=False)

    model, rate = build(args.model)
    optimizer = Adam(rate)
    one_cycle = OneCycle(optimizer, max_rate=rate, steps=args.epochs * len(train_loader), warmup=0.2)
    trainer = Trainer(model, optimizer, F.softmax_cross_entropy, metrics=[F.accuracy],
                      callbacks=[LearningRateScheduler(one_cycle, by="batch"), ProgressBar()], device=args.device)
    history = trainer.fit(train_loader, test_loader, args.epochs)

    scores = trainer.predict(test_loader)
    x, labels = test[:]
    side = math.isqrt(x[0].size)
    history.plot(args.out / "curves.png", title=f"{args.model.upper()} on {len(train):,} digits")
    confusion_matrix(scores, labels, path=args.out / "confusion.png")
    mistakes(x.reshape(-1, side, side), scores, labels, F.softmax(scores).data, path=args.out / "mistakes.png")
    first_weights = model.stages[0][0][0].W if args.model == "cnn" else model.l0.W
    filters(first_weights, path=args.out / "filters.png", count=40)
    model.save_weights(args.out / f"{args.model}.npz")

    accuracy = history["val_accuracy"][-1]
    print(f"test accuracy {100 * accuracy:.2f} % with {model.count_params():,} parameters; pictures and weights are in {args.out}")
    return {"loss": history["loss"], "accuracy": accuracy, "train": len(train), "test": len(test)}


if __name__ == "__main__":
    main()
