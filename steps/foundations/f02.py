"""How can a few numbers take a decision?

They weigh what speaks for and against it. A perceptron, invented in the 1950s, does just that: inputs, a weight for each, a sum, a threshold. It is
the smallest brick of the nets that come later. Here we set its weights by hand and see what each does; in the next script it learns them.
"""

import itertools

import numpy as np

from support import picture, run

# %% Inputs, weights, threshold
# Do I take the bicycle? Three things count: is it dry, is the way short, have I got time? Each is an input: 1 for yes, 0 for no. They do not count
# alike, so each has a weight: the number that says how much. The perceptron adds the weights of all inputs that are 1, or in one formula that also
# holds for other inputs: it multiplies each input by its weight and adds up. If the sum is more than a threshold, the answer is 1; it fires, as one
# says of a nerve cell. Otherwise it is 0.

NAMES = ("dry", "short", "time")
ROWS = np.array(list(itertools.product((0, 1), repeat=3)))  # the 8 cases that three such inputs can make
WEIGHTS, THRESHOLD = np.array([4, 2, 2]), 5


def perceptron(x, weights, threshold):
    total = 0
    for value, weight in zip(x, weights, strict=True):
        total += value * weight
    return int(total > threshold)


def show_table():
    print("dry   short   time   sum 4*dry + 2*short + 2*time   more than 5?")
    answers = [perceptron(x, WEIGHTS, THRESHOLD) for x in ROWS]
    for x, answer in zip(ROWS, answers, strict=True):
        print(f"{x[0]:3} {x[1]:7} {x[2]:6} {x[0] * 4 + x[1] * 2 + x[2] * 2:15} {answer:26}{'  bicycle' if answer else ''}")
    return answers


# %% What a weight does
# We turn one weight and leave the rest. At 0 the perceptron does not care about rain at all: the other two make 4 at most, and it never fires. The
# more dry weather weighs, the less else is needed. From 6 on, dry weather alone decides, and nothing changes any more. So a weight is no share of a
# whole. What counts is which sums come out above the threshold.
#
# At weight 1 all three inputs together make 5. That is not more than 5: it does not fire. On the border one has to agree on something, and we say
# "more".


def turn_weight():
    counts = {weight: sum(perceptron(x, [weight, 2, 2], THRESHOLD) for x in ROWS) for weight in (0, 1, 2, 4, 6, 10)}
    print("\nweight of dry        " + "".join(f"{weight:5}" for weight in counts))
    print("fires in cases of 8  " + "".join(f"{count:5}" for count in counts.values()))
    return list(counts.values())


# %% The threshold becomes a bias
# "The sum is more than 5" says the same as "the sum minus 5 is more than 0". The number that is added, here -5, is called the bias. It has a good
# sense of its own: it says how ready the perceptron is to fire before any input has spoken. From now on we compare with 0 and write b for the bias.
# All cases at once are a product of a matrix and a vector, which NumPy writes as @: each row of x is multiplied with w, number by number, and
# added up. One line for 8 rows or 8 million.


def fires(x, w, b):
    return (x @ w + b > 0).astype(int)


def show_bias(answers):
    same = fires(ROWS, WEIGHTS, -THRESHOLD).tolist() == answers
    counts = {b: int(fires(ROWS, WEIGHTS, b).sum()) for b in (-9, -7, -5, -3, -1, 1)}
    print("\nbias b               " + "".join(f"{b:5}" for b in counts))
    print("fires in cases of 8  " + "".join(f"{count:5}" for count in counts.values()) + f"    with b = -5 the table above: {same}")
    return same, list(counts.values())


# %% Different numbers, same decisions
# Multiply all weights and the bias by 10: each sum is 10 times as large, and above 0 when it was above 0 before. Other numbers do it as well. So
# there is no such thing as *the* weights of a decision. Two people who build a perceptron for the same table will hardly get the same numbers, and
# both are right. Not all that looks alike is: the third choice below decides one row otherwise, dry and time but a long way.


def other_numbers(answers):
    choices = {"(40, 20, 20), -50": ((40, 20, 20), -50), "(4, 3, 1.5), -5.2": ((4, 3, 1.5), -5.2), "(4, 2, 1), -5": ((4, 2, 1), -5)}
    found = {name: int(np.sum(fires(ROWS, np.array(w), b) != answers)) for name, (w, b) in choices.items()}
    print("\nother numbers, rows that differ: " + ";  ".join(f"{name}: {wrong}" for name, wrong in found.items()))
    return list(found.values())


# %% On the border, the computer decides
# On paper 0.1 + 0.2 is exactly 0.3, and 0.3 is not more than 0.3. But 0.1 cannot be written exactly in a computer, as 1/3 cannot with decimals. The
# sum comes out by a hair too large, and the perceptron fires. So weights should be such that no case lies on the border. Above the sums are even
# and the threshold is odd: that leaves a gap of 1 on both sides.


def on_the_border():
    total = 0.1 + 0.2
    print(f"weights 0.1 and 0.2, threshold 0.3: the sum is {total!r}, so it fires: {perceptron([1, 1], [0.1, 0.2], 0.3)}")
    return total


# %% Inputs that are measured
# Rain in mm and the way in km are inputs as good as yes and no. Each day is then a point in the plane. Where the sum plus the bias is exactly 0
# lies the border between firing and not: with two inputs it is a straight line. The weights turn it, the bias shifts it. Below are 12 days on which
# we decided ourselves. The perceptron has weight -1 for each km and bias 9; the weight of rain is turned. Both weights are negative: rain and
# distance speak against the bicycle.

DAYS = np.array([[0, 2], [0, 7], [1, 4], [2, 3.2], [3, 2], [4, 1.5], [0.5, 9.7], [2, 8.6], [4, 5.5], [5, 4.5], [6, 2], [7, 6]])  # mm, km
TAKEN = np.array([1] * 6 + [0] * 6)
BIAS = 9


def days_right(weight):
    return int(np.sum(fires(DAYS, np.array([weight, -1]), BIAS) == TAKEN))


def turn_rain():
    right = {weight: days_right(weight) for weight in (1, 0, -0.5, -1, -1.5, -2, -4)}
    print("\nweight of rain        " + "".join(f"{weight:5}" for weight in right))
    print("as we decided, of 12  " + "".join(f"{count:5}" for count in right.values()))
    return list(right.values())


# %% What no weights can do
# A table of two inputs has 4 rows, so there are 2 * 2 * 2 * 2 = 16 tables. We let the weights and the bias run through many values and collect
# which tables come out. It is 14 of 16, and 104 of 256 with three inputs, and larger weights find no more (we tried up to 3). The two that are
# missing of 16 are "either this or that, but not both" and its opposite. A single perceptron cannot, several together can: f04 shows it.


def count_tables(inputs, largest):
    rows = np.array(list(itertools.product((0, 1), repeat=inputs)))
    found = set()
    for w in itertools.product(range(-largest, largest + 1), repeat=inputs):
        for b in np.arange(-inputs * largest - 0.5, inputs * largest + 1):
            found.add(tuple(fires(rows, np.array(w), b).tolist()))
    return found


def show_limits():
    counts = {inputs: [len(count_tables(inputs, largest)) for largest in (1, 2, 3)] for inputs in (1, 2, 3)}
    for inputs, count in counts.items():
        print(f"{2 ** 2 ** inputs:4} tables of {inputs} input{'s'[: inputs > 1]}; found with weights up to 1, 2, 3: {', '.join(map(str, count))}")
    missing = set(itertools.product((0, 1), repeat=4)) - count_tables(2, 3)
    return counts, sorted(missing)


# %% Pictures
# With ``--out``: the perceptron of the table as a drawing, its line among the days for three weights, and slider.html, where you turn the weight of
# rain.


def draw(out):
    from dezero.viz import plots

    with picture(out / "perceptron.png", columns=2, size=(11.0, 4.4)) as (scheme, ax):
        draw_scheme(scheme)
        for group, mark, color, label in ((0, "o", "#0072B2", "other"), (1, "s", "#D55E00", "bicycle")):
            ax.scatter(*DAYS[group == TAKEN].T, marker=mark, color=color, s=60, label=label, zorder=3)
        rain = np.array([0.0, 9.0])
        for weight, line in ((-0.5, ":"), (-1.5, "-"), (-4.0, "--")):
            ax.plot(rain, BIAS + weight * rain, line, color="black", label=f"weight of rain {weight}: {days_right(weight)} of 12")
        ax.set(xlim=(-0.5, 8), ylim=(0, 11), xlabel="rain, in mm", ylabel="way, in km", title="A weight turns the border (it fires below the line)")
        ax.legend(loc="upper right")
    weights = np.arange(1, -4.1, -0.25)
    titles = [f"rain weighs {w:+.2f}, km -1: {days_right(w)} of 12 as decided" for w in weights]
    frames = [lambda places, w=w: places @ np.array([w, -1]) + BIAS for w in weights]
    plots.decision_animation(frames, DAYS, TAKEN, out / "slider.html", seconds=0.3, titles=titles, labels=["other", "bicycle"],
                             axis_labels=("rain, in mm", "way, in km"))


def draw_scheme(ax):
    for i, (name, weight) in enumerate(zip(NAMES, WEIGHTS, strict=True)):
        y = 2 - i
        ax.annotate("", (1.75, 1 + 0.12 * (1 - i)), (0.3, y), arrowprops={"arrowstyle": "->", "lw": 0.6 * float(weight)})
        ax.text(0, y, name, ha="center", va="center", size=11, bbox={"boxstyle": "circle,pad=0.5", "fc": "#DDEBF5"})
        ax.text(0.95, 0.55 * y + 0.45, f"weight {weight}", ha="center", va="center", size=11,
                bbox={"boxstyle": "square,pad=0.1", "fc": "white", "ec": "none"})
    ax.annotate("", (2.55, 1), (2.2, 1), arrowprops={"arrowstyle": "->"})
    ax.annotate("", (3.62, 1), (3.34, 1), arrowprops={"arrowstyle": "->"})
    ax.text(2, 1, "sum", ha="center", va="center", size=11, bbox={"boxstyle": "circle,pad=0.4", "fc": "#FBE8C8"})
    ax.text(2.92, 1, f"plus bias {-THRESHOLD}\nmore than 0?", ha="center", va="center", size=10, bbox={"boxstyle": "round,pad=0.5", "fc": "#FBE8C8"})
    ax.text(3.9, 1, "1 or 0", ha="center", va="center", size=11)
    ax.set(xlim=(-0.3, 4.2), ylim=(-0.5, 2.5), title="Inputs, weights, sum, bias, answer")
    ax.axis("off")


def main(out=None, fast=False):
    answers = show_table()
    weight, (same, bias), others = turn_weight(), show_bias(answers), other_numbers(answers)
    total, rain, (counts, missing) = on_the_border(), turn_rain(), show_limits()
    if out:
        draw(out)
    return {"answers": answers, "weight": weight, "bias": bias, "same": same, "others": others, "border": total, "rain": rain, "tables": counts,
            "missing": missing}


# %% Exercises: python -m steps.check f02 my_answer.py
# 1. ``answer(x, w, b)``: 0 or 1 of a perceptron for one case x, a list of numbers. The list w of weights is as long.
# 2. ``two_of_three()``: weights, a list of three, and a bias for a perceptron that fires if at least two of three inputs are 1. No case may lie on
#    the border.
# 3. ``answers(x, w, b)``: for a table x of N cases the N answers, as an array of 0 and 1. ``(x * w + b > 0).astype(int)`` runs too, but gives a
#    table: mend it.

if __name__ == "__main__":
    run(main)
