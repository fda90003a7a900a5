"""Rows for dezero/functions/attention.py."""

from tests.cases.case import Case

CASES: list[Case] = []
