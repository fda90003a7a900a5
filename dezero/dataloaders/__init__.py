"""Batches of data sets, and the order in which they come."""

from dezero.dataloaders.loader import DataLoader, SeqDataLoader
from dezero.dataloaders.samplers import BalancedSampler, RandomSampler, Sampler, SequentialSampler, WeightedSampler

__all__ = ["BalancedSampler", "DataLoader", "RandomSampler", "Sampler", "SeqDataLoader", "SequentialSampler", "WeightedSampler"]
