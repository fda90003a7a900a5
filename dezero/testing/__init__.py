"""For tests of ops, layers and models: gradients by differences, and comparisons of arrays."""

from dezero.errors import GradientCheckError
from dezero.testing.compare import array_allclose, array_equal
from dezero.testing.gradients import check_gradients, gradient_check, numerical_grad

__all__ = ["GradientCheckError", "array_allclose", "array_equal", "check_gradients", "gradient_check", "numerical_grad"]
