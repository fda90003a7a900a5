"""What helps a network that has only few examples?

It learns them by heart: step 54 has shown that, and dropout against it. A second cure is much older: let all weights shrink a little in every step.
Here both are tried on the same networks, over several seeds, and also where nothing is to be cured. For one does not take a medicine because
others were helped by it; one measures.
"""

import numpy as np

from support import picture, run

import dezero.functions as F
import dezero.layers as L
from dezero import DataLoader, Model, no_grad, test_mode
from dezero.datasets import ArrayDataset, Digits
from dezero.optimizers import AdamW

# %% The sickness
# A network with 100 units in each of two hidden layers has 17,510 parameters, and we give it 200 digits. It will know them all, and then the loss
# on the training set still falls, as the right scores only have to grow: the network becomes more and more sure. That is called overfitting.
# On other images it is sometimes wrong, and to be sure and wrong is what the cross entropy punishes most. So we need a second set, on which
# nothing is learned, to measure on: validation data. Here they are 400 other images of the training set; the test set stays closed, as we want
# to compare and choose.


class Net(Model):
    def __init__(self, units, p):
        super().__init__()
        self.p = p
        self.l1, self.l2, self.l3 = L.Linear(units, in_size=64), L.Linear(units), L.Linear(10)

    def forward(self, x):
        x = F.dropout(F.relu(self.l1(x)), self.p)
        x = F.dropout(F.relu(self.l2(x)), self.p)
        return self.l3(x)


# %% The first cure: weights that shrink
# A network that turns from one answer to another within a few pixels needs large weights. So let each weight lose a small share of itself in each
# step: w becomes (1 - rate * decay) w, and then comes the step of the optimizer. What the data do not pull at again and again fades away. This
# is weight decay, and ``AdamW`` has it as an option (with SGD it is the same as a penalty of decay / 2 times the sum of w² in the loss).
#
# How strong? With the rate 0.001, a decay of 0.3 and 1,200 steps a weight that nobody needs keeps (1 - 0.0003) ** 1200, about 70%. With 0.01,
# the usual value in many libraries, 99% would be left of it: here that is nothing. Such numbers cannot be carried from one task to another.
#
# The second cure is dropout, as in step 54: while it learns, each unit is off with probability p.


def learn(count, units, decay, p, seed, steps):
    """Losses on training and validation data and share of right answers, every 50 steps; then the size of the weights."""
    rng = np.random.default_rng(seed)
    np.random.seed(seed)
    x, t = Digits()[:]
    order = rng.permutation(len(x))
    known, new = order[:count], order[-400:]
    model = Net(units, p)
    optimizer = AdamW(0.001, weight_decay=decay).setup(model)
    loader = DataLoader(ArrayDataset(x[known], t[known]), 25, seed=seed)
    history = []
    while True:
        for x_batch, t_batch in loader:
            if optimizer.t % 50 == 0:
                history.append((*judge(model, x[known], t[known])[:1], *judge(model, x[new], t[new])))
            if optimizer.t == steps:
                return history, float(np.sqrt(sum(np.sum(w.data**2) for w in model.params() if w.ndim == 2)))
            loss = F.softmax_cross_entropy(model(x_batch), t_batch)
            model.cleargrads()
            loss.backward()
            optimizer.update()


def judge(model, x, t):
    with test_mode(), no_grad():
        y = model(x)
        return float(F.softmax_cross_entropy(y, t).data), float(F.accuracy(y, t).data)


# %% Three courses
# All networks of a seed have the same images and the same first weights, so they differ by the cure alone. The table has means over the seeds. First
# all three improve. Then the network without a cure gets worse on the new images while it gets better on the old ones. With decay that does not
# happen, and the two losses stay nearer to each other. Dropout slows the learning down at first, and is ahead later.
#
# The line below it is the length of all weights, taken as one long vector; at the start it was about 14.5. With decay they grow less. With dropout
# they grow as much as without a cure: it works in another way.

CURES = {"no cure": (0.0, 0.0), "decay 0.3": (0.3, 0.0), "dropout 0.3": (0.0, 0.3), "decay 3": (3.0, 0.0), "dropout 0.7": (0.0, 0.7)}
COURSES = list(CURES)[:3]
PATIENTS = {"200 digits": (200, 100), "1,000 digits": (1000, 100), "200 digits, 5 units": (200, 5)}


def try_all(cures, seeds, steps):
    histories, lengths = {}, {}
    for patient, (count, units) in PATIENTS.items():
        for cure in cures:
            runs = [learn(count, units, *CURES[cure], seed, steps) for seed in range(seeds)]
            histories[patient, cure] = np.array([history for history, _ in runs])  # (seeds, times, 3)
            lengths[patient, cure] = float(np.mean([length for _, length in runs]))
    return histories, lengths


def show_courses(histories, lengths, seeds, steps):
    print(f"200 digits, 100 units, mean of {seeds} seeds")
    print("            loss on these 200 digits             loss on 400 other digits")
    print("   step" + "".join(f"{name:>13}" for name in COURSES * 2))
    for step in sorted({100, 200, 400, 800, steps}):
        for_step = [histories["200 digits", name][:, step // 50].mean(axis=0) for name in COURSES]
        print(f"{step:7}" + "".join(f"{row[k]:13.3f}" for k in (0, 1) for row in for_step))
    print("length of all weights: " + ", ".join(f"{name} {lengths['200 digits', name]:.1f}" for name in COURSES))


# %% What helps whom?
# Now the same for two networks of another kind: one with 1,000 digits, and one with 5 units in each hidden layer, which is too small to learn even
# 200 digits by heart. Beside the loss: in how many of the seeds it is lower than without a cure, and the share of right answers.
#
# 1. On 200 digits both cures help: decay in each of the five seeds, dropout in four. But look at the right answers: they differ by less than a point.
#    What is cured is above all being too sure, and hardly being wrong. Who needs probabilities that can be trusted gains much, who only
#    counts right answers gains little.
# 2. With 1,000 digits there is little to cure. More digits help more than any cure does: the loss is less than half. A decay of 0.3 now helps in one
#    seed of five. Dropout seems to help in all five. Is that so? The next ten seeds say five of ten, and all of the first sixty say 32: about
#    as often as a coin. (On 200 digits it was 13 of the first 15, and decay 15 of 15.) Five of five is less proof than it looks: a coin does
#    that in one of 32 tries, and this table makes twelve such comparisons. Also, after 800 steps dropout helped in only three of the
#    first 15 on 1,000 digits: it is slow, so the step at which one looks decides, too.
# 3. The small network cannot overfit, it underfits: what it has learned from it does not know well either. Both cures make it worse, as each takes
#    from the little that it has.
#
# And of each cure one can have too much. A decay of 3 harms all. A dropout of 0.7 makes no great difference on 200 digits, and nearly doubles the
# loss on 1,000. So the dose is one more number to be found by trial, on validation data.
#
# The second row costs nothing: the network without a cure, at the step where its validation loss was lowest. Stopping early does about as much
# as decay. The number is a little too good, since the best of many was picked by the data on which it is measured; w09 has more about it.


def show_cures(histories, cures, seeds, steps):
    print(f"\nloss on other digits after {steps} steps; lower: in how many of {seeds} seeds than without a cure")
    print(" " * 14 + "".join(f"{name:^28}" for name in PATIENTS).rstrip())
    print(" " * 14 + (f"{'loss':>8}{'lower':>8}{'right':>8}    " * 3).rstrip())
    found, best = {}, {}
    for cure in cures:
        line = f"{cure:14}"
        for patient in PATIENTS:
            plain, last = histories[patient, "no cure"][:, -1], histories[patient, cure][:, -1]
            lower = int((last[:, 1] < plain[:, 1]).sum())
            training, loss, right = last.mean(axis=0)
            found[f"{patient}: {cure}"] = {"losses": last[:, 1], "loss": loss, "training": training, "right": right, "lower": lower}
            line += f"{loss:8.3f}{'' if cure == 'no cure' else lower:>8}{right:8.1%}    "
        print(line.rstrip())
        if cure == "no cure":
            best = {patient: histories[patient, cure][:, :, 1].min(axis=1).mean() for patient in PATIENTS}
            print(f"{'  at its best':14}" + "".join(f"{loss:8.3f}" + " " * 20 for loss in best.values()).rstrip())
    return found, best


# %% Pictures
# With ``--out``: the three courses, a thin line for each seed and their mean; and the loss with each cure divided by the loss without one.

STYLES = {"no cure": ("#D55E00", "-"), "decay 0.3": ("#0072B2", "--"), "dropout 0.3": ("#009E73", "-.")}


def draw_courses(path, histories):
    with picture(path, columns=2, size=(10.5, 4.2)) as axes:
        for name, (color, line) in STYLES.items():
            runs = histories["200 digits", name]
            at = 50 * np.arange(runs.shape[1])
            for ax, k in zip(axes, (0, 1), strict=True):
                ax.plot(at, runs[:, :, k].T, color=color, linewidth=0.6, alpha=0.5)
                ax.plot(at, runs[:, :, k].mean(axis=0), line, color=color, linewidth=2.2, label=name)
        axes[0].set(title="The 200 digits that it learns from", xlabel="step", ylabel="loss", yscale="log")
        axes[1].set(title="400 other digits", xlabel="step", ylabel="loss", ylim=(0.1, 0.6))
        axes[0].legend()


def draw_cures(path, found, cures):
    with picture(path, columns=3, size=(11.5, 3.4)) as axes:
        for ax, patient in zip(axes, PATIENTS, strict=True):
            plain = found[f"{patient}: no cure"]["losses"]
            ax.axvline(1, color="black", linewidth=0.8)
            for row, cure in enumerate(cures[1:]):
                mark, color = ("o", "#0072B2") if "decay" in cure else ("D", "#009E73")
                ax.plot(found[f"{patient}: {cure}"]["losses"] / plain, np.full(len(plain), row), mark, color=color, alpha=0.7)
            ax.set(title=patient, xscale="log", xlim=(0.4, 8), ylim=(len(cures) - 1.5, -0.5), xticks=[0.5, 1, 2, 5],
                   xticklabels=["half", "same", "twice", "5 times"], yticks=range(len(cures) - 1),
                   yticklabels=cures[1:] if ax is axes[0] else [])
            ax.minorticks_off()
        axes[1].set_xlabel("loss on other digits, with the cure against without, a mark for each seed")
        axes[0].figure.suptitle("What helps one harms the other: left of the line the cure helps")


def main(out=None, fast=False):
    seeds, steps, cures = (2, 800, COURSES) if fast else (5, 1200, list(CURES))
    histories, lengths = try_all(cures, seeds, steps)
    show_courses(histories, lengths, seeds, steps)
    found, best = show_cures(histories, cures, seeds, steps)
    if out:
        draw_courses(out / "courses.png", histories)
        draw_cures(out / "cures.png", found, cures)
    return {"found": found, "best": best, "weights": {cure: lengths["200 digits", cure] for cure in cures}, "seeds": seeds}


# %% Exercises: python -m steps.check w05 my_answer.py
# 1. ``left(rate, decay, steps)``: the share of a weight that is left after so many steps of AdamW, if its gradient is 0 all the time.
# 2. ``with_penalty(loss, params, decay)``: the loss plus decay / 2 times the sum of the squares of all parameters with two axes or more, as a
#    Variable. Biases stay free.
# 3. ``paired(plain, cured)``: from losses by seed, of equal length: how often cured is lower, the mean of plain - cured, and the standard error of
#    this mean: the standard deviation of the differences (with n - 1), divided by the root of n.

if __name__ == "__main__":
    run(main)
