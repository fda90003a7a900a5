"""Rows for dezero/functions/conv.py."""

from tests.cases.case import Case

CASES: list[Case] = []
