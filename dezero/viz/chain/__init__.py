"""What :mod:`dezero.viz.explain` is made of: names, the functions between two variables, formulas in these names, one of all, and text."""
