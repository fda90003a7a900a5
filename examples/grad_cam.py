"""Grad-CAM: which part of a picture a network looked at when it said what it said.

The gradient of a class's score with respect to the last feature maps tells how much each map speaks for the class; the maps, weighted by
that and added up, show where (Selvaraju et al., "Grad-CAM: visual explanations from deep networks via gradient-based localization", 2017).

    python examples/grad_cam.py             trains a small network on one digit in each picture, then asks it about pictures with two
    python examples/grad_cam.py --weights vgg16.npz --image zebra.jpg      the same for VGG16 and a photo

For the digits there is a way to check it: the heat for the class of one digit ought to lie on that digit and not on the other.
"""

import argparse
from pathlib import Path

import numpy as np

import dezero.functions as F
import dezero.layers as L
from dezero import DataLoader
from dezero.datasets import ArrayDataset, Digits, ImageNet
from dezero.errors import DatasetError
from dezero.models import VGG16, Sequential
from dezero.optimizers import Adam, OneCycle
from dezero.viz.plots import image_grid

SIDE = 24  # of the pictures in which the digits of 8x8 pixels are put


def heat_map(model, layer, x, target=None):
    """The picture's heat (H, W) in 0..1, and the class that it is for: ``target``, or the most probable one."""
    scores = model(x[None])
    maps = layer.outputs[0]()  # a weak reference to what the layer gave: hold it, since its gradient is wanted
    target = int(scores.data.argmax()) if target is None else target
    scores[0, target].backward(retain_grad=True)

    weights = maps.grad.data.mean(axis=(2, 3), keepdims=True)
    heat = np.maximum((weights * maps.data).sum(axis=1, keepdims=True), 0)
    heat = F.interpolate(heat / (heat.max() or 1), size=x.shape[1:], mode="bilinear").data
    model.cleargrads()
    return heat[0, 0], target


def over(picture, heat):
    """A picture (C, H, W) in 0..1 with the heat on it: grey where there is none, red and then yellow where there is."""
    grey = np.broadcast_to(picture.mean(axis=0), heat.shape)
    glow = np.stack([heat, np.maximum(2 * heat - 1, 0), np.zeros_like(heat)])
    return np.clip((1 - 0.6 * heat) * grey + 0.6 * glow, 0, 1).astype(np.float32)


def placed(images, rng, columns):
    """Each image in a larger black picture, at a random height and a column from ``columns``; and where it lies."""
    pictures = np.zeros((len(images), 1, SIDE, SIDE), np.float32)
    where = np.zeros(pictures.shape, bool)
    for i, image in enumerate(images):
        top, left = rng.integers(0, SIDE - 8 + 1), rng.choice(columns)
        pictures[i, 0, top:top + 8, left:left + 8] = image[0] / 16
        where[i, 0, top:top + 8, left:left + 8] = True
    return pictures, where


def small_network(train, epochs, rng):
    """A network that knows the digits wherever they are, since it ends in a mean over all places."""
    model = Sequential(L.Conv2d(16, 3, pad=1), L.BatchNorm(), L.ReLU(), L.Conv2d(32, 3, pad=1), L.BatchNorm(), L.ReLU(), L.MaxPool2d(2),
                       L.Conv2d(48, 3, pad=1), L.BatchNorm(), L.ReLU(), L.GlobalAvgPool2d(), L.Linear(10))
    optimizer = Adam().setup(model)
    schedule = OneCycle(optimizer, max_rate=1e-2, steps=epochs * -(-len(train) // 64))
    for epoch in range(1, epochs + 1):
        pictures, _ = placed(train.data, rng, np.arange(SIDE - 8 + 1))  # other places in every epoch
        losses = []
        for x, t in DataLoader(ArrayDataset(pictures, train.label), 64):
            loss = F.softmax_cross_entropy(model(x), t)
            model.cleargrads()
            loss.backward()
            optimizer.update()
            schedule.step()
            losses.append(float(loss.data))
        if epoch % max(1, epochs // 5) == 0:
            print(f"epoch {epoch:3}  loss {np.mean(losses):.3f}")
    return model.eval()


def two_digits(args):
    """Train, put two digits into each picture, and ask for the heat of either."""
    rng = np.random.default_rng(args.seed)
    model = small_network(Digits(train=True), args.epochs or (4 if args.fast else 15), rng)
    test = Digits(train=False)
    single, _ = placed(test.data, rng, np.arange(SIDE - 8 + 1))
    accuracy = float(F.accuracy(model(single), test.label).data)

    pairs = rng.permutation(len(test))[:80].reshape(2, 40)
    pairs = pairs[:, test.label[pairs[0]] != test.label[pairs[1]]]
    sides = [placed(test.data[chosen], rng, columns) for chosen, columns in zip(pairs, (range(5), range(12, SIDE - 8 + 1)), strict=True)]
    pictures, places = sides[0][0] + sides[1][0], np.stack([where[:, 0] for _, where in sides])
    last_maps = model.layers[-3]
    tiles, titles, shares = [], [], []
    for i, picture in enumerate(pictures):
        shown = [over(picture, np.zeros((SIDE, SIDE), np.float32))]
        for k, other in ((0, 1), (1, 0)):
            heat, _ = heat_map(model, last_maps, picture, target=int(test.label[pairs[k, i]]))
            here, there = heat[places[k, i]].sum(), heat[places[other, i]].sum()
            shares.append(float(here / max(1e-9, here + there)))
            shown.append(over(picture, heat))
        tiles += shown
        titles += ["picture", *(f"heat for {test.label[chosen[i]]}" for chosen in pairs)]
    image_grid(np.stack(tiles[:36]), titles, cols=6, path=args.out / "two_digits.png", title="One network, one picture, two questions")
    print(f"test accuracy {100 * accuracy:.1f} %; {100 * np.mean(shares):.0f} % of the heat on the two digits lies on the one it was asked for "
          f"({args.out / 'two_digits.png'})")
    return {"accuracy": accuracy, "share": float(np.mean(shares))}


def photo(args):
    """VGG16 and a photo: its most probable class, and where that is."""
    from PIL import Image

    model = VGG16()
    model.load_weights(args.weights)
    image = Image.open(args.image).convert("RGB").resize((224, 224))
    heat, target = heat_map(model.eval(), model.conv5_3, VGG16.preprocess(image))
    picture = np.asarray(image, np.float32).transpose(2, 0, 1) / 255
    try:
        name = ImageNet.labels()[target]
    except DatasetError:  # the names are not here and cannot be fetched
        name = f"class {target}"
    image_grid(np.stack([picture, over(picture, heat)]), [f"{args.image.name}", name], path=args.out / "photo.png")
    print(f"VGG16 says {name} ({args.out / 'photo.png'})")
    return {"class": target, "heat": float(heat.mean())}


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", type=Path, help="a file with VGG16's weights")
    parser.add_argument("--image", type=Path, help="a photo for VGG16")
    parser.add_argument("--epochs", type=int, help="of the small network (15)")
    parser.add_argument("--out", type=Path, default=Path("runs/grad_cam"), help="the folder for pictures (runs/grad_cam)")
    parser.add_argument("--fast", action="store_true", help="4 epochs")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args(argv)
    if (args.weights is None) != (args.image is None):
        parser.error("--weights and --image belong together")
    np.random.seed(args.seed)
    return two_digits(args) if args.image is None else photo(args)


if __name__ == "__main__":
    main()
