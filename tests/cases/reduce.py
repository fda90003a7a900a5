"""Rows for dezero/functions/reduce.py."""

from tests.cases.case import Case

CASES: list[Case] = []
