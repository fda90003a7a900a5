"""detect_anomaly names op, layer, line and element; a kept array changed in place is found."""

import inspect

import numpy as np
import pytest

import dezero.functions as F
from dezero import Variable, detect_anomaly
from dezero.config import layer_scope
from dezero.errors import AnomalyError, ChangedInPlaceError


def here():
    """The line before the caller's."""
    return f"test_anomaly.py:{inspect.currentframe().f_back.f_lineno - 1}"


def test_forward_names_op_line_index_and_value():
    x = Variable(np.array([[1.0, 2.0], [0.0, 3.0]]))
    with detect_anomaly(), pytest.raises(AnomalyError) as error:
        F.log(x)
    line = f"test_anomaly.py:{inspect.currentframe().f_lineno - 1}"
    message = str(error.value)
    assert message.startswith("log, called at ") and line in message and "-inf at index (1, 0)" in message and "x[1, 0] = 0.0" in message


FAULTS = {
    "log of a negative": (lambda x: F.log(x - 2.0), "log"),
    "division by zero": (lambda x: x / (x - x), "div"),
    "overflow": (lambda x: F.exp(x * 1000.0), "exp"),
    "inf - inf": (lambda x: F.sqrt(x - 5.0) * 0.0, "sqrt"),
    "power": (lambda x: (x - 1.0) ** -1.0, "pow"),
    "in a matrix product": (lambda x: F.matmul(x.reshape(1, 2), np.array([[np.inf], [1.0]])), "matmul"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_are_found_where_they_arise(fault):
    f, op = FAULTS[fault]
    with detect_anomaly(), pytest.raises(AnomalyError, match=f"^{op}, called at .*test_anomaly.py"):
        f(Variable(np.array([1.0, 2.0])))


def test_backward_names_the_forward_line():
    x = Variable(np.array([0.0, 4.0]))
    with detect_anomaly():
        y = F.sqrt(x)
        line = here()
        with pytest.raises(AnomalyError) as error:
            F.sum(y).backward()
    message = str(error.value)
    assert "sqrt" in message and line in message and "gradient of x" in message and "index (0,)" in message


def test_the_layer_is_named():
    with detect_anomaly(), layer_scope("encoder"), layer_scope("fc2"), pytest.raises(AnomalyError, match=r"^encoder\.fc2: log"):
        F.log(Variable(np.array([0.0])))


def test_an_array_changed_in_place_is_found():
    a = np.array([1.0, 2.0])
    x = Variable(a)
    with detect_anomaly():
        y = x * x
        line = here()
        a[0] = 100
        with pytest.raises(ChangedInPlaceError) as error:
            y.backward()
    assert "mul" in str(error.value) and line in str(error.value)


def test_replacing_data_between_forward_and_backward_keeps_the_gradient_right():
    x = Variable(np.array([1.0, 2.0]))
    y = x * x
    x.data = np.array([100.0, 100.0])
    y.backward()
    assert np.array_equal(x.grad.data, [2, 4])
    x = Variable(np.array([1.0, 2.0]))
    y = x * x
    x.data = np.array([100.0, 100.0])
    y.backward(create_graph=True)
    assert np.array_equal(x.grad.data, [2, 4])


def test_healthy_programs_run_through():
    x = Variable(np.array([1.0, 2.0]))
    with detect_anomaly():
        a, b = F.split(F.exp(x), 2)
        (F.sum(a * b) + F.logsumexp(x)).backward(create_graph=True)
        x.grad.sum().backward()
    assert np.isfinite(x.grad.data).all()
