"""Exercises of step 55: windows that slide."""

import numpy as np

from steps.exercises.kit import Exercise, NotYet, same, true


def check_unseen(unseen):
    for size, kernel, stride, pad in ((8, 3, 1, 0), (8, 3, 2, 0), (9, 3, 2, 0), (10, 2, 3, 0), (28, 3, 5, 0), (7, 3, 4, 0), (8, 3, 2, 1),
                                      (10, 4, 4, 1), (5, 5, 1, 0), (12, 1, 4, 0), (11, 2, 4, 1), (3, 3, 3, 2)):
        seen = {place for start in range(-pad, size + pad - kernel + 1, stride) for place in range(start, start + kernel)} & {*range(size)}
        got = unseen(size, kernel, stride, pad)
        true(got is not None, "unseen returned nothing: a number is expected")
        same(got, size - len(seen), f"unseen({size}, {kernel}, {stride}, {pad})")


def check_contrast_kernel(contrast_kernel):
    kernel = contrast_kernel()
    if kernel is None or np.shape(kernel) != (3, 3):
        raise NotYet(f"the kernel has shape {np.shape(kernel)}: (3, 3) is expected")
    kernel = np.asarray(kernel)
    same(float(kernel.sum()), 0.0, "on an even image, where every pixel is 1")
    rng = np.random.default_rng(0)
    for _ in range(3):
        window = rng.integers(0, 17, (3, 3)).astype(float)
        neighbours = np.delete(window.ravel(), 4)
        same(float((kernel * window).sum()), float(window[1, 1] - neighbours.mean()), f"on the window {window.astype(int).tolist()}")


def check_find(find):
    rng = np.random.default_rng(0)
    for (height, width), place in (((3, 3), (2, 4)), ((2, 3), (0, 0)), ((3, 2), (6, 3)), ((1, 4), (5, 5))):
        image = rng.integers(0, 5, (9, 9)).astype(float)
        image[4, 4], image[5, 4] = 60, 60  # bright places
        image[place[0]:place[0] + height, place[1]:place[1] + width] = rng.integers(3, 9, (height, width))
        patch = image[place[0]:place[0] + height, place[1]:place[1] + width].copy()
        got = find(image.copy(), patch)
        true(got is not None, "find returned nothing: a pair is expected")
        same(np.array(got, dtype=float), np.array(place, dtype=float), f"a patch of {height} x {width} at row {place[0]}, column {place[1]}")


EXERCISES = [
    Exercise("unseen", "How many of the size pixels along an axis are in no window? A stride may be larger than the kernel.",
             ("Write down which pixels the windows hold, for size 10, kernel 2, stride 3. The pad shifts the first window to the left, to -pad.",
              "Put every start in range(-pad, size + pad - kernel + 1, stride), each with its kernel pixels, into a set; "
              "count which of range(size) are not in it."),
             check_unseen),
    Exercise("contrast_kernel", "The 3 x 3 kernel that gives how much a pixel is above the mean of its eight neighbours.",
             ("Which weight does the pixel itself get? Which do its neighbours get, if their mean is to be subtracted?",
              "1 in the middle, -1/8 at the other eight places."), check_contrast_kernel),
    Exercise("find", "The (row, column) at which patch (h, w) lies in an image, with slide from step55 and no other loop.",
             ("The sum of (window - patch)² over a window is the sum of window², less twice the sum of window * patch, plus the sum of patch².",
              "distance = slide(image**2, np.ones(patch.shape)) - 2 * slide(image, patch); "
              "then divmod(distance.argmin(), distance.shape[1])."), check_find),
]
