"""Exercises of step 53: files of parameters."""

import os
import tempfile
from pathlib import Path

import numpy as np

from dezero.models import MLP
from dezero.serialization import save_safetensors
from steps.exercises.kit import Exercise, raises, same, true


def check_read_array(read_array):
    rng = np.random.default_rng(0)
    arrays = {"first.W": rng.normal(size=(4, 3)).astype(np.float32), "first.b": rng.normal(size=3).astype(np.float32),
              "second.W": rng.normal(size=(2, 3, 2)).astype(np.float32), "scale": np.array(2.5, dtype=np.float32)}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "weights.safetensors"
        save_safetensors(path, arrays, {"epoch": "3"})
        for name, array in arrays.items():
            found = read_array(path, name)
            same(found, array, f"read_array(path, {name!r})")
            true(np.asarray(found).dtype == np.float32, f"read_array(path, {name!r}): the type is {np.asarray(found).dtype}, float32 is expected")


def state_of(model):
    return {name: p.data.copy() for name, p in model.named_params()}


def check_load_what_fits(load_what_fits):
    for sizes, kept in (((8, 3), ["l1.W", "l1.b"]), ((8, 4), []), ((8, 6, 4), ["l1.W", "l1.b", "l2.W", "l2.b"]), ((9, 4), ["l0.W", "l0.b", "l1.W"])):
        rng = np.random.default_rng(1)
        before = np.random.get_state()  # the first weights are drawn from it, and replaced at once
        saved, model = MLP((8, 4), in_size=5), MLP(sizes, in_size=5)
        np.random.set_state(before)
        for one in (saved, model):
            for p in one.params():
                p.data[...] = rng.normal(size=p.shape)
        before, wanted = state_of(model), state_of(saved)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "weights.safetensors"
            saved.save_weights(path)
            found = load_what_fits(model, path)
        true(found is not None, "load_what_fits returned nothing: a list of names is expected")
        same(sorted(found), kept, f"file of MLP((8, 4)), model MLP({sizes}): the names left as they were")
        for name, now in state_of(model).items():
            same(now, before[name] if name in kept else wanted[name], f"file of MLP((8, 4)), model MLP({sizes}): {name}", 0)


def check_write_whole(write_whole):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "data.bin"
        for text in (b"first version", b"second", b"third, a longer version"):
            old = path.read_bytes() if path.exists() else None

            def pieces(text=text, old=old):
                for i in range(0, len(text), 5):
                    now = path.read_bytes() if path.exists() else None
                    true(now == old, f"after {i} bytes of {text!r} the file holds {now!r}: until all is there, {old!r} is expected")
                    yield text[i:i + 5]

            write_whole(path, pieces())
            true(path.exists(), "there is no file of that name afterwards")
            same(path.read_bytes(), text, "the content of the file")
            same(sorted(os.listdir(folder)), ["data.bin"], "the files in the folder")

        def failing():
            yield b"half of "
            raise OSError("the source of the pieces fails")

        raises(OSError, lambda: write_whole(path, failing()), "a source that fails: its error should reach the caller")
        same(path.read_bytes(), b"third, a longer version", "the content of the file after a source that failed")
        same(sorted(os.listdir(folder)), ["data.bin"], "the files in the folder after a source that failed")


EXERCISES = [
    Exercise("read_array", "The array of that name from a safetensors file (type F32), with Python and NumPy alone.",
             ("read_header tells where the numbers of each name begin and end. The places count from the first byte after the text.",
              "file.seek(begin_of_numbers + first), then np.frombuffer(file.read(last - first), dtype='<f4').reshape(shape)."), check_read_array),
    Exercise("load_what_fits", "Load the parameters whose names and shapes fit, leave the others as they are, and give their names in a list.",
             ("load_weights has a setting that makes it less strict, and it returns what did not fit.",
              "report = model.load_weights(path, strict=False). Names of the model that got nothing: report.missing and report.mismatched."),
             check_load_what_fits),
    Exercise("write_whole", "Write pieces of bytes, which come one after another, to a file: whole or not at all. Nothing else stays in the folder.",
             ("The pieces may go to another file in the same folder first. os.replace(a, b) renames a file at once, also over an old one.",
              "try: write all pieces to path.with_name(path.name + '.part'), close it, os.replace it to path. except: unlink the part, then raise."),
             check_write_whole),
]
