"""Rows for dezero/functions/loss.py."""

from tests.cases.case import Case

CASES: list[Case] = []
