"""Images side by side."""

from __future__ import annotations

from typing import Any

import numpy as np

from dezero.errors import ShapeError, describe


def image_grid(images: Any, row: int, col: int) -> Any:
    """Put images into rows.

    Args:
        images: (row * col, C, H, W) with C 1 or 3.
        row: rows.
        col: images in each.

    Returns:
        (row * H, col * W), with a last axis of 3 for colours.

    Raises:
        ShapeError: the number of images or channels does not fit.

    Examples:
        >>> image_grid(np.arange(4).reshape(4, 1, 1, 1), 2, 2)
        array([[0, 1],
               [2, 3]])
    """
    if images.ndim != 4 or len(images) != row * col or images.shape[1] not in (1, 3):
        raise ShapeError(f"image_grid: images is {describe(images)}: ({row * col}, 1 or 3, H, W) is expected for {row} rows of {col}")
    _, channels, h, w = images.shape
    grid = images.reshape(row, col, channels, h, w).transpose(0, 3, 1, 4, 2).reshape(row * h, col * w, channels)
    return grid[..., 0] if channels == 1 else grid


def show_images(images: Any, row: int = 10, col: int = 10, seed: int | None = None) -> None:
    """Show randomly chosen images in one window.

    Args:
        images: (N, C, H, W).
        row: rows.
        col: images in each.
        seed: chooses the images; None leaves that to NumPy's global state.

    Raises:
        ImportError: matplotlib is not installed.

    Examples:
        >>> import matplotlib
        >>> matplotlib.use("Agg")
        >>> show_images(np.zeros((5, 1, 8, 8)), 2, 2, seed=0)
    """
    try:
        import matplotlib.pyplot as plt
    except ImportError:
        raise ImportError("show() draws with matplotlib: pip install 'dezero[plot]'") from None
    draw = np.random.randint if seed is None else np.random.default_rng(seed).integers
    grid = image_grid(images[draw(0, len(images), row * col)], row, col)
    plt.imshow(grid, cmap="gray" if grid.ndim == 2 else None, interpolation="nearest")
    plt.axis("off")
    if plt.get_backend().lower() != "agg":  # where there is no screen, the picture stays for savefig
        plt.show()


__all__ = ["image_grid", "show_images"]
