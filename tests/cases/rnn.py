"""Rows for dezero/functions/rnn.py."""

from tests.cases.case import Case

CASES: list[Case] = []
