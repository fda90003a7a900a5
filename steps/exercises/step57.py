"""Exercises of step 57: windows as a matrix, and the way back."""

import numpy as np

import dezero.functions as F
from dezero import Variable
from dezero.errors import GradientCheckError
from dezero.testing import check_gradients
from steps.exercises.kit import Exercise, NotYet, same, true


def check_uses(uses):
    for size, kernel, stride in (((3, 4), (2, 2), (1, 1)), ((5, 5), (3, 2), (1, 1)), ((6, 7), (3, 3), (2, 3)), ((4, 9), (1, 2), (1, 4)),
                                 ((3, 3), (3, 3), (1, 1))):
        right = np.zeros(size)
        for i in range(0, size[0] - kernel[0] + 1, stride[0]):
            for j in range(0, size[1] - kernel[1] + 1, stride[1]):
                right[i:i + kernel[0], j:j + kernel[1]] += 1
        got = uses(size, kernel, stride)
        true(got is not None, "uses returned nothing: an array is expected")
        same(got, right, f"uses({size}, {kernel}, {stride})")


def check_mean_pool(mean_pool):
    rng = np.random.default_rng(0)
    for shape, kernel in (((2, 3, 4, 6), (2, 3)), ((1, 1, 6, 5), (2, 5)), ((1, 2, 5, 7), (2, 2))):
        x = rng.normal(size=shape)
        y = mean_pool(Variable(x), kernel)
        true(isinstance(y, Variable), f"mean_pool gave a {type(y).__name__}: a Variable is expected")
        right = F.avg_pool2d(x, kernel)
        same(y, right, f"means of windows {kernel} in images of {shape}")
        own = F.avg_pool2d(Variable(x), kernel).creator
        true(type(y.creator) is not type(own), "that is the package's own pooling: make it of windows and means")
    for order, name in ((1, "first"), (2, "second")):
        try:
            check_gradients(lambda x: mean_pool(x, (2, 2)) ** 2, x, order=order)
        except GradientCheckError as error:
            raise NotYet(f"the {name} derivative differs from differences: {str(error).splitlines()[1].strip()}") from None


def check_kernel_gradient(kernel_gradient):
    rng = np.random.default_rng(0)
    for shape, weights in (((2, 3, 5, 6), (4, 3, 3, 3)), ((1, 1, 4, 4), (1, 1, 2, 3)), ((3, 2, 4, 3), (2, 2, 1, 1))):
        x, W = rng.normal(size=shape), Variable(rng.normal(size=weights))
        y = F.conv2d(x, W)
        y.grad = Variable(rng.normal(size=y.shape))
        gy = y.grad.data.copy()
        y.backward()
        got = kernel_gradient(x, gy, weights[2:])
        true(got is not None, "kernel_gradient returned nothing: an array is expected")
        same(got, W.grad.data, f"images {shape}, kernels {weights}")


EXERCISES = [
    Exercise("uses", "An array (H, W): in how many windows each pixel of an image of size (H, W) is; kernel and stride are pairs, no pad.",
             ("Which of the two Functions of step57 counts how often a pixel stands in the matrix, if it is given ones?",
              "AddBack((1, 1, *size), kernel, stride) of a matrix of ones. Its shape is that of im2col(np.ones((1, 1, *size)), kernel, stride)."),
             check_uses),
    Exercise("mean_pool", "The mean of windows that lie side by side, kernel a pair, as a Variable; no F.avg_pool2d. "
             "What is left over at the end is dropped.",
             ("Columns with the stride equal to the kernel gives the windows as rows. Channels stand first in a row.",
              "Columns(kernel, kernel)(x).reshape(N, OH, OW, C, -1), the mean over axis 4, and the axis of C to its place, as in max_pool."),
             check_mean_pool),
    Exercise("kernel_gradient", "The gradient of W (OC, C, KH, KW) for y = conv2d(x, W), from arrays x (N, C, H, W) and "
             "gy (N, OC, OH, OW); kernel is (KH, KW).",
             ("y as a matrix is im2col(x) @ W.reshape(OC, -1).T. What is the gradient of the second factor of a product?",
              "rows = gy.transpose(0, 2, 3, 1).reshape(-1, OC); rows.T @ im2col(x, kernel), reshaped to (OC, C, KH, KW)."), check_kernel_gradient),
]
