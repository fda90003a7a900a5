"""Exercises of step 26: graphs that draw themselves."""

import xml.etree.ElementTree as ET

import numpy as np

import dezero.functions as F
from dezero import Variable
from steps.exercises.kit import Exercise, same, true


def check_uses(uses):
    x, other = Variable(np.array(2.0), name="x"), Variable(np.array(2.0), name="x")  # equal in name and number, yet two
    same(uses(x * x + x, x), 3, "uses of x in x * x + x")
    same(uses(x * other + F.exp(x), x), 2, "uses of x in x * other + exp(x), where other has the same name and number")
    same(uses(F.exp(other), x), 0, "uses of x in exp(other)")
    a = x * x
    same(uses(a * a + x, x), 3, "uses of x in a * a + x with a = x * x: a ran once")
    same(uses(a * a + x, a), 2, "uses of a in a * a + x")


def check_function_names(function_names):
    x = Variable(np.array(2.0))
    same(function_names(F.log(1 + F.exp(x))), ["Add", "Exp", "Log"], "the functions behind log(1 + exp(x))")
    same(function_names(F.sin(x) + F.sin(x)), ["Add", "Sin", "Sin"], "the functions behind sin(x) + sin(x)")
    a = F.sin(x)
    same(function_names(a + a), ["Add", "Sin"], "the functions behind a + a with a = sin(x)")
    same(function_names(x), [], "the functions behind a variable that nobody computed")
    for _ in range(3000):
        a = -a
    same(len(function_names(a)), 3001, "the number of functions in a chain of 3,001")


def check_svg_text(svg_text):
    for name in ("a<b", "a & b", "<&>", "&lt;", "x", 'say "yes"', "a < b && b > c", "</text>"):
        got = svg_text(name)
        true(isinstance(got, str), f"svg_text({name!r}) gave a {type(got).__name__}: a text is expected")
        try:
            read = ET.fromstring(f"<text>{got}</text>")
        except ET.ParseError:
            true(False, f"svg_text({name!r}) is {got!r}: a browser cannot read that between <text> and </text>")
        true(len(read) == 0 and (read.text or "") == name, f"svg_text({name!r}) is {got!r}: a browser shows {read.text!r}")


EXERCISES = [
    Exercise("uses", "How many arrows leave the variable x in the graph of output? For x * x + x it is 3.",
             ("walk gives each function once. x may stand among the inputs of a function more than once.",
              "Sum over all functions of the walk: sum(each is x for each in function.inputs)."), check_uses),
    Exercise("function_names", "The class names of all functions behind output, sorted; one that ran twice is there twice.",
             ("The name of an object's class is type(thing).__name__.", "sorted(type(function).__name__ for function, _ in walk(output))."),
             check_function_names),
    Exercise("svg_text", "A name escaped for SVG, in which < begins a tag and & begins an escape: &lt; is <, and &amp; is &.",
             ("Two times replace. The order matters: look what becomes of an & which you have just put in yourself.",
              'First replace "&" by "&amp;", then "<" by "&lt;".'), check_svg_text),
]
