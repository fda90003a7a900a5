"""One way to solve the exercises of step 50."""


def iterations(samples, size, drop_last):
    return samples // size if drop_last else -(-samples // size)


def loader(dataset, size, rng):
    order = rng.permutation(len(dataset))
    for start in range(0, len(dataset), size):
        yield dataset[order[start:start + size]]


def epoch_mean(loader, loss_of):
    total = count = 0
    for x, t in loader:
        total += len(x) * loss_of(x, t)
        count += len(x)
    return total / count
