"""Lends what is in ../support.py to the scripts of this folder, under the same name."""

import importlib.util
import sys
from pathlib import Path

_spec = importlib.util.spec_from_file_location("support", Path(__file__).resolve().parents[1] / "support.py")
sys.modules["support"] = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(sys.modules["support"])
