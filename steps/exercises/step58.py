"""Exercises of step 58: a network from a table, and where it looks."""

import numpy as np

from steps.exercises.kit import Exercise, same, true

VGG16 = [(2, 64), (2, 128), (3, 256), (3, 512), (3, 512)]


def check_count(count):
    for right, table in ((138_357_544, (VGG16, [4096, 4096, 1000], 224, 3)), (21_250, ([(2, 8), (2, 16)], [64, 10], 16, 1)),
                         (1_025, ([(1, 4)], [5], 14, 1)), (355, ([(2, 2)], [3], 14, 1))):
        got = count(*table)
        true(got is not None, "count returned nothing: a number is expected")
        same(got, right, f"count{table}")


def check_sees(sees):
    for right, blocks in ((5, [(2, 8)]), (3, [(1, 8)]), (8, [(1, 8), (1, 8)]), (14, [(2, 8), (2, 16)]), (32, [(2, 8), (2, 16), (2, 32)]),
                          (196, VGG16)):
        got = sees(blocks)
        true(got is not None, "sees returned nothing: a number is expected")
        same(got, right, f"sees({blocks})")


def check_hide_and_look(hide_and_look):
    rng = np.random.default_rng(0)
    for height, width, size in ((4, 6, 2), (3, 3, 1), (8, 4, 4), (5, 7, 2)):
        image, weights = rng.uniform(1, 2, (height, width)), rng.normal(size=(height, width))

        def score(x, weights=weights):
            return float((x * weights).sum())

        before = image.copy()
        right = np.array([[(image * weights)[i:i + size, j:j + size].sum() for j in range(0, width - size + 1, size)]
                          for i in range(0, height - size + 1, size)])
        got = hide_and_look(score, image, size)
        true(got is not None, "hide_and_look returned nothing: an array is expected")
        same(image, before, "the image that was given, afterwards")
        same(np.asarray(got), right, f"an image of {height} x {width}, squares of {size}")


EXERCISES = [
    Exercise("count", "How many parameters VGG(blocks, head, size, channels) has, from the table alone; nothing is built.",
             ("A convolution has 9 weights for each pair of channels and a bias for each channel that goes out. And a linear layer?",
              "Go through the blocks as VGG.__init__ does, keep channels, and add 9 * channels * width + width; "
              "then numbers * width + width for the head."), check_count),
    Exercise("sees", "How many pixels wide the part of the image is on which one number of the last block depends, before its pooling.",
             ("Begin with 1. A convolution adds one step to the left and one to the right. How wide is a step in pixels, before and after a pooling?",
              "seen = step = 1; a convolution: seen += 2 * step; a pooling between two blocks: seen += step, then step *= 2."), check_sees),
    Exercise("hide_and_look", "Cover squares of size x size with zeros, side by side, and see how much score(image) falls; "
             "an array (H // size, W // size).",
             ("Each time cover a copy of the image: the next square needs the whole one again.",
              "covered = image.copy(); covered[i * size:(i + 1) * size, j * size:(j + 1) * size] = 0; falls[i, j] = score(image) - score(covered)."),
             check_hide_and_look),
]
