"""One way to solve the exercises of f01."""


def rule(image):
    return int(image[3:5, 3:5].mean() > 6)


def normalise_both(train, test):
    mean, spread = train.mean(), train.std()
    return (train - mean) / spread, (test - mean) / spread


def split(count, tests, rng):
    order = rng.permutation(count)
    return order[tests:], order[:tests]
