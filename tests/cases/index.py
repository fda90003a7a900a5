"""Rows for dezero/functions/index.py."""

from tests.cases.case import Case

CASES: list[Case] = []
