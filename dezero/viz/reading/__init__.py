"""What :mod:`dezero.viz.formula` is made of: terms, an evaluator of code on them, a reader of functions, and a table of known formulas."""
