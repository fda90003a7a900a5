"""The exercises of each script: what to write, two hints, and a check."""
