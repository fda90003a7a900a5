"""Exercises of step 25: pictures as text."""

import re
from collections import Counter
from itertools import pairwise

from steps.exercises.kit import Exercise, same, true

TOKEN = re.compile(r'//[^\n]*|#[^\n]*|"(?:[^"\\]|\\.)*"|->|[\w.]+|[\[\]{}=,;]|\n|[^\s]')


def parse(text):
    """The nodes of a DOT text with their attributes, and its edges; ValueError where it is no DOT of this small kind.

    It knows remarks, quoted names, chains of arrows, attributes of nodes and edges, and semicolons; subgraphs it does not know.
    """
    words = [word for word in TOKEN.findall(text) if word[0] != "#" and word[:2] != "//"]
    flat = [word for word in words if word != "\n"]
    if flat[:1] == ["strict"]:
        flat = flat[1:]
    if flat[:1] != ["digraph"] or "{" not in flat[:3] or flat[-1] != "}":
        raise ValueError("a text of the form digraph { ... } is expected")
    todo = flat[flat.index("{") + 1:-1]
    nodes, edges, defaults = {}, [], {}
    while todo:
        word = todo.pop(0)
        if word == ";":
            continue
        if not is_name(word):
            raise ValueError(f"{word!r} stands where a name is expected")
        chain = [plain(word)]
        while todo[:1] == ["->"]:
            if len(todo) < 2 or not is_name(todo[1]):
                raise ValueError("an arrow leads nowhere")
            chain.append(plain(todo[1]))
            del todo[:2]
        if todo[:1] == ["="]:  # an attribute of the whole graph
            del todo[:2]
            continue
        attributes = {}
        while todo[:1] == ["["]:
            if "]" not in todo:
                raise ValueError("a bracket is not closed")
            inside = [word for word in todo[1:todo.index("]")] if word not in (",", ";")]
            del todo[:todo.index("]") + 1]
            if len(inside) % 3 or any(inside[k] != "=" for k in range(1, len(inside), 3)):
                raise ValueError(f"the brackets hold {' '.join(inside)!r}: pairs such as shape=box are expected")
            attributes.update({plain(inside[k]): plain(inside[k + 2]) for k in range(0, len(inside), 3)})
        if len(chain) == 1 and chain[0] in ("node", "edge", "graph"):
            defaults.update(attributes if chain[0] == "node" else {})
            continue
        for name in chain:
            nodes.setdefault(name, dict(defaults))
        if len(chain) == 1:
            nodes[chain[0]].update(attributes)
        edges += pairwise(chain)
    return nodes, edges


def is_name(word):
    return word[0] == '"' or re.fullmatch(r"[\w.]+", word) is not None


def plain(word):
    return word[1:-1].replace('\\"', '"') if word[0] == '"' else word


def parsed(text, what):
    true(isinstance(text, str), f"{what} gave a {type(text).__name__}: a text is expected")
    try:
        return parse(text)
    except ValueError as error:
        true(False, f"{what} is no DOT that the checker can read: {error}")


def labels(nodes):
    return {name: attributes.get("label", name) for name, attributes in nodes.items()}


def check_square_plus_x(square_plus_x):
    nodes, edges = parsed(square_plus_x(), "square_plus_x()")
    boxes = [name for name, attributes in nodes.items() if attributes.get("shape") in ("box", "rect", "rectangle")]
    same((len(nodes), len(boxes), len(edges)), (5, 2, 6), "(nodes, boxes among them, edges)")
    named = labels(nodes)
    functions = {named[name].lower(): name for name in boxes}
    same(sorted(functions), ["add", "mul"], "the labels of the boxes, in small letters")
    mul, add = functions["mul"], functions["add"]
    into = {name: Counter(start for start, end in edges if end == name) for name in nodes}
    true(list(into[mul].values()) == [2], f"into Mul go {sorted(into[mul].elements())}: x, twice, is expected (two edges)")
    (x,) = into[mul]
    true(named[x] == "x", f"into Mul goes {named[x]!r} twice: x is expected")
    middle = [end for start, end in edges if start == mul]
    true(len(middle) == 1 and into[add] == Counter([middle[0], x]),
         f"into Add go {sorted(into[add].elements())}: what Mul gives, and x, are expected")
    result = [end for start, end in edges if start == add]
    true(len(result) == 1 and named[result[0]] == "y", "what Add gives should be one node with the label y")


def check_chain_dot(chain_dot):
    for functions in (["Exp", "Log"], ["Exp", "Exp"], ["Sin"], ["Square", "Exp", "Square", "Exp"]):
        nodes, edges = parsed(chain_dot(functions), f"chain_dot({functions})")
        same((len(nodes), len(edges)), (2 * len(functions) + 1, 2 * len(functions)), f"chain_dot({functions}): (nodes, edges)")
        after = dict(edges)
        starts = [name for name in nodes if name not in after.values()]
        same((len(after), len(starts)), (len(edges), 1), f"chain_dot({functions}): (nodes that an edge leaves, nodes without one that comes)")
        way = [starts[0]]
        while way[-1] in after and len(way) <= len(nodes):
            way.append(after[way[-1]])
        same(len(way), len(nodes), f"chain_dot({functions}): the length of the way from the first node on")
        same([nodes[name].get("label", name) for name in way[1::2]], functions, f"chain_dot({functions}): what stands in every second node")
        true(all(nodes[name].get("shape") in ("box", "rect", "rectangle") for name in way[1::2]),
             f"chain_dot({functions}): functions are boxes: shape=box is missing")
        true(not any("shape" in nodes[name] and nodes[name]["shape"] != "ellipse" for name in way[::2]),
             f"chain_dot({functions}): variables are ellipses")


def check_loose_ends(loose_ends):
    text = """
digraph {
    // the -> arrow of this remark joins nothing
    x [label="x"]
    lost [label="Lost", shape=box]
    // ghost [label="never there"]
    alone [label="alone"]
    x -> f -> y
}
"""
    same(loose_ends(text), ["alone", "lost"], "loose_ends(...) of a text with two nodes without arrows, and two remarks")
    same(loose_ends("\ndigraph {\n    a -> b\n    b -> a\n}\n"), [], "loose_ends(...) of a text without any")


EXERCISES = [
    Exercise("square_plus_x", "Return DOT, written by hand, for y = x * x + x: 5 nodes, two of them boxes (Mul and Add), and 6 edges.",
             ("The variables are x, a = x * x, and y. List what goes into each function, then what comes out.",
              "The lines with arrows: x -> mul -> a -> add -> y, then x -> mul once more, then x -> add. The boxes have shape=box."),
             check_square_plus_x),
    Exercise("chain_dot", 'DOT for a chain of functions: for ["Exp", "Log"] 5 nodes and 4 edges. The same name may come twice.',
             ("Names refer to nodes, so two nodes need two names; their labels may be equal.",
              "For number i: a line f\"    f{i} [label=\\\"{name}\\\", shape=box]\" and a line f\"    v{i} -> f{i} -> v{i + 1}\"."), check_chain_dot),
    Exercise("loose_ends", "The names of nodes without any arrow, in alphabetical order. Lines that begin with // are remarks: skip them.",
             ("read_dot gives nodes and edges; the remarks have to go before that.",
              "Keep the lines for which not line.strip().startswith('//'), join them with '\\n', read, and subtract the names in edges from nodes."),
             check_loose_ends),
]
