"""What is a variable?

A framework for deep learning computes with arrays. Yet it does not hand out bare arrays: each sits in a box, a Variable. This script
builds that box, and looks at one thing which surprises nearly everybody once: two boxes can hold the same array.
"""

import numpy as np

from support import run

# %% A box
# The box does one thing: it holds an array under the name ``data``. Later scripts write more onto it: a gradient, where it came from,
# a name. Without a box there would be no place for these notes.


class Variable:
    def __init__(self, data):
        self.data = data


# %% Boxes of all sizes
# A number is an array as well: one without axes. Its shape is ``()``, and it has 0 dimensions. A list of numbers has one axis, a table two.
# The same box takes all three, so whatever we write for it will work for numbers, lists and tables alike.


def show_shapes():
    boxes = [Variable(np.array(1.5)), Variable(np.array([1.0, 2.0, 3.0])), Variable(np.array([[1, 2, 3], [4, 5, 6]]))]
    for box in boxes:
        print(f"{box.data.ndim} axes, shape {box.data.shape!s:7}: {box.data.tolist()}")
    return [box.data.shape for box in boxes]


# %% Other content, same box
# To swap the content is to point the box at another array. The old array does not change: whoever still holds it sees what was there.


def swap_content():
    old = np.array([1.0, 2.0])
    box = Variable(old)
    box.data = np.array([10.0, 20.0])
    print(f"\nin the box now {box.data.tolist()}, the old array is still {old.tolist()}")
    return old, box.data


# %% Sharing and copying
# ``Variable(a)`` puts the array itself into the box, not a copy. Change a number inside of ``a``, and the box shows it, since there is one
# array and two names for it. That is quick, as nothing is moved, and now and then it is a trap. ``a.copy()`` makes a second array.


def share_or_copy():
    a = np.array([1.0, 2.0, 3.0])
    sharing, copying = Variable(a), Variable(a.copy())
    a[0] = 100.0
    shares = bool(np.shares_memory(a, sharing.data))
    copies = bool(np.shares_memory(a, copying.data))
    print(f"\nafter a[0] = 100:  Variable(a) holds {sharing.data.tolist()}, same memory: {shares}")
    print(f"            Variable(a.copy()) holds {copying.data.tolist()}, same memory: {copies}")
    return shares, copies


def main(out=None, fast=False):
    shapes = show_shapes()
    old, new = swap_content()
    shares, copies = share_or_copy()
    return {"shapes": shapes, "old": old, "new": new, "shares": shares, "copies": copies}


# %% Exercises: python -m steps.check 01 my_answer.py
# 1. ``boxed_sum(boxes)``: the sum of the numbers in a list of Variables of any shapes, as one float.
# 2. ``exchange(a, b)``: let two Variables exchange their arrays, without copying a number.
# 3. ``frozen(a)``: a Variable whose array later changes of ``a`` cannot reach.

if __name__ == "__main__":
    run(main)
