"""Rows for dezero/functions/norm.py."""

from tests.cases.case import Case

CASES: list[Case] = []
