"""One way to solve the exercises of step 58."""

import numpy as np


def count(blocks, head, size, channels):
    total = 0
    for convolutions, width in blocks:
        for _ in range(convolutions):
            total += 9 * channels * width + width
            channels = width
    numbers = channels * (size // 2 ** len(blocks)) ** 2
    for width in head:
        total += numbers * width + width
        numbers = width
    return total


def sees(blocks):
    seen, step = 1, 1
    for block, (convolutions, _) in enumerate(blocks):
        if block:
            seen, step = seen + step, 2 * step
        seen += 2 * step * convolutions
    return seen


def hide_and_look(score, image, size):
    falls = np.zeros((image.shape[0] // size, image.shape[1] // size))
    for i, j in np.ndindex(falls.shape):
        covered = image.copy()
        covered[i * size:(i + 1) * size, j * size:(j + 1) * size] = 0
        falls[i, j] = score(image) - score(covered)
    return falls
