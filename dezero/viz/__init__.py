"""Pictures: of computation graphs, and of numbers."""

from dezero.viz.dot import get_dot_graph, plot_dot_graph
from dezero.viz.graph import FunctionNode, Graph, VariableNode, collect_graph
from dezero.viz.raster import draw_graph_png
from dezero.viz.svg import get_svg_graph

__all__ = ["FunctionNode", "Graph", "VariableNode", "collect_graph", "draw_graph_png", "get_dot_graph", "get_svg_graph", "plot_dot_graph"]
