"""One way to solve the exercises of step 11."""

from step11 import Add, Function


class MinMax(Function):
    def forward(self, xs):
        (x,) = xs
        return [x.min(), x.max()]


def total(boxes):
    result = boxes[0]
    for box in boxes[1:]:
        result = Add()([result, box])[0]
    return result


class Mean(Function):
    def forward(self, xs):
        return [sum(xs) / len(xs)]
