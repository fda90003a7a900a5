"""Style transfer: the shapes of one picture with the colours and textures of another.

What a picture shows is kept in the feature maps of a network, its style in how often these appear together, their Gram matrices. Here it is
no weights that are trained but the picture itself, a Parameter in an otherwise empty Model (Gatys, Ecker and Bethge, "Image style transfer
using convolutional neural networks", 2016).

    python examples/style.py                two pictures made by formulas, and a network of random filters, which see textures well enough
                                            (Ustyuzhaninov et al., "Texture synthesis using shallow CNNs with random filters", 2016)
    python examples/style.py --weights vgg16.npz --content house.jpg --style painting.jpg
"""

import argparse
from pathlib import Path

import numpy as np

import dezero.functions as F
import dezero.layers as L
from dezero import Model, Parameter, no_grad
from dezero.models import VGG16
from dezero.optimizers import Adam
from dezero.viz.plots import image_grid


def random_network():
    """One block of filters that were never trained, and how to bring a picture in 0..1 into their range."""
    filters = L.Conv2d(96, 9, pad=4, in_channels=3, initializer="he")
    filters.W.data -= filters.W.data.mean(axis=(1, 2, 3), keepdims=True)  # they see what changes, and not how bright it is all over
    return [[filters]], lambda image: image * 4 - 2


def vgg16(weights):
    """The same of VGG16, up to the fourth block."""
    net = VGG16()
    net.load_weights(weights)
    blocks = [[getattr(net, f"conv{block}_{i}") for i in range(1, count + 1)] for block, count in enumerate((2, 2, 3, 2), 1)]
    minus_mean = VGG16.preprocess(np.zeros((1, 1, 3), np.uint8), size=None)  # what black becomes: blue, green, red
    return blocks, lambda image: image[:, ::-1] * 255 + minus_mean


def features(blocks, x):
    """The first feature maps of each block, and the last ones of all."""
    firsts = []
    for i, block in enumerate(blocks):
        x = F.avg_pool2d(x, 2) if i else x
        for j, conv in enumerate(block):
            x = F.relu(conv(x))
            if j == 0:
                firsts.append(x)
    return firsts, x


def gram(maps):
    """How often features appear together, wherever that is: (C, C) from maps (1, C, H, W)."""
    rows = F.reshape(maps, (maps.shape[1], -1))
    return F.matmul(rows, rows.T) / rows.shape[1]


def relative_error(y, target):
    """Squared error as a share of the target's squares, so that no layer outweighs the others."""
    return F.sum((y - target) ** 2) / float((target ** 2).sum())


def formula_pictures(side):
    """A disc and a square on a pale ground; slanting waves in three colours."""
    v, u = np.mgrid[0:side, 0:side] / side
    content = np.ones((3, side, side)) * np.array([0.93, 0.91, 0.85])[:, None, None]
    content[:, np.hypot(u - 0.36, v - 0.38) < 0.24] = np.array([[0.75], [0.2], [0.15]])
    content[:, (abs(u - 0.68) < 0.2) & (abs(v - 0.66) < 0.2)] = np.array([[0.15], [0.3], [0.65]])
    wave = np.sin(2 * np.pi * (5 * u + 4 * v + 0.35 * np.sin(2 * np.pi * 2.5 * (u - v))))
    colours = np.array([[0.05, 0.15, 0.35], [0.15, 0.55, 0.65], [0.98, 0.8, 0.3]])
    style = np.stack([np.interp(wave, (-1, 0.1, 1), colours[:, i]) for i in range(3)])
    return content[None].astype(np.float32), style[None].astype(np.float32)


def photo(path, side):
    from PIL import Image

    image = Image.open(path).convert("RGB").resize((side, side))
    return np.asarray(image, np.float32).transpose(2, 0, 1)[None] / 255


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", type=Path, help="a file with VGG16's weights; without it the filters are random")
    parser.add_argument("--content", type=Path, help="the picture whose shapes are kept")
    parser.add_argument("--style", type=Path, help="the picture whose style is taken")
    parser.add_argument("--steps", "--epochs", dest="steps", type=int, help="updates of the picture (200)")
    parser.add_argument("--side", type=int, help="pixels (96, or 224 for VGG16)")
    parser.add_argument("--balance", type=float, default=30.0, help="weight of the style; that of the content is 1 (30)")
    parser.add_argument("--out", type=Path, default=Path("runs/style"), help="the folder for pictures (runs/style)")
    parser.add_argument("--fast", action="store_true", help="30 steps on small pictures")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args(argv)
    np.random.seed(args.seed)
    steps, side = args.steps or (30 if args.fast else 200), args.side or (48 if args.fast else 224 if args.weights else 96)

    content, style = formula_pictures(side)
    content = content if args.content is None else photo(args.content, side)
    style = style if args.style is None else photo(args.style, side)
    blocks, prepare = random_network() if args.weights is None else vgg16(args.weights)
    network = Model()
    network.blocks = blocks
    with no_grad():
        wanted_shapes = features(blocks, prepare(content))[1].data
        wanted_grams = [gram(maps).data for maps in features(blocks, prepare(style))[0]]
    network.freeze()  # no gradients for the filters

    canvas = Model()
    canvas.image = Parameter(content + 0.1 * np.random.standard_normal(content.shape).astype(np.float32))  # noise is a beginning for textures
    optimizer = Adam(0.02).setup(canvas)
    history, stages = {"content": [], "style": []}, []
    for step in range(1, steps + 1):
        firsts, last = features(blocks, prepare(canvas.image))
        loss_content = relative_error(last, wanted_shapes)
        loss_style = sum(relative_error(gram(maps), wanted) for maps, wanted in zip(firsts, wanted_grams, strict=True)) / len(firsts)
        loss = loss_content + args.balance * loss_style
        canvas.cleargrads()
        loss.backward()
        optimizer.update()
        np.clip(canvas.image.data, 0, 1, out=canvas.image.data)  # a picture has no other colours
        history["content"].append(float(loss_content.data))
        history["style"].append(float(loss_style.data))
        if step % max(1, steps // 6) == 0:
            print(f"step {step:4}  content {history['content'][-1]:.4f}  style {history['style'][-1]:.4f}")
            stages.append(canvas.image.data[0].copy())

    image_grid(np.stack([content[0], style[0], canvas.image.data[0]]), ["content", "style", "both"], cols=3, path=args.out / "style.png")
    image_grid(np.stack(stages), cols=len(stages), path=args.out / "stages.png", title="On the way")
    print(f"pictures are in {args.out}")
    return history


if __name__ == "__main__":
    main()
