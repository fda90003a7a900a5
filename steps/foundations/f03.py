"""Can a perceptron find its weights by itself?

In f02 we set weights and bias by hand and saw what they do. For a handful of cases one can think them out. Here are five of the kind, the logic
gates. First we give the weights, then we let a perceptron learn them from its own mistakes, with a rule that fits on one line.
"""

import numpy as np

from support import picture, run

# %% Gates
# A gate is the smallest part of a computer: one or two inputs, each 0 or 1, and one output. AND fires if both inputs are 1, OR if at least one is.
# NAND is "not AND" and NOR "not OR": the opposite in each row. NOT has one input and turns it round. Chips with billions of parts are made of
# nothing else; NAND alone would do.

ROWS = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
GATES = {"AND": np.array([0, 0, 0, 1]), "OR": np.array([0, 1, 1, 1]), "NAND": np.array([1, 1, 1, 0]), "NOR": np.array([1, 0, 0, 0])}


def fires(x, w, b):
    return (x @ w + b > 0).astype(int)


# %% Weights by thought
# Let both inputs count alike, with weight 1. The sum is then the number of inputs that are 1: 0, 1 or 2. AND has to part 2 from 1, so the threshold
# is 1.5 and the bias -1.5. OR parts 1 from 0: -0.5. For the opposite of a gate, change the sign of all three numbers: what was above 0 is then
# below. NOT has one weight, -1: the input speaks against firing, and the bias 0.5 makes it fire without it.
#
# The gap is the smallest distance of a sum from 0. With these weights it is 0.5: an input may be a bit off, and the gate still works.

GIVEN = {"AND": ([1, 1], -1.5), "OR": ([1, 1], -0.5), "NAND": ([-1, -1], 1.5), "NOR": ([-1, -1], 0.5)}


def gap(x, w, b):
    return float(np.abs(x @ w + b).min())


def show_given():
    answers = {name: fires(ROWS, np.array(w), b) for name, (w, b) in GIVEN.items()}
    print("given weights   x1 x2   AND   OR  NAND  NOR")
    for i, x in enumerate(ROWS):
        print(f"{x[0]:18} {x[1]:2}" + "".join(f"{answer[i]:6}" for answer in answers.values()))
    negated = fires(np.array([[0], [1]]), np.array([-1]), 0.5)
    print(f"NOT 0 = {negated[0]}, NOT 1 = {negated[1]}")
    return {**answers, "NOT": negated}


# %% The rule
# The perceptron gets a case x and answers y. The table says t is right. If y = t, all stays as it is. If it should have fired and did not (t - y =
# 1), its sum was too small: add the case to the weights and 1 to the bias. If it fired and should not (t - y = -1), take them away. In one line,
# for all three cases, with a rate that says how large the change is:
#
# w = w + rate * (t - y) * x        b = b + rate * (t - y)
#
# Why does it help? An input that is 0 had no part in the mistake, and its weight stays. Each input that is 1 gets its weight changed, so that the
# sum of this very case moves in the right direction. It may not be enough at once, and it may spoil another case. But it has been proved: if there
# are weights that get all cases right, the rule finds some after finitely many mistakes.
#
# One walk through all cases is an epoch. We start with zeros, and stop after an epoch without a mistake. That last one changes nothing, but without
# it the perceptron could not know that it is done.


def learn(x, t, rate=1.0, start=None, rng=None, watch=None, limit=1000):
    """Weights, bias and the number of mistakes in each epoch. An rng shuffles the cases anew for each epoch."""
    w, b = (np.zeros(x.shape[1]), 0.0) if start is None else start
    mistakes = []
    while len(mistakes) < limit:
        wrong = 0
        for i in range(len(x)) if rng is None else rng.permutation(len(x)):
            y = fires(x[i], w, b)
            if y != t[i]:
                w, b = w + rate * (t[i] - y) * x[i], b + rate * (t[i] - y)
                wrong += 1
                if watch:
                    watch(w, b)
        mistakes.append(wrong)
        if not wrong:
            return w, b, mistakes
    return w, b, mistakes


# %% Weights by learning
# All five gates are learned without a mistake left. The table shows the mistakes in each epoch: it does not get better all the time, AND goes from
# 1 to 3. The weights are not ours. And the gap is 0: in each gate one case lies right on the border, and is right only since we said "more than 0".
# The rule has no reason to go on: it learns from mistakes, and there are none. "All right" and "safe" are not the same. (The third exercise mends
# it.)


def show_learned():
    found = {}
    print("\nlearned   epochs   mistakes in each      weights      bias   still wrong    gap")
    for name, t in (*GATES.items(), ("NOT", np.array([1, 0]))):
        x = ROWS if name in GATES else np.array([[0], [1]])
        w, b, mistakes = learn(x, t)
        wrong = int(np.sum(fires(x, w, b) != t))
        found[name] = {"epochs": len(mistakes), "mistakes": mistakes, "w": w, "b": b, "wrong": wrong, "gap": gap(x, w, b)}
        numbers = ", ".join(f"{weight:.0f}" for weight in w)
        print(f"{name:7} {len(mistakes):8}   {' '.join(map(str, mistakes)):16} {numbers:>12} {b:9.0f} {wrong:13} {gap(x, w, b):6.1f}")
    return found


# %% Does a larger rate learn faster?
# One often reads so. From zeros it is not true: with the rate 10 all numbers are 10 times as large, in every step, and the answers depend only on
# the signs of the sums. The table says so, but for one thing: with the rate 0.1, NAND takes 4 epochs instead of 6. That is no better rule, it is
# rounding. A sum that should be exactly 0 comes out as 0.00000000000000003, the perceptron fires, and the way goes on differently. Such is the
# border.
#
# From random numbers the rate does matter: with small steps it takes long until what was drawn by chance is outweighed. The last row shuffles the
# cases in each epoch: the order matters as well. Where chance plays a part, the table has the mean of 20 seeds, and in brackets the fewest and the
# most.


def show_rates(seeds=20):
    def epochs(t, **options):
        return len(learn(ROWS, t, **options)[2])

    def by_chance(t, rate):
        rngs = [np.random.default_rng(seed) for seed in range(seeds)]
        return [epochs(t, rate=rate, start=(rng.normal(size=2), rng.normal())) for rng in rngs]

    ways = {f"zeros, rate {rate:g}": (lambda t, rate=rate: [epochs(t, rate=rate)]) for rate in (0.01, 0.1, 1, 10)}
    ways |= {f"random start, rate {rate:g}": (lambda t, rate=rate: by_chance(t, rate)) for rate in (0.01, 0.1, 1, 10)}
    ways["zeros, rate 1, shuffled"] = lambda t: [epochs(t, rng=np.random.default_rng(seed)) for seed in range(seeds)]
    found = {}
    print("\nepochs" + " " * 18 + "".join(f"{name:>17}" for name in GATES))
    for way, count in ways.items():
        found[way] = {name: count(t) for name, t in GATES.items()}
        texts = [f"{e[0]}" if len(e) == 1 else f"{np.mean(e):.1f} ({min(e)}-{max(e)})" for e in found[way].values()]
        print(f"{way:24}" + "".join(f"{text:>17}" for text in texts))
    return found


# %% The line in the square
# The four cases are the corners of a square, and a perceptron draws a straight line through it. On one side it fires, on the other it does not.
# With ``--out``: the lines that we gave and those that were learned, and learning.html, where the line of AND moves with each correction.
#
# Is there a line for every table? No: f02 counted 14 of 16. What then happens to the rule, and how one gets the other two, is the question of f04.


def draw_line(ax, w, b, line, label):
    ends = np.array([-0.35, 1.35])
    ax.plot(ends, -(b + w[0] * ends) / w[1], line, color="black", label=label)


def draw_gates(path, learned):
    with picture(path, columns=4, size=(12.0, 4.3)) as axes:
        for ax, (name, t) in zip(axes, GATES.items(), strict=True):
            for group, mark, color, label in ((0, "o", "#0072B2", "0"), (1, "s", "#D55E00", "1: fires")):
                ax.scatter(*ROWS[t == group].T, marker=mark, color=color, s=90, label=label, zorder=3)
            draw_line(ax, *GIVEN[name], "--", "line given")
            draw_line(ax, learned[name]["w"], learned[name]["b"], "-", "line learned")
            ax.set(title=name, xlabel="first input", xlim=(-0.35, 1.35), ylim=(-0.35, 1.35), xticks=[0, 1], yticks=[0, 1], aspect="equal")
        axes[0].set_ylabel("second input")
        axes[0].figure.suptitle("Four gates: learned lines are right, and touch corners")
        axes[0].figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=4)


def draw_learning(path):
    from dezero.viz import plots

    moments = [(np.zeros(2), 0.0)]
    learn(ROWS, GATES["AND"], watch=lambda w, b: moments.append((w, b)))
    frames = [lambda places, w=w, b=b: places @ w + b for w, b in moments]
    titles = [f"AND, {i} corrections: weights {w[0]:.0f}, {w[1]:.0f}, bias {b:.0f}: {np.sum(fires(ROWS, w, b) == GATES['AND'])} of 4 right"
              for i, (w, b) in enumerate(moments)]
    plots.decision_animation(frames, ROWS, GATES["AND"], path, seconds=0.8, titles=titles, labels=["0", "1: fires"],
                             axis_labels=("first input", "second input"))


def main(out=None, fast=False):
    given, learned, rates = show_given(), show_learned(), show_rates()
    if out:
        draw_gates(out / "gates.png", learned)
        draw_learning(out / "learning.html")
    return {"given": given, "gaps": {name: gap(ROWS, np.array(w), b) for name, (w, b) in GIVEN.items()}, "learned": learned, "rates": rates}


# %% Exercises: python -m steps.check f03 my_answer.py
# 1. ``update(w, b, x, t, rate)``: one step of the rule: the pair (w, b) after the perceptron has seen the case x, whose right answer is t. Arrays w
#    and x stay as they are.
# 2. ``implies()``: weights, a list of two, and a bias for the gate "if the first, then the second": it is 0 only where the first input is 1 and the
#    second 0. No case may lie on the border.
# 3. ``learn_with_gap(x, t, gap)``: weights and bias by the rule, where an answer counts as a mistake also if its sum is nearer to 0 than gap.

if __name__ == "__main__":
    run(main)
