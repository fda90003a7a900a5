"""Plots of training, results and weights: each returns a matplotlib Figure and writes it where a path is given, without a display."""

from dezero.viz.plots.classes import confusion_matrix, mistakes
from dezero.viz.plots.curves import compare_curves, learning_curves, learning_rates, lr_schedule
from dezero.viz.plots.gradients import activation_histograms, gradient_flow
from dezero.viz.plots.images import filters, image_grid
from dezero.viz.plots.regions import decision_animation, decision_boundary, decision_grid, scatter2d

__all__ = [
    "activation_histograms",
    "compare_curves",
    "confusion_matrix",
    "decision_animation",
    "decision_boundary",
    "decision_grid",
    "filters",
    "gradient_flow",
    "image_grid",
    "learning_curves",
    "learning_rates",
    "lr_schedule",
    "mistakes",
    "scatter2d",
]
