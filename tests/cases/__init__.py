"""The table of all ops: one list of rows per file of ``dezero/functions``."""

from importlib import import_module

FILES = ("elementwise", "reduce", "shape", "index", "linalg", "activation", "loss", "conv", "pool", "norm", "dropout", "rnn", "attention", "metrics")
CASES = [case for name in FILES for case in import_module(f"tests.cases.{name}").CASES]
