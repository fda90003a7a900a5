"""Kernels over many arrays in one launch: they find the arrays by a table of sizes and pointers, which stays on the device.

A table is uploaded once for the arrays that it names. Those of an optimizer stay where they are, and the gradients of a training
step come back to the same places in the memory pool, so that after the first steps there is nothing to upload.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from dezero.backend.arrays import cupy_module as cupy
from dezero.backend.cuda.launch import Raw

Table = tuple[Any, int, int]

PIECE = 4096      # elements of one array that a block does before it looks for more
THREADS = 256
BLOCKS = 1 << 14  # at most
MOST_TABLES = 64   # what is kept; the one that was not used for longest goes first
uploads = 0       # how many tables went to the device, for tests
_tables: OrderedDict[Any, Table] = OrderedDict()

# The table: n + 1 numbers of pieces before each array and in all, n sizes, then n pointers for each column. TABLE_LOOP goes through the pieces;
# inside, k is the number of the array, and begin to end are the elements of the piece.
PRELUDE = """
__device__ __forceinline__ long long array_of(const long long* first, long long n, long long piece) {
    long long low = 0, high = n - 1;   // the last array that begins at this piece or before it
    while (low < high) {
        long long middle = (low + high + 1) / 2;
        if (first[middle] <= piece) low = middle; else high = middle - 1;
    }
    return low;
}
#define TABLE_COLUMN(c) table[2 * n + 1 + (c) * n + k]
#define TABLE_LOOP \\
    for (long long piece = blockIdx.x; piece < table[n]; piece += gridDim.x) { \\
        long long k = array_of(table, n, piece), begin = (piece - table[k]) * PIECE, size = table[n + 1 + k]; \\
        long long end = begin + PIECE < size ? begin + PIECE : size;
#define TABLE_END }
""".replace("PIECE", str(PIECE))


def pointers(arrays: Iterable[Any]) -> tuple[int, ...]:
    """Where arrays are."""
    return tuple([a.data.ptr for a in arrays])


def sizes_of(arrays: Iterable[Any]) -> tuple[int, ...]:
    """How many elements they have."""
    return tuple([a.size for a in arrays])


def table(sizes: tuple[int, ...], columns: tuple[tuple[int, ...] | None, ...], device: int) -> Table:
    """A table on the device, the number of its arrays and that of their pieces; kept for the next call.

    Args:
        sizes: of the arrays, by element.
        columns: pointers to as many arrays each; None for arrays that are missing.
        device: the number of the device, which is the current one.
    """
    global uploads
    stream = cupy().cuda.get_current_stream().ptr  # on another stream the upload may not have come to its end
    key = sizes, columns, device, stream
    found = _tables.get(key)
    if found is not None:
        _tables.move_to_end(key)
        return found
    n = len(sizes)
    numbers = np.zeros(2 * n + 1 + n * len(columns), np.int64)
    each = np.array(sizes, np.int64)
    np.cumsum(-(-each // PIECE), out=numbers[1:n + 1])
    numbers[n + 1:2 * n + 1] = each
    for c, column in enumerate(columns):
        if column is not None:
            numbers[(c + 2) * n + 1:(c + 3) * n + 1] = np.array(column, np.uint64).view(np.int64)
    found = _tables[key] = cupy().asarray(numbers), n, int(numbers[n])
    uploads += 1
    if len(_tables) > MOST_TABLES:
        _tables.popitem(last=False)
    return found


def launch(kernel: Raw, dtypes: Any, table: Table, args: Sequence[Any], blocks: int = BLOCKS) -> None:
    """Launch a kernel whose first arguments are the table and the number of arrays, if there is an element at all."""
    numbers, n, pieces = table
    if pieces:
        kernel.launch(dtypes, (min(pieces, blocks),), (THREADS,), (numbers, n, *args))
