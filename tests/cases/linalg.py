"""Rows for dezero/functions/linalg.py."""

from tests.cases.case import Case

CASES: list[Case] = []
