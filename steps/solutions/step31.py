"""One way to solve the exercises of step 31."""

from dezero.viz import Graph, collect_graph


def foretold():
    return ["Mul", "Mul", "Mul", "Cos", "Mul", "Add"]


def kept_for_slope(f, x):
    y = f(x)
    x.cleargrad()
    y.backward(create_graph=True)
    return sorted(function.name for function in collect_graph(x.grad).functions if function.derivative == 0)


def one_pass(graph, which):
    functions = tuple(f for f in graph.functions if f.derivative == which)
    ids = {f.id for f in functions}
    edges = tuple(edge for edge in graph.edges if edge[0] in ids or edge[1] in ids)
    ends = {end for edge in edges for end in edge}
    variables = tuple(v for v in graph.variables if v.id in ends)
    return Graph(variables, functions, edges, tuple(v for v in graph.outputs if v in ends))
