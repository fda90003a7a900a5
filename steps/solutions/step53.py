"""One way to solve the exercises of step 53."""

import os

import numpy as np

from step53 import read_header


def read_array(path, name):
    header, begin_of_numbers = read_header(path)
    first, last = header[name]["data_offsets"]
    with open(path, "rb") as file:
        file.seek(begin_of_numbers + first)
        return np.frombuffer(file.read(last - first), dtype="<f4").reshape(header[name]["shape"])


def load_what_fits(model, path):
    report = model.load_weights(path, strict=False)
    return [*report.missing, *report.mismatched]


def write_whole(path, pieces):
    part = path.with_name(path.name + ".part")
    try:
        with open(part, "wb") as file:
            for piece in pieces:
                file.write(piece)
        os.replace(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
