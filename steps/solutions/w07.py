"""One way to solve the exercises of w07."""

import numpy as np
from w07 import majority


def voters_needed(p, goal):
    if p <= 0.5:
        return 1 if goal <= p else None
    n = 1
    while majority([p] * n) < goal:
        n += 2
    return n


def weighted_vote(labels, weights, classes):
    votes = np.zeros((labels.shape[1], classes))
    for answer, weight in zip(labels, weights, strict=True):
        votes[np.arange(len(answer)), answer] += weight
    return votes.argmax(axis=1)


def decide(scores):
    probabilities = []
    for y in scores:
        e = np.exp(y - y.max(axis=1, keepdims=True))
        probabilities.append(e / e.sum(axis=1, keepdims=True))
    return np.mean(probabilities, axis=0).argmax(axis=1)
