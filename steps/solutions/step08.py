"""One way to solve the exercises of step 08."""


def total(nested):
    todo, result = [nested], 0
    while todo:
        item = todo.pop()
        if isinstance(item, list):
            todo.extend(item)
        else:
            result += item
    return result


def recompute(y):
    functions = []
    while y.creator is not None:
        functions.append(y.creator)
        y = y.creator.input
    for f in reversed(functions):
        f.output.data = f.forward(f.input.data)


def mended(y):
    f = y.creator
    while f is not None:
        f.input.grad = f.backward(f.output.grad)
        f = f.input.creator
