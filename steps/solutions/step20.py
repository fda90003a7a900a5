"""One way to solve the exercises of step 20."""


def predict():
    return [5 * 8 + 3, 8 + 5 * 4, 8 + 1, 5 * 2]


def polynomial(cs, x):
    y = cs[-1]
    for c in reversed(cs[:-1]):
        y = y * x + c
    return y


class Text:
    def __init__(self, text):
        self.text = text

    def __add__(self, other):
        return Text(f"({self.text} + {other.text})")

    def __mul__(self, other):
        return Text(f"({self.text} * {other.text})")

    def __str__(self):
        return self.text
