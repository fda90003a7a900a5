"""Rows for dezero/functions/elementwise.py."""

from tests.cases.case import Case

CASES: list[Case] = []
