"""Arrays in files: npz and safetensors, written whole or not at all, read without trust; checkpoints; the comparison of states."""

from dezero.serialization.atomic import atomic_write
from dezero.serialization.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from dezero.serialization.files import load_arrays, save_arrays
from dezero.serialization.npz import load_npz, npz_path, save_npz
from dezero.serialization.random_state import random_state, restore_random_state
from dezero.serialization.safetensors import load_safetensors, save_safetensors
from dezero.serialization.state import StateDiff, compare_states

__all__ = [
    "Checkpoint",
    "StateDiff",
    "atomic_write",
    "compare_states",
    "load_arrays",
    "load_checkpoint",
    "load_npz",
    "load_safetensors",
    "npz_path",
    "random_state",
    "restore_random_state",
    "save_arrays",
    "save_checkpoint",
    "save_npz",
    "save_safetensors",
]
