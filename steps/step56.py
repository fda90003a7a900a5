"""What if an image has colours, and one kernel is not enough?

Step 55 slid one kernel over one table of pixels. A photograph has three tables, for red, green and blue, and a network wants to look for many
things: edges, corners, ends of strokes. Both become one axis, the channels. With it, and with a way to make images smaller, we can build the
first network that sees.
"""

import numpy as np

from support import picture, run

import dezero.functions as F
import dezero.layers as L
from dezero import DataLoader, Variable, no_grad
from dezero.datasets import ArrayDataset, Digits
from dezero.models import Sequential
from dezero.optimizers import Adam

# %% Channels come in
# Several tables of the same size are channels of one image. A kernel then has as many tables of weights. Each slides over its own channel, and what
# they give at the same place is added, and one bias as well. The result is one table. In numbers, for two channels and windows of 2 x 2:


def slide(table, weights):
    height, width = weights.shape
    places = [(i, j) for i in range(table.shape[0] - height + 1) for j in range(table.shape[1] - width + 1)]
    sums = [np.sum(table[i:i + height, j:j + width] * weights) for i, j in places]
    return np.reshape(sums, (table.shape[0] - height + 1, -1))


def in_row(table, i):
    return " ".join(f"{number:2.0f}" for number in table[i]) if i < len(table) else " " * (3 * table.shape[1] - 1)


def two_channels():
    x = np.array([[[1.0, 2, 0], [0, 1, 3], [2, 0, 1]], [[0, 1, 1], [2, 0, 1], [1, 3, 0]]])
    W = np.array([[[[1.0, 0], [0, -1]], [[0, 2], [1, 0]]]])
    parts = [slide(x[c], W[0, c]) for c in range(2)]
    total = F.conv2d(x[None], W, np.array([5.0])).data[0, 0]
    print("channel 0   weights   result    channel 1   weights   result    both, and a bias of 5")
    for i in range(3):
        columns = [column for c in range(2) for column in (in_row(x[c], i), in_row(W[0, c], i), in_row(parts[c], i))]
        print("    ".join([*columns, in_row(total, i)]).rstrip())
    return {"parts": parts, "total": total}


# %% Channels go out
# To look for 16 things, take 16 kernels. Each makes a table, and these are the 16 channels of the result. So all images of a batch are an array
# (N, C, H, W), all kernels one of (OC, C, KH, KW), and the result is (N, OC, OH, OW). The next convolution looks at these 16 channels as this one at
# its input: its kernels have 16 tables each. So from edges come corners, and from corners come parts of digits.


def by_loops(x, W, b):
    return np.array([[sum(slide(table, weights) for table, weights in zip(image, kernel, strict=True)) + bias
                      for kernel, bias in zip(W, b, strict=True)] for image in x])


def batches_of_channels():
    rng = np.random.default_rng(0)
    x, W, b = rng.normal(size=(5, 3, 8, 8)), rng.normal(size=(16, 3, 3, 3)), rng.normal(size=16)
    y = F.conv2d(x, W, b)
    worst = float(np.abs(y.data - by_loops(x, W, b)).max())
    print(f"\nimages {x.shape}, kernels {W.shape}, biases {b.shape}: {y.shape}; equal to loops: {worst < 1e-12}")
    return {"shape": y.shape, "worst": worst}


# %% Windows of one pixel
# A kernel of 1 x 1 sees no neighbours. Yet it is of use: at each pixel it makes new channels out of the old ones. It is a linear layer on the
# channels, the same at each pixel. Networks use it to make many channels few, cheaply.


def one_by_one():
    rng = np.random.default_rng(0)
    x, W = rng.normal(size=(5, 16, 8, 8)), rng.normal(size=(4, 16, 1, 1))
    y = F.conv2d(x, W)
    linear = x.transpose(0, 2, 3, 1) @ W[:, :, 0, 0].T
    worst = float(np.abs(y.data - linear.transpose(0, 3, 1, 2)).max())
    print(f"images {x.shape}, kernels {W.shape}: {y.shape}; equal to a linear layer per pixel: {worst < 1e-12}")
    return worst


# %% Pooling
# To read a digit, one need not know to the pixel where a stroke ends. Pooling lays windows side by side, and keeps of each the largest number: is the
# edge anywhere in here? The image has half the height and width then, and what moves by a pixel often stays in its window. There is nothing to
# learn in it. Backward, the gradient goes to the number that was the largest; the others did not matter.
#
# Mind the frame. Pooling with a pad must not put zeros around the image: among negative numbers, a zero wins though it is no pixel.


def pooling():
    x = Variable(np.array([[1.0, 2, 0, 3], [0, 1, 5, 1], [2, 0, 1, 0], [1, 4, 0, 2]])[None, None])
    gy = np.array([[10.0, 20], [30, 40]])
    y = F.max_pool2d(x, 2)
    y.grad = Variable(gy[None, None])
    y.backward()
    print(f"\n{'image':15}{'largest':11}{'gradient that arrives':25}where it goes")
    for i in range(4):
        print(f"{in_row(x.data[0, 0], i):15}{in_row(y.data[0, 0], i):11}{in_row(gy, i):25}{in_row(x.grad.data[0, 0], i)}")
    negative = np.full((1, 1, 3, 3), -1.0)
    zeros = F.max_pool2d(np.pad(negative, ((0, 0), (0, 0), (1, 1), (1, 1))), 3, stride=2).data[0, 0]
    padded = F.max_pool2d(negative, 3, stride=2, pad=1).data[0, 0]
    print(f"an image of -1 only, with a frame: the largest would be {zeros[0, 0]:.0f} with zeros around it; pad=1 gives {padded[0, 0]:.0f}")
    return {"largest": y.data[0, 0], "gradient": x.grad.data[0, 0], "with zeros": zeros, "padded": padded}


# %% What it costs
# A kernel of 3 x 3 has 9 weights for each channel that comes in, and one bias. The size of the image does not enter. A linear layer between the same
# numbers has a weight for each pair of them.

LAYERS = [(8, 1, 16), (224, 3, 64), (14, 512, 512)]


def count_parameters():
    print("\nsize of the image   channels     convolution 3 x 3         linear layer")
    found = []
    for size, C, OC in LAYERS:
        convolution, linear = OC * C * 9 + OC, (C * size**2 + 1) * OC * size**2
        found.append([convolution, linear])
        print(f"{f'{size} x {size}':17} {C:4} to {OC:3} {convolution:21,} {linear:20,}")
    return found


# %% A network that sees
# Twice a convolution with ReLU and pooling, then a linear layer to the ten digits: this is a convolutional network, in short CNN. On the way the
# image shrinks from 8 x 8 to 2 x 2, and its channels grow from 1 to 32. It meets the network of step 51 on the test set, and on the same images
# moved by one pixel to each of four sides. Neither has seen moved images. (A row of ink is lost in moving, as the digits fill their 8 x 8 pixels.)
#
# Both read the test set as well as each other, the CNN with a quarter of the parameters. On moved images it is clearly better, and still far from
# good: it knows a stroke wherever it is, but its last layer wants to know in which quarter of the image.


def cnn():
    return Sequential(L.Conv2d(16, 3, pad=1, in_channels=1, initializer="he"), F.relu, L.MaxPool2d(2),
                      L.Conv2d(32, 3, pad=1, in_channels=16, initializer="he"), F.relu, L.MaxPool2d(2), L.Flatten(), L.Linear(10, in_size=128))


def two_linear_layers():
    return Sequential(L.Flatten(), L.Linear(300, in_size=64, initializer="he"), F.relu, L.Linear(10, in_size=300))


def images_of(digits):
    return (digits.data / 16).astype(np.float32), digits.label


def train(make, x, t, seed, epochs=10):
    np.random.seed(seed)
    model = make()
    optimizer = Adam(0.003).setup(model)
    for _ in range(epochs):
        for xs, ts in DataLoader(ArrayDataset(x, t), 32):
            loss = F.softmax_cross_entropy(model(xs), ts)
            model.cleargrads()
            loss.backward()
            optimizer.update()
    return model


def right(model, x, t):
    with no_grad():
        return float(F.accuracy(model(x), t).data)


def moved(x, down, across):
    framed = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    return framed[:, :, 1 - down:9 - down, 1 - across:9 - across]


def compare():
    (x, t), (test_x, test_t) = images_of(Digits()), images_of(Digits(train=False))
    print("\nthree seeds        parameters   right on the test set   moved by a pixel")
    found, models = {}, {}
    for name, make in (("convolutions", cnn), ("two linear layers", two_linear_layers)):
        models[name] = [train(make, x, t, seed) for seed in range(3)]
        test = [right(model, test_x, test_t) for model in models[name]]
        aside = [np.mean([right(model, moved(test_x, *by), test_t) for by in ((0, 1), (0, -1), (1, 0), (-1, 0))]) for model in models[name]]
        found[name] = {"parameters": models[name][0].count_params(), "test": test, "moved": aside}
        print(f"{name:18} {found[name]['parameters']:10,} {np.mean(test):19.1%} {np.mean(aside):20.0%}")
    return found, models["convolutions"][0], x[12:13]


# %% What it sees
# With ``--out``: eight of the kernels that the first convolution has learned, what they make of the 5 of step 55, and what pooling keeps of that.


def draw_maps(path, model, x):
    with no_grad():
        maps = F.relu(model[0](x))
        kept = model[2](maps).data[0]
    kernels, maps = model[0].W.data[:, 0], maps.data[0]
    strong = np.sort(np.argsort(-maps.max((1, 2)), kind="stable")[:8])
    with picture(path, rows=3, columns=9, size=(11.0, 4.2)) as axes:
        for ax in axes[1:, 0]:
            ax.set_axis_off()
        axes[0, 0].imshow(x[0, 0], cmap="gray_r")
        axes[0, 0].set_title("the image", size=10)
        for column, k in enumerate(strong, 1):
            reach = np.abs(kernels[strong]).max()
            axes[0, column].imshow(kernels[k], cmap="PuOr", vmin=-reach, vmax=reach)
            axes[0, column].set_title(f"kernel {k}", size=10)
            axes[1, column].imshow(maps[k], cmap="gray_r", vmin=0, vmax=maps[strong].max())
            axes[2, column].imshow(kept[k], cmap="gray_r", vmin=0, vmax=maps[strong].max())
        axes[1, 1].set_ylabel("its channel\nafter ReLU", size=10)
        axes[2, 1].set_ylabel("after\npooling", size=10)
        for ax in axes.flat:
            ax.set(xticks=[], yticks=[])
        axes[0, 0].figure.suptitle("Learned kernels (violet: positive weights, orange: negative) and what they find")


def main(out=None, fast=False):
    channels = two_channels()
    batch = batches_of_channels()
    mixed = one_by_one()
    pooled = pooling()
    counts = count_parameters()
    compared, model, image = compare()
    if out:
        draw_maps(out / "maps.png", model, image)
    return {**channels, "batch": batch, "one by one": mixed, "pooling": pooled, "counts": counts, "networks": compared}


# %% Exercises: python -m steps.check 56 my_answer.py
# 1. ``gray(images)``: colour images (N, 3, H, W) to gray ones (N, 1, H, W), 0.3 red + 0.6 green + 0.1 blue, by one F.conv2d; a Variable.
# 2. ``pool(x, size)``: F.max_pool2d(x, size) for images whose height and width size divides, by a reshape and F.max. Gradients must be right.
# 3. ``narrow(channels, inner)``: a convolution 3 x 3 from channels to as many channels, done in three: 1 x 1 to inner, 3 x 3 from inner to inner,
#    1 x 1 back, all with biases. Return the parameters of the one, and of the three together.

if __name__ == "__main__":
    run(main)
