"""A variational autoencoder with two numbers for each digit: where the digits lie in that plane, and what lies between them.

The loss is the model's own, so the Trainer gets a ``step`` in the place of a loss on outputs and labels. The labels only colour a picture.

    python examples/vae.py                  MNIST where its files are found, else the digits that come with the package
    python examples/vae.py --epochs 40      sharper pictures

Kingma and Welling, "Auto-encoding variational Bayes", 2014.
"""

import argparse
import math
from pathlib import Path

import numpy as np

import dezero.functions as F
from dezero import DataLoader, no_grad, test_mode
from dezero.datasets import MNIST, Digits, Subset
from dezero.errors import DatasetError
from dezero.models import VAE
from dezero.optimizers import Adam
from dezero.training import Callback, Trainer
from dezero.viz.plots import compare_curves, image_grid, scatter2d


def digits():
    """Rows of pixels in 0..1 to train and to test on, and a number of epochs that suits them."""
    try:
        return MNIST(train=True), MNIST(train=False), 15
    except DatasetError as error:
        print(f"{error}; going on with the bundled Digits")
        return Digits(train=True), Digits(train=False), 150


class Report(Callback):
    """Ten lines in all, however many epochs there are."""

    def on_epoch_end(self, trainer, record):
        if record["epoch"] % max(1, trainer.epochs // 10) == 0:
            print(f"epoch {record['epoch']:4}  loss {record['loss']:.2f}")


def options(argv):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, help="15 for MNIST, 150 for the bundled digits")
    parser.add_argument("--hidden", type=int, default=256, help="units of the hidden layer (256)")
    parser.add_argument("--beta", type=float, default=1.0, help="weight of the divergence from the normal distribution (1.0)")
    parser.add_argument("--device", choices=("cpu", "gpu"), default="cpu")
    parser.add_argument("--out", type=Path, default=Path("runs/vae"), help="the folder for pictures (runs/vae)")
    parser.add_argument("--fast", action="store_true", help="20 epochs on 2,000 digits")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args(argv)


def main(argv=None):
    args = options(argv)
    np.random.seed(args.seed)
    train, test, epochs = digits()
    if args.fast:
        train, epochs = Subset(train, range(min(len(train), 2000))), 20
    pixels = train[0][0].size
    side = math.isqrt(pixels)

    model = VAE(pixels, (args.hidden,), latent_size=2)

    def step(trainer, batch):
        x, _ = batch
        return model.loss(x, beta=args.beta)

    trainer = Trainer(model, Adam(2e-3), loss=None, step=step, callbacks=[Report()], device=args.device)
    history = trainer.fit(DataLoader(train, 64), epochs=args.epochs or epochs)

    model.to_cpu()
    x, labels = test[:]
    with no_grad(), test_mode():
        codes = model.encode(x)[0].data
        copies = F.sigmoid(model(x[:16])).data
        test_loss = float(model.loss(x, seed=args.seed).data)
        # A step to the right adds to the first number, a step up to the second one.
        steps = np.linspace(-2, 2, 15, dtype=np.float32)
        places = np.array([(a, b) for b in steps[::-1] for a in steps], np.float32)
        manifold = F.sigmoid(model.decode(places)).data

    pairs = np.stack([x[:16], copies], axis=1).reshape(-1, side, side)
    image_grid(manifold.reshape(-1, side, side), cols=15, path=args.out / "manifold.png", title="The plane of codes, from -2 to 2")
    image_grid(pairs, cols=8, path=args.out / "copies.png", title="Digits and what the codes keep of them")
    scatter2d(codes[:2000], labels[:2000], args.out / "codes.png", title="The codes of test digits", labels=list("0123456789"))
    compare_curves({"training": history}, path=args.out / "loss.png", title="Negative evidence lower bound")
    print(f"loss {history['loss'][0]:.1f} -> {history['loss'][-1]:.1f}, on the test digits {test_loss:.1f}; pictures are in {args.out}")
    return {"loss": history["loss"], "test_loss": test_loss}


if __name__ == "__main__":
    main()
