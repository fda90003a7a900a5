"""Rows for dezero/functions/metrics.py."""

from tests.cases.case import Case

CASES: list[Case] = []
