"""Pictures: of computation graphs, and of numbers."""

from dezero.viz.dot import get_dot_graph, plot_dot_graph
from dezero.viz.graph import Cluster, FunctionNode, Graph, GroupNode, VariableNode, collect_graph
from dezero.viz.raster import draw_graph_png
from dezero.viz.svg import get_svg_graph
from dezero.viz.values import keep_values

__all__ = ["Cluster", "FunctionNode", "Graph", "GroupNode", "VariableNode", "collect_graph", "draw_graph_png", "get_dot_graph", "get_svg_graph",
           "keep_values", "plot_dot_graph"]
