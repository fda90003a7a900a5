"""Rows for dezero/functions/pool.py."""

from tests.cases.case import Case

CASES: list[Case] = []
