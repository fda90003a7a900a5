"""How does a program find the line behind scattered points?

Everything is in place for learning: tables, products, gradients, descent. This script learns for the first time. It gets 100 points near an unknown
line, says how wrong a line is with one number, the loss, and walks downhill. And it meets the most frequent silent fault in such programs.
"""

import numpy as np

from support import picture, run

import dezero.functions as F
from dezero import Variable
from dezero.errors import ShapeError

# %% Points and a model
# The points come from t = 3 * x - 1 with noise, small random errors as in every measurement. We act as if we did not know the 3 and the -1. To
# find them is called regression. A model is a formula with numbers left open: here x @ W + b. x is a table of (100, 1), one row for each point and
# one column, as only one thing was measured. W is (1, 1), b is (1,). With three columns W would be (3, 1), and nothing else would change.


def make_points(count=100):
    rng = np.random.default_rng(0)
    x = rng.uniform(0, 1, size=(count, 1))
    return x, 3 * x - 1 + rng.normal(scale=0.3, size=(count, 1))


def model(x, W, b):
    return x @ W + b


# %% One number for how wrong it is
# At each point the model says p and the measurement says t. The mean of (p - t)**2 over all points is the loss, the mean squared error. Squares
# make errors above and below count alike, and large errors count more. As W and b change, the loss does. It is a bowl over the plane of W and b, and
# the best line lies at its lowest point. Descent from step 28 goes there: each step goes against the gradient, times a learning rate.


def fit(x, t, loss_of, steps=300, rate=0.5):
    W, b = Variable(np.zeros((1, 1))), Variable(np.zeros(1))
    path = []
    for _ in range(steps):
        loss = loss_of(model(x, W, b), t)
        path.append((float(W.data[0, 0]), float(b.data[0]), float(loss.data)))
        W.cleargrad()
        b.cleargrad()
        loss.backward()
        W.data -= rate * W.grad.data
        b.data -= rate * b.grad.data
    return path


def by_formula(x, t):
    """The W and b of the lowest point, found by solving equations: the method of least squares."""
    columns = np.hstack([x, np.ones_like(x)])
    (w, b), *_ = np.linalg.lstsq(columns, t[:, 0], rcond=None)
    return float(w), float(b)


def learn(x, t):
    path = fit(x, t, F.mean_squared_error)
    print("step        W         b       loss")
    for step in (0, 1, 2, 10, 50, 100, 299):
        w, b, loss = path[step]
        print(f"{step:4} {w:8.4f}  {b:8.4f}   {loss:8.4f}")
    w, b = by_formula(x, t)
    print(f"by formula {w:.4f}   {b:.4f}   {np.mean((x * w + b - t) ** 2):8.4f}   the line behind the points was 3 and -1")
    return path, (w, b)


# %% Why walk, if there is a formula?
# For a straight line the equations can be solved, and walking only agrees with them to some digits. But already for the curve of the next step there
# is no formula. Descent does not care: it asks for the gradient of whatever model there is. A case where both are known shows that it works. The
# loss does not go to 0: no line goes through all points. What is left is the noise: its mean square was made to be 0.3 squared, 0.09.

# %% The silent fault
# Measurements often come as a list: t of shape (100,). The model gives (100, 1). Their difference is not 100 numbers: broadcasting lays the list
# along the rows and gets (100, 100), every prediction minus every measurement. The mean of that is one number, it has gradients, and it even
# falls. What it teaches the model is to come near to all measurements at once: W goes to 0, and b to the mean of t. Nothing raises an error.


def by_hand(p, t):
    return F.mean((p - t) ** 2)


def silent_fault(x, t):
    as_list = t[:, 0]
    p = model(x, Variable(np.zeros((1, 1))), Variable(np.zeros(1)))
    found = {"shape right": (p - t).shape, "shape wrong": (p - as_list).shape}
    print("\nmean of (p - t)**2, with t of shape   p - t         W        b    loss")
    for name, target in (("right", t), ("wrong", as_list)):
        found[name] = fit(x, target, by_hand)[-1]
        w, b, loss = found[name]
        print(f"{target.shape!s:37} {found[f'shape {name}']!s:10} {w + 0.0:7.4f}  {b:7.4f}  {loss:6.4f}")
    print(f"the mean of t is {t.mean():.4f}")
    return found


# %% A loss that looks at shapes
# There is hardly a case in which a loss should stretch anything. So ``F.mean_squared_error`` refuses it, and says what to write.


def refusal(x, t):
    p = model(x, Variable(np.zeros((1, 1))), Variable(np.zeros(1)))
    try:
        F.mean_squared_error(p, t[:, 0])
    except ShapeError as error:
        print("\n" + str(error).replace(", or they", ",\n    or they"))
        return str(error)


# %% The bowl and the line as pictures
# With ``--out``: on the left, the loss over W and b as a map, with the way of descent. The bowl is long and flat: a W that is too small is nearly
# made good by a b that is too large. So the way goes down into the valley with a few steps, and then along it. On the right the points, and lines
# on the way.


def draw(path, x, t, way, formula, wrong):
    with picture(path, columns=2, size=(11.0, 4.6)) as (bowl, line):
        ws, bs = np.meshgrid(np.linspace(-0.5, 4.5, 120), np.linspace(-2.0, 1.6, 120))
        losses = np.mean((ws[..., None] * x[:, 0] + bs[..., None] - t[:, 0]) ** 2, axis=-1)
        levels = [0.1, 0.15, 0.25, 0.5, 1, 2, 3, 4, 6, 8]
        labels = bowl.contour(ws, bs, losses, levels=levels, colors="#8CA0B3", linewidths=0.8)
        bowl.clabel(labels, levels=[0.15, 0.5, 2, 4], fontsize=8)
        w, b, _ = np.array(way).T
        bowl.plot(w, b, ".-", color="#2C79AE", linewidth=1, markersize=4, label="descent, 300 steps")
        bowl.plot(*formula, "*", color="#D55E00", markersize=13, label="by formula")
        bowl.set(xlabel="W", ylabel="b", title="The loss over W and b")
        bowl.legend(loc="upper right", framealpha=1.0)
        line.plot(x[:, 0], t[:, 0], "o", color="#B0B0B0", markersize=4, label="points")
        ends = np.array([0.0, 1.0])
        for step, color in ((0, "#C6DBEF"), (2, "#9ECAE1"), (20, "#4292C6"), (299, "#08519C")):
            line.plot(ends, way[step][0] * ends + way[step][1], color=color, linewidth=2, label=f"after {step} steps")
        line.plot(ends, wrong[0] * ends + wrong[1], "--", color="#D55E00", linewidth=2, label="t of shape (100,): wrong")
        line.set(xlabel="x", ylabel="t", title="The line on its way")
        line.legend(loc="upper left", fontsize=8)


def main(out=None, fast=False):
    x, t = make_points()
    way, formula = learn(x, t)
    fault = silent_fault(x, t)
    message = refusal(x, t)
    if out:
        draw(out / "line.png", x, t, way, formula, fault["wrong"])
    return {"learned": way[-1], "formula": formula, "losses": [loss for _, _, loss in way], "mean": float(t.mean()), **fault, "message": message}


# %% Exercises: python -m steps.check 42 my_answer.py
# 1. ``careful_loss(p, t)``: the mean squared error of two Variables or arrays as a Variable; other shapes raise a ValueError that names both.
# 2. ``fit_line(x, t)``: x and t are lists of numbers, of shape (N,): the best W and b as floats, to 3 digits. N and the numbers vary.
# 3. ``fit_parabola(x, t)``: arrays (N,) with x between -1 and 1: an array of the best a, b, c for a * x**2 + b * x + c, by descent, to 3 digits.

if __name__ == "__main__":
    run(main)
