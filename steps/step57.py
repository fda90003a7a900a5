"""How does a convolution become fast, and how does its gradient go back?

Step 55 moved a window by loops, and each place was a few calls of NumPy from Python. A network wants millions of places. The way out is a
rearrangement: lay all windows out as rows of one matrix. Then a convolution is one matrix product, which computers are best at. And as we know the
backward of a matrix product, we nearly know that of a convolution.
"""

import time

import numpy as np

from support import picture, run

import dezero.functions as F
from dezero import Function, Variable
from dezero.errors import GradientCheckError
from dezero.testing import check_gradients

# %% Loops
# First the plain way, as a measure of truth: for each image, each kernel and each place, one window times one kernel. Height and width may
# differ in everything, so kernel, stride and pad are pairs. Beside its result each way counts its calls of NumPy, and how many numbers it copies.


def framed(x, pad):
    return np.pad(x, ((0, 0), (0, 0), (pad[0], pad[0]), (pad[1], pad[1])))


def out_size(x, kernel, stride, pad):
    return [(n + 2 * p - k) // s + 1 for n, k, s, p in zip(x.shape[2:], kernel, stride, pad, strict=True)]


def conv_loops(x, W, stride=(1, 1), pad=(0, 0)):
    (KH, KW), (OH, OW), x = W.shape[2:], out_size(x, W.shape[2:], stride, pad), framed(x, pad)
    y, calls = np.zeros((len(x), len(W), OH, OW)), 0
    for n, o, i, j in np.ndindex(y.shape):
        window = x[n, :, i * stride[0]:i * stride[0] + KH, j * stride[1]:j * stride[1] + KW]
        y[n, o, i, j] = np.sum(window * W[o])
        calls += 2
    return y, calls, 0


# %% Windows as a matrix
# Not a window at a time, but a pixel of all windows at a time: the upper left pixels of all windows are the image itself, with steps of stride; the
# pixels beside them are the same, begun one column later. So a kernel of 3 x 3 needs nine copies, however large the image is. The name of this in
# the field is im2col, "image to columns". A row of the matrix is one window through all channels.


def im2col(x, kernel, stride=(1, 1), pad=(0, 0)):
    (KH, KW), (OH, OW), x = kernel, out_size(x, kernel, stride, pad), framed(x, pad)
    columns = np.zeros((*x.shape[:2], KH, KW, OH, OW))
    for k, m in np.ndindex(KH, KW):
        columns[:, :, k, m] = x[:, :, k:k + OH * stride[0]:stride[0], m:m + OW * stride[1]:stride[1]]
    return columns.transpose(0, 4, 5, 1, 2, 3).reshape(len(x) * OH * OW, -1)


def conv_columns(x, W, stride=(1, 1), pad=(0, 0)):
    matrix = im2col(x, W.shape[2:], stride, pad)
    y = matrix @ W.reshape(len(W), -1).T
    places = (len(x), *out_size(x, W.shape[2:], stride, pad), len(W))
    # each number is copied twice: into its column, and once more as the axes change their order
    return y.reshape(places).transpose(0, 3, 1, 2), W.shape[2] * W.shape[3] + 1, 2 * matrix.size


# %% Windows without a copy
# An array knows how far it is in memory from one number to the next along each axis: its strides. Two axes more, and the same memory can be read as
# windows that overlap. NumPy has this ready, and nothing is copied, until ``tensordot`` lays them out for its product, once.


def conv_view(x, W, stride=(1, 1), pad=(0, 0)):
    windows = np.lib.stride_tricks.sliding_window_view(framed(x, pad), W.shape[2:], axis=(2, 3))[:, :, ::stride[0], ::stride[1]]
    return np.tensordot(windows, W, axes=((1, 4, 5), (1, 2, 3))).transpose(0, 3, 1, 2), 2, windows.size


WAYS = {"loops": conv_loops, "im2col": conv_columns, "view": conv_view}


def show_columns():
    x = np.arange(1.0, 13).reshape(1, 1, 3, 4)
    matrix, uses = im2col(x, (2, 2)), AddBack((1, 1, 3, 4), (2, 2))(np.ones((6, 4))).data[0, 0].astype(int)
    print(f"{'image':18}{'one row a window of 2 x 2':31}rows of ones, added back")
    for i, row in enumerate(matrix):
        left, right = ([" ".join(f"{number:2.0f}" for number in table[i]) for table in (x[0, 0], uses)] if i < 3 else ["", ""])
        print(f"{left:18}{' '.join(f'{number:2.0f}' for number in row):31}{right}".rstrip())
    return {"matrix": matrix, "uses": uses}


def count_work(rng):
    x, W = rng.normal(size=(16, 3, 28, 28)), rng.normal(size=(8, 3, 3, 3))
    print("\n16 images (3, 28, 28), 8 kernels (3, 3, 3)    multiplications   calls of NumPy   numbers copied")
    found = {}
    for name, way in WAYS.items():
        y, calls, copied = way(x, W, pad=(1, 1))
        found[name] = {"multiplications": y.size * W[0].size, "calls": calls, "copied": copied}
        print(f"{name:38} {y.size * W[0].size:22,} {calls:16,} {copied:16,}")
    return found


# %% The same numbers
# Fifty settings by lot, with kernels, strides and pads that differ in height and width. The loops are slow and plain, so what agrees with them is
# right. Pooling goes through the same windows: the largest number of each row, instead of a product.


def pool_loops(x, kernel, stride):
    y = np.zeros((*x.shape[:2], *out_size(x, kernel, stride, (0, 0))))
    for n, c, i, j in np.ndindex(y.shape):
        y[n, c, i, j] = x[n, c, i * stride[0]:i * stride[0] + kernel[0], j * stride[1]:j * stride[1] + kernel[1]].max()
    return y


def pool_columns(x, kernel, stride):
    OH, OW = out_size(x, kernel, stride, (0, 0))
    return im2col(x, kernel, stride).reshape(len(x), OH, OW, x.shape[1], -1).max(4).transpose(0, 3, 1, 2)


def pool_view(x, kernel, stride):
    return np.lib.stride_tricks.sliding_window_view(x, kernel, axis=(2, 3))[:, :, ::stride[0], ::stride[1]].max((4, 5))


def random_settings(rng, count=50):
    apart = dict.fromkeys(["im2col", "view", "F.conv2d", "pool: im2col", "pool: view", "F.max_pool2d"], 0.0)
    unequal = 0
    for _ in range(count):
        N, C, OC, H, W = (int(n) for n in rng.integers((1, 1, 1, 5, 5), (4, 4, 5, 12, 12)))
        kernel, stride, pad = (tuple(int(n) for n in rng.integers(low, high, 2)) for low, high in ((1, 5), (1, 4), (0, 3)))
        x, weights = rng.normal(size=(N, C, H, W)), rng.normal(size=(OC, C, *kernel))
        unequal += kernel[0] != kernel[1]
        right, largest = conv_loops(x, weights, stride, pad)[0], pool_loops(x, kernel, stride)
        tried = [(conv_columns(x, weights, stride, pad)[0], right), (conv_view(x, weights, stride, pad)[0], right),
                 (F.conv2d(x, weights, stride=stride, pad=pad).data, right), (pool_columns(x, kernel, stride), largest),
                 (pool_view(x, kernel, stride), largest), (F.max_pool2d(x, kernel, stride).data, largest)]
        for name, (got, expected) in zip(apart, tried, strict=True):
            apart[name] = max(apart[name], float(np.abs(got - expected).max()))
    agree = ", ".join(name for name, most in apart.items() if most < 1e-10)
    print(f"\n{count} random settings, {unequal} with kernels that are not square. As the loops, to 10 digits:\n    {agree}")
    return {"apart": apart, "unequal": unequal, "count": count}


# %% The way back
# The convolution is two things in a row now: windows to a matrix, and a product. Backward, the product gives each number of the matrix its gradient.
# A pixel stands in the matrix several times, once for each window that it is in; it was used several times, so its gradients are added (step 14).
# This is ``AddBack``, and the forward of one is the backward of the other, as with the partners of step 40. So each needs nothing but the other, and
# derivatives of any order are right.


class Columns(Function):
    def __init__(self, kernel, stride=(1, 1), pad=(0, 0)):
        self.settings = kernel, stride, pad

    def forward(self, x):
        self.shape = x.shape
        return im2col(x, *self.settings)

    def backward(self, gy):
        return AddBack(self.shape, *self.settings)(gy)


class AddBack(Function):
    def __init__(self, shape, kernel, stride=(1, 1), pad=(0, 0)):
        self.shape, self.settings = shape, (kernel, stride, pad)

    def forward(self, matrix):
        (KH, KW), stride, pad = self.settings
        N, C, H, W = self.shape
        OH, OW = out_size(np.empty(self.shape), *self.settings)
        columns = matrix.reshape(N, OH, OW, C, KH, KW).transpose(0, 3, 4, 5, 1, 2)
        x = np.zeros((N, C, H + 2 * pad[0], W + 2 * pad[1]))
        for k, m in np.ndindex(KH, KW):
            x[:, :, k:k + OH * stride[0]:stride[0], m:m + OW * stride[1]:stride[1]] += columns[:, :, k, m]
        return x[:, :, pad[0]:pad[0] + H, pad[1]:pad[1] + W]

    def backward(self, gx):
        return Columns(*self.settings)(gx)


def conv2d(x, W, stride=(1, 1), pad=(0, 0)):
    N, (OH, OW) = x.shape[0], out_size(x, W.shape[2:], stride, pad)
    y = F.matmul(Columns(W.shape[2:], stride, pad)(x), W.reshape(W.shape[0], -1).T)
    return y.reshape(N, OH, OW, W.shape[0]).transpose(0, 3, 1, 2)


def max_pool(x, kernel, stride):
    (N, C), (OH, OW) = x.shape[:2], out_size(x, kernel, stride, (0, 0))
    return F.max(Columns(kernel, stride)(x).reshape(N, OH, OW, C, -1), axis=4).transpose(0, 3, 1, 2)


# %% Is it right, twice?
# Step 10's check compares a gradient with differences. It can be done once more, with the gradient in the place of the function. The last line shows
# why: ``OnArrays`` computes its backward on bare arrays. Its gradient is right, but has no history, as in step 30. The gradient penalty of
# step 36, for one, would be wrong with it, and nothing would be said.


class OnArrays(Columns):
    def backward(self, gy):
        return Variable(AddBack(self.shape, *self.settings).forward(gy.data))


def check_derivatives(rng):
    x, W = rng.normal(size=(2, 2, 5, 4)), rng.normal(size=(3, 2, 3, 2))
    stride, pad = (2, 1), (1, 0)
    cases = {"conv2d of this script": (lambda x, W: conv2d(x, W, stride, pad), x, W),
             "F.conv2d": (lambda x, W: F.conv2d(x, W, stride=stride, pad=pad), x, W),
             "max_pool of this script": (lambda x: max_pool(x, (3, 2), (1, 2)) ** 2, x),
             "F.max_pool2d": (lambda x: F.max_pool2d(x, (3, 2), (1, 2)) ** 2, x),
             "a backward on bare arrays": (lambda x: OnArrays((2, 2))(x) ** 2, x)}
    print("\nderivatives against differences        first    second")
    found = {}
    for name, (f, *inputs) in cases.items():
        found[name] = [is_right(f, inputs, order) for order in (1, 2)]
        print(f"{name:36} " + " ".join(f"{'right' if right else 'wrong':>8}" for right in found[name]).rstrip())
    return found


def is_right(f, inputs, order):
    try:
        check_gradients(f, *inputs, order=order)
    except GradientCheckError:
        return False
    return True


# %% Pictures
# With ``--out``: the matrix of a small image, and how long each way takes on this computer.


def draw_columns(path):
    image = np.arange(1.0, 13).reshape(3, 4)
    matrix = im2col(image[None, None], (2, 3))
    with picture(path, columns=2, size=(8.4, 3.6)) as (left, right):
        for ax, table in ((left, image), (right, matrix)):
            ax.imshow(table, cmap="viridis", vmin=-2, vmax=15)
            for (i, j), number in np.ndenumerate(table):
                ax.text(j, i, f"{number:.0f}", ha="center", va="center", color="white" if number < 9 else "black")
            ax.set(xticks=[], yticks=[])
        for place, (color, gap) in enumerate((("#D55E00", 0.46), ("#F0C000", 0.36))):  # their frames overlap, one lies within the other
            draw_frame(left, place, 0, place + 2, 1, gap, color)
            draw_frame(right, 0, place, 5, place, gap, color)
        left.set_title("An image of 3 x 4, two windows of 2 x 3")
        right.set(title="Its matrix: a row is a window", xlabel="place in the window", ylabel="window")


def draw_frame(ax, left, top, right, bottom, gap, color):
    across, down = (left - gap, right + gap), (top - gap, bottom + gap)
    ax.plot([across[i] for i in (0, 1, 1, 0, 0)], [down[i] for i in (0, 0, 1, 1, 0)], color=color, linewidth=3)


def draw_times(path, rng):
    sizes = [8, 16, 32, 64]
    seconds = {name: [] for name in [*WAYS, "F.conv2d"]}
    for size in sizes:
        x, W = rng.normal(size=(4, 8, size, size)), rng.normal(size=(8, 8, 3, 3))
        for name, way in [*WAYS.items(), ("F.conv2d", F.conv2d)]:
            runs = []  # the shortest of them counts: in others the computer was busy with something else
            for _ in range(1 if name == "loops" else 20):
                begin = time.perf_counter()
                way(x, W)
                runs.append(time.perf_counter() - begin)
            seconds[name].append(min(runs))
    with picture(path, size=(6.6, 4.2)) as ax:
        for (name, times), color, mark in zip(seconds.items(), ("#D55E00", "#0072B2", "#009E73", "#000000"), "osD^", strict=True):
            ax.loglog(sizes, np.multiply(times, 1000), mark + "-", color=color, label=name)
        ax.set(title="Time of a convolution of 4 images with 8 channels, 8 kernels of 3 x 3", xlabel="height and width of the images",
               ylabel="milliseconds on this computer", xticks=sizes, xticklabels=sizes)
        ax.title.set_size(11)
        ax.minorticks_off()
        ax.grid(alpha=0.3)
        ax.legend()


def main(out=None, fast=False):
    rng = np.random.default_rng(0)
    columns = show_columns()
    work = count_work(rng)
    settings = random_settings(rng)
    derivatives = check_derivatives(rng)
    if out:
        draw_columns(out / "columns.png")
        draw_times(out / "times.png", rng)
    return {**columns, "work": work, **settings, "derivatives": derivatives}


# %% Exercises: python -m steps.check 57 my_answer.py
# 1. ``uses(size, kernel, stride)``: an array (H, W): in how many windows each pixel of an image of size (H, W) is. All are pairs; there is no pad.
# 2. ``mean_pool(x, kernel)``: the mean of windows that lie side by side, kernel a pair, as a Variable; no F.avg_pool2d. Both derivatives right.
# 3. ``kernel_gradient(x, gy, kernel)``: the gradient of W (OC, C, KH, KW) for y = conv2d(x, W), from arrays x (N, C, H, W) and gy (N, OC, OH, OW).

if __name__ == "__main__":
    run(main)
