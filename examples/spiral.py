"""Three arms of a spiral, told apart by a network of one hidden layer: the training loop written out, and its decision regions as a film.

No straight line separates the arms. Ten sigmoids can bend the borders around them; the film shows how they learn to.

    python examples/spiral.py                       300 epochs: about 95 % of the test points right
    python examples/spiral.py --hidden 3            too few units: watch it fail
"""

import argparse
from pathlib import Path

import numpy as np

import dezero.functions as F
from dezero import DataLoader, no_grad, test_mode
from dezero.datasets import Spiral
from dezero.models import MLP
from dezero.optimizers import SGD
from dezero.viz.plots import decision_animation, decision_boundary, decision_grid, learning_curves


def evaluate(model, dataset):
    """Loss and accuracy on a whole data set."""
    x, t = dataset[:]
    with no_grad(), test_mode():
        y = model(x)
        return float(F.softmax_cross_entropy(y, t).data), float(F.accuracy(y, t).data)


def options(argv):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=300, help="(300)")
    parser.add_argument("--hidden", type=int, default=10, help="units of the hidden layer (10)")
    parser.add_argument("--lr", type=float, default=1.0, help="learning rate (1.0)")
    parser.add_argument("--frames", type=int, default=30, help="pictures in the film (30)")
    parser.add_argument("--out", type=Path, default=Path("runs/spiral"), help="the folder for the pictures (runs/spiral)")
    parser.add_argument("--fast", action="store_true", help="a film of three pictures")
    parser.add_argument("--seed", type=int, default=0, help="of the weights and of the order of the points (0)")
    args = parser.parse_args(argv)
    args.frames = min(args.frames, 3) if args.fast else args.frames
    return args


def main(argv=None):
    args = options(argv)
    np.random.seed(args.seed)
    train, test = Spiral(train=True), Spiral(train=False)
    loader = DataLoader(train, batch_size=30)
    model = MLP((args.hidden, 3))
    optimizer = SGD(lr=args.lr).setup(model)

    history = {name: [] for name in ("loss", "val_loss", "accuracy", "val_accuracy")}
    places = decision_grid(train.data, resolution=100)
    moments = set(np.linspace(1, args.epochs, args.frames).round().astype(int).tolist())
    frames, titles = [], []
    for epoch in range(1, args.epochs + 1):
        for x, t in loader:
            y = model(x)
            loss = F.softmax_cross_entropy(y, t)
            model.cleargrads()
            loss.backward()
            optimizer.update()

        for prefix, dataset in (("", train), ("val_", test)):
            for name, value in zip(("loss", "accuracy"), evaluate(model, dataset), strict=True):
                history[prefix + name].append(value)
        if epoch in moments:
            with no_grad():
                frames.append(model(places).data)
            titles.append(f"epoch {epoch}, {100 * history['val_accuracy'][-1]:.1f} % right")
        if epoch % max(1, args.epochs // 6) == 0:
            print(f"epoch {epoch:4}  loss {history['loss'][-1]:.3f}  test accuracy {100 * history['val_accuracy'][-1]:.1f} %")

    decision_boundary(model, test.data, test.label, args.out / "regions.png", title=f"Test points after {args.epochs} epochs")
    decision_animation(frames, train.data, train.label, args.out / "training.gif", titles=titles)
    learning_curves(history, args.out / "curves.png", title="Spiral")
    print(f"regions.png, training.gif and curves.png are in {args.out}")
    return {name: values[-1] for name, values in history.items()} | {"first_loss": history["loss"][0]}


if __name__ == "__main__":
    main()
