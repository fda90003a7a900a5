"""What does a network see that looks at an image through a small window?

The network of step 51 got a digit as a row of 64 numbers. It never learned that two pixels are neighbours. This script begins with another way
to look: a small table of weights slides over the image, and at each place it gives one number. This is a convolution, the part of which nearly
all networks for images are made.
"""

import numpy as np

from support import picture, run

import dezero.functions as F
from dezero.datasets import Digits
from dezero.functions_conv import get_conv_outsize

# %% A row forgets what is near
# Let us exchange the pixels of all images in the same way, in an order drawn by lot. For our eyes nothing is left of the digits. For a linear layer
# nothing has changed: if its weights are exchanged in the same way, it gives the same numbers, so it learns the same. It makes no use of the
# fact that an image has rows and columns, that near pixels belong together, and that a stroke is the same stroke one pixel further to the right.


def shuffled_pixels(image):
    rng = np.random.default_rng(0)
    weights, order = rng.normal(size=(64, 10)), rng.permutation(64)
    plain, mixed = image.reshape(1, 64) @ weights, image.reshape(1, 64)[:, order] @ weights[order]
    same = bool(np.allclose(plain, mixed))
    print(f"pixels in an order by lot, weights as well: a linear layer gives the same numbers: {same}")
    return same


# %% A window of 3 x 3
# Now take a table of 3 x 3 weights, called a kernel or a filter. Lay it on the image, multiply each pixel with the weight that lies on it, and add
# the nine products. The result is one number for this place. Then move the window by a pixel, and do it again, over the whole image. The numbers
# form an image again. With ``stride`` the window moves several pixels at a time; with ``pad`` a frame of zeros is put around the image first.

LEFT_TO_RIGHT = np.array([[-1.0, 0, 1], [-1, 0, 1], [-1, 0, 1]])


def slide(image, kernel, stride=1, pad=0):
    image = np.pad(image, pad)
    height, width = kernel.shape
    rows = range(0, image.shape[0] - height + 1, stride)
    columns = range(0, image.shape[1] - width + 1, stride)
    return np.array([[np.sum(image[i:i + height, j:j + width] * kernel) for j in columns] for i in rows])


# %% Frame by frame
# This kernel takes the left column of the window from its right column. Where the ink is even, the two are equal and the result is 0. Where the ink
# begins, it is large, and where it ends, it is as much below 0. So the kernel finds edges, those that run from top to bottom. Here it is in
# the third row of windows, at each of its six places. Ink goes from 0 to 16.


def show_frames(image, row=2):
    result = slide(image, LEFT_TO_RIGHT)
    print(f"\nwindows at rows {row} to {row + 2}, each row of pixels; below it right column less left column")
    for i in range(row, row + 3):
        print("    ".join(" ".join(f"{ink:2.0f}" for ink in image[i, j:j + 3]) for j in range(6)))
    sums = image[row:row + 3].sum(axis=0)
    print("   ".join(f"{sums[j + 2]:2.0f}-{sums[j]:2.0f}={result[row, j]:3.0f}" for j in range(6)))
    return result


# %% The whole image
# The same window over the whole digit, and its transpose, which takes the row above from the row below. One sees the strokes twice: once where
# they begin, once where they end. Each kernel has nine weights, whatever the size of the image; a unit of a linear layer has 64 here.


def show_results(image):
    upright, level = slide(image, LEFT_TO_RIGHT), slide(image, LEFT_TO_RIGHT.T)
    print(f"\n{'digit':18}{'left to right':27}top to bottom")
    for i, ink in enumerate(image):
        drawn = "".join(" .:-=+*#%@"[int(number / 16 * 9.99)] * 2 for number in ink)
        numbers = ["".join(f"{number:4.0f}" for number in table[i - 1]) if 1 <= i <= 6 else " " * 24 for table in (upright, level)]
        print(f"{drawn}  {numbers[0]}   {numbers[1]}".rstrip())
    return upright, level


# %% What moves, moves along
# Shift the digit one column to the right, and each of its edges is found one column further to the right, with the same number. Nobody had to learn
# that: the weights are the same at all places. This is why a convolution needs so few of them.


def shifted(image):
    wide = np.pad(image, ((0, 0), (1, 2)))
    before, after = slide(wide, LEFT_TO_RIGHT), slide(np.roll(wide, 1, axis=1), LEFT_TO_RIGHT)
    return bool(np.array_equal(before[:, :-1], after[:, 1:]))


# %% How large is the result?
# Along an axis of n pixels with a pad of p at both ends there are n + 2p pixels. The first window begins at pixel 0, the last one at n + 2p - k at
# most, if k is the kernel's size. It moves by s each time. So the result has the size (n + 2p - k) // s + 1. If the division leaves a rest, that
# many pixels at the end are in no window. A kernel of 3 with a pad of 1, or of 5 with 2, keeps the size if the stride is 1.

SETTINGS = [(8, 3, 1, 0), (8, 3, 2, 0), (28, 5, 1, 2), (28, 3, 2, 1), (224, 7, 2, 3)]


def show_sizes():
    print("\n size kernel stride pad   (size + 2 pad - kernel) // stride + 1   windows counted")
    found = {}
    for size, kernel, stride, pad in SETTINGS:
        counted = len(slide(np.zeros((size, kernel)), np.ones((kernel, kernel)), stride, pad))
        found[f"{size},{kernel},{stride},{pad}"] = [get_conv_outsize(size, kernel, stride, pad), counted]
        print(f"{size:5} {kernel:6} {stride:6} {pad:3} {(size + 2 * pad - kernel) // stride + 1:20} {counted:32}")
    return found


# %% The package's convolution
# It is ``F.conv2d``. It wants four axes for images, and four for kernels; what the other two are for is the matter of the next step. In mathematics
# a convolution turns the kernel by 180 degrees before it slides. Networks do not, as they learn the kernel anyway; they kept the name.


def compare(image):
    worst = 0.0
    for stride, pad in ((1, 0), (1, 1), (2, 0), (2, 1)):
        y = F.conv2d(image[None, None], LEFT_TO_RIGHT[None, None], stride=stride, pad=pad)
        worst = max(worst, float(np.abs(y.data[0, 0] - slide(image, LEFT_TO_RIGHT, stride, pad)).max()))
    return worst


# %% A film
# With ``--out``: slide.gif shows all places of the window, frames.png six of them.


def draw_frame(axes, image, result, row, column):
    left, right = axes
    left.imshow(image, cmap="gray_r", vmin=0, vmax=34)
    left.plot(column + np.array([-0.5, 2.5, 2.5, -0.5, -0.5]), row + np.array([-0.5, -0.5, 2.5, 2.5, -0.5]), color="#00805A", linewidth=3)
    for i, j in np.ndindex(3, 3):
        if LEFT_TO_RIGHT[i, j]:
            left.text(column + j, row + i, "+" if LEFT_TO_RIGHT[i, j] > 0 else "−", ha="center", va="center", size=13, weight="bold",
                      color="#00573D")
    seen = np.full(result.shape, np.nan)
    done = row * result.shape[1] + column + 1
    seen.flat[:done] = result.flat[:done]
    right.imshow(seen, cmap="PuOr", vmin=-48, vmax=48)
    for i, j in np.argwhere(~np.isnan(seen)):
        here = (i, j) == (row, column)
        right.text(j, i, f"{seen[i, j]:.0f}", ha="center", va="center", size=9, weight="bold" if here else None,
                   color="white" if abs(seen[i, j]) > 30 else "black")
    right.plot(column + np.array([-0.5, 0.5, 0.5, -0.5, -0.5]), row + np.array([-0.5, -0.5, 0.5, 0.5, -0.5]), color="#00805A", linewidth=3)
    for ax in axes:
        ax.set(xticks=[], yticks=[])


def draw_frames(path, image, result):
    with picture(path, rows=3, columns=4, size=(10.0, 8.2)) as axes:
        pairs = [axes[i // 2, i % 2 * 2:i % 2 * 2 + 2] for i in range(6)]
        for pair, place in zip(pairs, ((0, 0), (0, 3), (2, 0), (2, 2), (4, 4), (5, 5)), strict=True):
            draw_frame(pair, image, result, *place)
            pair[0].set_title(f"window at row {place[0]}, column {place[1]}", size=10)
            pair[1].set_title(f"its number: {result[place]:.0f}", size=10)
        axes[0, 0].figure.suptitle("A kernel that finds edges slides over a 5: right column (+) less left column (−)")


def draw_film(path, image, result):
    from matplotlib.animation import FuncAnimation, PillowWriter
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.0, 3.2), layout="constrained")
    axes = figure.subplots(1, 2)

    def frame(number):
        row, column = divmod(number, result.shape[1])
        for ax in axes:
            ax.clear()
        draw_frame(axes, image, result, row, column)
        axes[0].set_title("right column (+) less left (−)", size=10)
        axes[1].set_title(f"row {row}, column {column}: {result[row, column]:.0f}", size=10)

    FuncAnimation(figure, frame, frames=result.size, init_func=lambda: None).save(path, writer=PillowWriter(fps=4), dpi=80)


def main(out=None, fast=False):
    image = Digits().data[12, 0].astype(float)
    unnoticed = shuffled_pixels(image)
    result = show_frames(image)
    upright, level = show_results(image)
    moved, sizes, worst = shifted(image), show_sizes(), compare(image)
    print(f"digit moved right by a pixel: its numbers move along, unchanged: {moved};  F.conv2d agrees: {worst < 1e-12}")
    if out:
        draw_frames(out / "frames.png", image, result)
        draw_film(out / "slide.gif", image, result)
    return {"image": image, "unnoticed": unnoticed, "upright": upright, "level": level, "moved": moved, "sizes": sizes, "worst": worst}


# %% Exercises: python -m steps.check 55 my_answer.py
# 1. ``unseen(size, kernel, stride, pad)``: how many of the size pixels along an axis are in no window? A stride may be larger than the kernel.
# 2. ``contrast_kernel()``: the 3 x 3 kernel that gives how much a pixel is above the mean of its eight neighbours.
# 3. ``find(image, patch)``: the (row, column) at which patch (h, w) lies in an image. The window with the largest slide(image, patch) is not it:
#    bright places win. The smallest sum of squared differences is it: make it of three sums, with ``slide`` and no other loop.

if __name__ == "__main__":
    run(main)
