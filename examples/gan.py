"""Two networks against each other: one draws digits out of noise, the other learns to tell them from real ones.

The loop is written out, since it is the point: two optimizers, two losses, and ``detach`` where a gradient must not go on.

    python examples/gan.py                  MNIST where its files are found, else the digits that come with the package
    python examples/gan.py --epochs 400     more patience

Goodfellow et al., "Generative adversarial networks", 2014; the generator's loss is the one of its section 3 that does not saturate.
"""

import argparse
from pathlib import Path

import numpy as np

import dezero.functions as F
from dezero import DataLoader, cuda, no_grad, test_mode
from dezero.datasets import MNIST, Digits, Subset
from dezero.errors import DatasetError
from dezero.models import Discriminator, Generator
from dezero.optimizers import Adam
from dezero.transforms import Compose, Normalize, ToFloat
from dezero.viz.plots import compare_curves, image_grid

NOISE = 32  # numbers that a digit is drawn from


def digits():
    """Real digits (1, H, W) in 0..1, and a number of epochs that suits them."""
    try:
        return MNIST(transform=Compose([ToFloat(), Normalize(0.0, 255.0)])), 5
    except DatasetError as error:
        print(f"{error}; going on with the bundled Digits")
        return Digits(transform=Compose([ToFloat(), Normalize(0.0, 16.0)])), 120


def options(argv):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, help="5 for MNIST, 120 for the bundled digits")
    parser.add_argument("--device", choices=("cpu", "gpu"), default="cpu")
    parser.add_argument("--out", type=Path, default=Path("runs/gan"), help="the folder for pictures and weights (runs/gan)")
    parser.add_argument("--fast", action="store_true", help="4 epochs on 1,000 digits")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args(argv)


def main(argv=None):
    args = options(argv)
    np.random.seed(args.seed)
    real, epochs = digits()
    if args.fast:
        real, epochs = Subset(real, range(1000)), 4
    epochs = args.epochs or epochs
    gpu = args.device == "gpu"
    to_device = cuda.as_cupy if gpu else cuda.as_numpy
    loader = DataLoader(real, 64, gpu=gpu, drop_last=True)

    generator, discriminator = Generator(image_size=real[0][0].shape[-1]), Discriminator()
    if gpu:
        generator.to_gpu()
        discriminator.to_gpu()
    generator_optimizer = Adam(5e-4, beta1=0.5).setup(generator)
    discriminator_optimizer = Adam(5e-4, beta1=0.5).setup(discriminator)

    def noise(n):
        return to_device(np.random.standard_normal((n, NOISE)).astype(np.float32))

    def draw(z):
        with no_grad(), test_mode():
            return cuda.as_numpy(generator(z))

    shown = noise(64)  # the same noise each time, so that the pictures can be compared
    history = {"generator": [], "discriminator": [], "fooled": []}
    for epoch in range(1, epochs + 1):
        sums = np.zeros(3)
        for x, _ in loader:
            # The discriminator: logits above 0 for real digits, below 0 for drawn ones. What it says of them must not move the generator.
            fake = generator(noise(len(x)))
            on_real, on_fake = discriminator(x), discriminator(fake.detach())
            loss_d = F.mean(F.softplus(-on_real)) + F.mean(F.softplus(on_fake))
            discriminator.cleargrads()
            loss_d.backward()
            discriminator_optimizer.update()

            # The generator: the same digits, through a discriminator that has just become better. Its gradients are cleared before its next turn.
            on_fake = discriminator(fake)
            loss_g = F.mean(F.softplus(-on_fake))
            generator.cleargrads()
            loss_g.backward()
            generator_optimizer.update()
            sums += [float(loss_g.data), float(loss_d.data), float((on_fake.data > 0).mean())]

        for name, value in zip(history, sums / len(loader), strict=True):
            history[name].append(value)
        if epoch % max(1, epochs // 8) == 0:
            print(f"epoch {epoch:4}  " + "  ".join(f"{name} {values[-1]:.3f}" for name, values in history.items()))
            image_grid(draw(shown), cols=8, path=args.out / f"digits{epoch:03}.png", title=f"Drawn after epoch {epoch}")

    drawn = draw(noise(256))
    truth = np.stack([real[i][0] for i in range(256)])
    image_grid(truth[:64], cols=8, path=args.out / "real.png", title="Real digits")
    compare_curves({name: {"loss": history[name]} for name in ("generator", "discriminator")}, path=args.out / "losses.png")
    generator.save_weights(args.out / "generator.npz")
    ink = {"drawn": float(drawn.mean()), "real": float(truth.mean())}
    print(f"share of ink: {ink['drawn']:.3f} in the drawn digits, {ink['real']:.3f} in real ones; pictures are in {args.out}")
    return history | {"ink": ink, "spread": float(drawn.std(axis=0).mean())}


if __name__ == "__main__":
    main()
