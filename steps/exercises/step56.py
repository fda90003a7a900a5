"""Exercises of step 56: channels and pooling."""

import numpy as np

import dezero.functions as F
from dezero import Variable
from steps.exercises.kit import Exercise, NotYet, same, true


def check_gray(gray):
    rng = np.random.default_rng(0)
    for shape in ((2, 3, 4, 5), (1, 3, 1, 1), (3, 3, 6, 2)):
        images = rng.uniform(0, 1, shape)
        y = gray(Variable(images))
        true(isinstance(y, Variable), f"gray gave a {type(y).__name__}: a Variable is expected")
        same(y, 0.3 * images[:, :1] + 0.6 * images[:, 1:2] + 0.1 * images[:, 2:], f"gray images of {shape}", tolerance=1e-6)
        true("onv" in type(y.creator).__name__, "the result should come from F.conv2d")


def check_pool(pool):
    rng = np.random.default_rng(0)
    for shape, size in (((2, 3, 4, 6), 2), ((1, 1, 6, 9), 3), ((1, 2, 4, 4), 4), ((2, 1, 3, 2), 1)):
        data, weights = rng.permutation(np.prod(shape)).reshape(shape) - 20.0, rng.normal(size=(*shape[:2], shape[2] // size, shape[3] // size))
        x, expected = Variable(data), Variable(data)
        y, right = pool(x, size), F.max_pool2d(expected, size)
        true(isinstance(y, Variable), f"pool gave a {type(y).__name__}: a Variable is expected")
        same(y, right, f"images of {shape} in windows of {size} x {size}")
        true(type(y.creator) is not type(right.creator), "that is the package's own pooling: make it of a reshape and F.max")
        F.sum(y * weights).backward()
        F.sum(right * weights).backward()
        if x.grad is None:
            raise NotYet("no gradient arrives at the images: compute with Variables, not with their data")
        same(x.grad, expected.grad, f"the gradient for images of {shape}")


def check_narrow(narrow):
    for channels, inner in ((256, 64), (4, 2), (512, 128), (1, 1)):
        right = [channels * channels * 9 + channels,
                 channels * inner + inner + inner * inner * 9 + inner + inner * channels + channels]
        got = narrow(channels, inner)
        true(got is not None, "narrow returned nothing: two numbers are expected")
        same(np.array(got, dtype=float), np.array(right, dtype=float), f"narrow({channels}, {inner})")


EXERCISES = [
    Exercise("gray", "Colour images (N, 3, H, W) to gray ones (N, 1, H, W), 0.3 red + 0.6 green + 0.1 blue, by one F.conv2d; a Variable.",
             ("Which size must the kernel have, so that each pixel is made of its own three colours alone?",
              "The kernels are (1, 3, 1, 1): np.array([0.3, 0.6, 0.1]).reshape(1, 3, 1, 1)."), check_gray),
    Exercise("pool", "F.max_pool2d(x, size) for images whose height and width size divides, by a reshape and F.max, with right gradients.",
             ("Split the axis of H into two: which window, and which row in it. Then do the same with W.",
              "x.reshape(N, C, H // size, size, W // size, size), and F.max over the axes 3 and 5."), check_pool),
    Exercise("narrow", "The parameters of a convolution 3 x 3 from channels to channels, and of three in its place: 1 x 1 to inner, 3 x 3 in inner, "
             "1 x 1 back. All have biases.",
             ("One convolution has OC * C * K * K weights and OC biases.",
              "The three: channels * inner + inner, then 9 * inner**2 + inner, then inner * channels + channels."), check_narrow),
]
