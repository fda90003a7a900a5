"""What :mod:`dezero.viz.diff` is made of: sides (keys of nodes), pairing, naming, changes, union."""
