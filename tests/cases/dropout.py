"""Rows for dezero/functions/dropout.py."""

from tests.cases.case import Case

CASES: list[Case] = []
