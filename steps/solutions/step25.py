"""One way to solve the exercises of step 25."""

from step25 import read_dot


def square_plus_x():
    return """
digraph {
    x [label="x"]
    a [label="x * x"]
    y [label="y"]
    mul [label="Mul", shape=box]
    add [label="Add", shape=box]
    x -> mul -> a -> add -> y
    x -> mul
    x -> add
}
"""


def chain_dot(functions):
    lines = []
    for i, name in enumerate(functions):
        lines += [f'    f{i} [label="{name}", shape=box]', f"    v{i} -> f{i} -> v{i + 1}"]
    return "\n".join(["digraph {", *lines, "}"])


def loose_ends(text):
    lines = [line for line in text.splitlines() if not line.strip().startswith("//")]
    nodes, edges = read_dot("\n".join(lines))
    return sorted(set(nodes) - {name for edge in edges for name in edge})
