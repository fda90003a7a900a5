"""Rows for dezero/functions/shape.py."""

from tests.cases.case import Case

CASES: list[Case] = []
