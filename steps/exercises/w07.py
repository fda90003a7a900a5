"""Exercises of w07: how many voters, voters of different weight, and a mean of the wrong thing."""

import numpy as np

from steps.exercises.kit import Exercise, framework, same, true


def check_voters_needed(voters_needed):
    for p, goal in ((0.7, 0.9), (0.9, 0.99), (0.6, 0.6), (0.6, 0.75), (0.55, 0.8)):
        n = 1
        while framework("w07").majority([p] * n) < goal:
            n += 2
        same(voters_needed(p, goal), n, f"voters_needed({p}, {goal})")
    same(voters_needed(0.45, 0.4), 1, "voters_needed(0.45, 0.4), where one voter is enough")
    for p, goal in ((0.5, 0.6), (0.4, 0.9)):
        got = voters_needed(p, goal)
        true(got is None, f"voters_needed({p}, {goal}): {got} came out, None is expected: more voters do not help here")


def check_weighted_vote(weighted_vote):
    labels = np.array([[0, 1, 2, 1], [1, 1, 0, 2], [1, 2, 0, 0]])
    for weights, expected in (([1, 1, 1], [1, 1, 0, 0]), ([3, 1, 1], [0, 1, 2, 1]), ([1.0, 2.0, 4.0], [1, 2, 0, 0]), ([0.5, 1.5, 1.0], [1, 1, 0, 2])):
        what = f"weighted_vote({labels.tolist()}, {weights}, 3)"
        same(np.asarray(weighted_vote(labels, np.array(weights), 3)), np.array(expected), what)


def check_decide(decide):
    loud, calm, other = np.array([[0.0, 60.0, 0.0]]), np.array([[3.0, 0.0, 0.0]]), np.array([[4.0, 0.0, 0.0]])
    same(np.asarray(decide([calm, other])), np.array([0]), "the answer of two nets that prefer class 0")
    same(np.asarray(decide([loud, calm, other])), np.array([0]),
         "two nets give class 0 a probability of 0.91 and 0.96, a third one is sure of class 1 with a score of 60: the answer")
    scores = [np.random.default_rng(i).normal(scale=3.0, size=(40, 4)) for i in range(5)]
    expected = np.mean([np.exp(y) / np.exp(y).sum(axis=1, keepdims=True) for y in scores], axis=0).argmax(axis=1)
    same(np.asarray(decide(scores)), expected, "the answers of five nets for 40 samples")
    with np.errstate(over="ignore", invalid="ignore"):
        same(np.asarray(decide([np.array([[1000.0, 990.0]]), np.array([[0.0, 0.5]])])), np.array([0]), "with scores of 1000 and 990: the answer")


EXERCISES = [
    Exercise("voters_needed", "The smallest odd number of independent voters, each right with probability p, whose majority is right with at least "
             "the probability goal. None if no number is enough, because p is at most a half and the goal is above p.",
             ("``from w07 import majority`` gives the probability for any list of voters. Which case would make a loop run forever?",
              "If p <= 0.5 return 1 if goal <= p else None. Otherwise n = 1, and while majority([p] * n) < goal: n += 2."), check_voters_needed),
    Exercise("weighted_vote", "labels (members, N) and a weight for each member. For each sample the class with the largest sum of weights, as an "
             "array (N,); the lowest class wins a tie.",
             ("Make a table (N, classes) of zeros; each member adds its weight in one place of each row.",
              "votes = np.zeros((N, classes)); for each answer and weight: votes[np.arange(N), answer] += weight; then votes.argmax(axis=1)."),
             check_weighted_vote),
    Exercise("decide", "The answers (N,) of several nets by the mean of their probabilities; scores is a list of arrays (N, C). Mend: "
             "return np.mean(scores, axis=0).argmax(axis=1)",
             ("A score of 60 counts as much as twenty scores of 3; a probability never counts more than 1. What makes one of the other?",
              "Softmax for each net first: e = np.exp(y - y.max(axis=1, keepdims=True)), e / e.sum(axis=1, keepdims=True). Then the mean over the "
              "nets, then argmax."), check_decide),
]
