"""Exercises of w01: what trying out costs, a referee that is mended, a check of a few parameters."""

import numpy as np

from steps.exercises.kit import Exercise, framework, same, short, true


def check_count_losses(count_losses):
    for sizes, losses in (((64, 50, 10), 7520), ((2, 1), 6), ((3, 4, 2), 52), ((784, 1000, 10), 1_590_020), ((5, 5, 5, 5), 180)):
        same(count_losses(sizes), losses, f"count_losses({sizes})")


def check_slopes(slopes):
    for p in (np.array([0.5, -1.5, 2.0]), np.array([[1.0, 2.0], [0.1, -0.7]]), np.array(0.3)):
        before, moved = p.copy(), p

        def loss(moved=moved):
            return float((moved**3 + moved * moved.sum()).sum())

        same(slopes(loss, p), 3 * before**2 + 2 * before.sum(), f"slopes of the sum of p³ + p · sum(p) at p = {short(before)}", 1e-6)
        true(np.array_equal(p, before), f"afterwards p is not what it was: {short(p - before)} away. p + h - h need not be p: keep the old number")
    p = np.array([1.0, 2.0])
    same(slopes(lambda: float(p[0] * p[1]), p, h=0.5), np.array([2.0, 1.0]), "slopes of p[0] · p[1] at [1, 2] with h = 0.5")


def check_spot_check(spot_check):
    w01 = framework("w01")
    rng = np.random.default_rng(0)
    x, t = rng.normal(size=(5, 6)), np.array([0, 1, 2, 1, 0])
    for parts, right, what in (({}, True, "a right network"), ({"bend": w01.OpenReLU}, False, "a network whose ReLU is always open"),
                               ({"affine": w01.OneRowAffine}, False, "a network whose bias sees one image")):
        net = w01.TwoLayerNet((6, 8, 3), 0, **parts)
        before = {name: p.copy() for name, p in net.params.items()}
        got = spot_check(net, x, t, 60, np.random.default_rng(1))
        true(isinstance(got, (int, float, np.number)), f"spot_check gave {short(got)}: the largest difference is expected, a number")
        true(got < 1e-6 if right else got > 1e-3, f"spot_check of {what}, 60 of 83 parameters: {got:.1e} came out, "
             + ("less than 1e-6 is expected" if right else "more than 1e-3 is expected"))
        true(2 * 60 <= net.evaluations <= 2 * 60 + 1, f"{net.evaluations} losses were computed to check 60 parameters: 121 at most are expected, "
             "two for each parameter that is tried out, one for backpropagation")
        same_as_before = all(np.array_equal(p, before[name]) for name, p in net.params.items())
        true(same_as_before, f"spot_check has changed the parameters of {what}")
    seen = {float(spot_check(w01.TwoLayerNet((6, 8, 3), 0, bend=w01.OpenReLU), x, t, 2, np.random.default_rng(seed))) for seed in range(10)}
    true(len(seen) > 2, "with ten seeds of rng the same parameters are tried out: draw them with rng, from all four arrays")


EXERCISES = [
    Exercise("count_losses", "Predict. How many losses does ``numerical`` compute for a network with these numbers of units, such as (64, 50, 10)? "
             "There may be more layers than two, each with W and b.",
             ("Two losses for each parameter. How many parameters has a layer from n to m units?",
              "n * m weights and m biases: twice the sum of (n + 1) * m over neighbours in sizes."), check_count_losses),
    Exercise("slopes", "Mend the inner lines of a function that tries out the array p: ``p[place] += h; up = loss(); p[place] -= h; "
             "grad[place] = (up - loss()) / (2 * h)``. loss() takes no arguments and looks at p; afterwards p must hold exactly what it held before.",
             ("Where does p stand when the second loss is computed, and how far is that from the first?",
              "Keep the number: kept = p[place]; then p[place] = kept + h, p[place] = kept - h, and in the end p[place] = kept."), check_slopes),
    Exercise("spot_check", "Draw ``count`` of all parameters of a TwoLayerNet with rng, and give the largest difference between their backpropagated "
             "and tried-out gradients, with 2 * count + 1 losses at most.",
             ("Make a list of all places first, (name, index), and draw from it without putting back.",
              "places = [(name, i) for name, p in net.params.items() for i in np.ndindex(p.shape)]; rng.choice(len(places), count, replace=False); "
              "and for each of them what ``numerical`` does."), check_spot_check),
]
