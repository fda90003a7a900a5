"""Benchmarks against NumPy by hand and PyTorch's eager mode. ``python -m benchmarks`` runs them; README.md says how they measure."""
