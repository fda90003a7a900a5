"""Exercises of w06: shifts by hand, a change that changes labels, and augmentation in use."""

import numpy as np

import dezero
from dezero import Variable
from steps.exercises.kit import Exercise, content, same, true


def check_shifted(shifted):
    rng = np.random.default_rng(0)
    x = rng.integers(1, 17, (6, 1, 4, 5))
    rows, columns = np.array([0, 1, -1, 0, 3, -2]), np.array([0, 0, 0, 2, -1, -4])
    kept = x.copy()
    got = content(shifted(x, rows, columns))
    same(np.shape(got), x.shape, "the shape of the images")
    for i, (down, right) in enumerate(zip(rows.tolist(), columns.tolist(), strict=True)):
        expected = np.zeros((4, 5), x.dtype)
        for r, c in np.ndindex(4, 5):
            if 0 <= r - down < 4 and 0 <= c - right < 5:
                expected[r, c] = x[i, 0, r - down, c - right]
        same(got[i, 0], expected, f"an image moved {down} down and {right} to the right")
    true(np.array_equal(x, kept), "x itself was changed: move the pixels into a new array")


def check_half_turn(half_turn):
    rng = np.random.default_rng(0)
    t = np.array([6, 0, 3, 9, 8, 1, 2, 6, 7, 4, 5, 9])
    x = rng.random((len(t), 1, 3, 4))
    got = half_turn(x, t)
    true(isinstance(got, (tuple, list)) and len(got) == 2, f"half_turn gave a {type(got).__name__}: a pair (x, t) is expected")
    images, labels = content(got[0]), content(got[1])
    same(np.asarray(labels), np.array([9, 0, 6, 8, 1, 9, 6]), f"the labels for {t.tolist()}")
    same(images, np.ascontiguousarray(x[[0, 1, 3, 4, 5, 7, 11], :, ::-1, ::-1]), "the images: the last row first, the last column first")
    true(t.tolist() == [6, 0, 3, 9, 8, 1, 2, 6, 7, 4, 5, 9], "the labels that were handed over have changed: make new ones")


def check_answer(answer):
    rng = np.random.default_rng(0)
    x, W = rng.normal(size=(5, 1, 2, 3)), rng.normal(size=(6, 4))
    recorded, scores = [], []

    def model(images):
        recorded.append(dezero.Config.enable_backprop)
        scores.append(3 * content(images).reshape(5, 6) @ W)
        return Variable(scores[-1])

    changes = [lambda images: images, lambda images: images[..., ::-1], lambda images: 2 * images]
    got = answer(model, x, changes)
    true(got is not None, "answer returned nothing: an array is expected")
    true(isinstance(got, np.ndarray), f"answer gave a {type(got).__name__}: an array is expected")
    true(len(scores) == 3, f"for three changes the model was called {len(scores)} times")
    expected = sum(np.exp(3 * change(x).reshape(5, 6) @ W) / np.exp(3 * change(x).reshape(5, 6) @ W).sum(axis=1, keepdims=True) for change in changes)
    same(got, expected / 3, "the mean of the probabilities for three changes")
    true(not any(recorded), "a graph was recorded: run the model within dezero.no_grad()")


EXERCISES = [
    Exercise("shifted", "Images (N, 1, H, W), each moved down by its own number of rows and to the right by its own number of columns (negative: up, "
             "left). Zeros come in, what goes out is lost, x stays as it is.",
             ("Put a frame of zeros around all images, wide enough, and cut from it a window of the old size. Where does the window begin?",
              "With a frame of m = max of |rows| and |columns|, the window of image i begins at row m - rows[i] and column m - columns[i]."),
             check_shifted),
    Exercise("half_turn", "Images (N, 1, H, W) and labels of those digits that are digits when turned by 180 degrees, turned, with the labels that "
             "are right then: 0, 1 and 8 stay, 6 and 9 change places, all others are left out. The order stays.",
             ("np.isin says which labels are in a list. A half turn runs through rows and columns backwards.",
              "keep = np.isin(t, [0, 1, 6, 8, 9]); x[keep][:, :, ::-1, ::-1]; for 6 and 9 the new label is 15 - t, else t."), check_half_turn),
    Exercise("answer", "The mean of the probabilities that the model gives for change(x), for each change in a list of functions of a batch. An "
             "array, without a graph.",
             ("Scores of different images cannot be averaged well; make probabilities of them first.",
              "with no_grad(): sum(F.softmax(model(change(x))).data for change in changes) / len(changes)"), check_answer),
]
