"""Rows for dezero/functions/activation.py."""

from tests.cases.case import Case

CASES: list[Case] = []
