"""Optimizers, hooks on gradients, and schedules of the learning rate."""

from dezero.optimizers.adam import Adam, AdamW, NAdam, RAdam
from dezero.optimizers.adaptive import AdaDelta, AdaGrad, RMSprop
from dezero.optimizers.hooks import ClipGrad, ClipValue, FreezeParam, WeightDecay, global_norm
from dezero.optimizers.lion import Lion
from dezero.optimizers.optimizer import Optimizer
from dezero.optimizers.plateau import ReduceLROnPlateau
from dezero.optimizers.rule import Rule
from dezero.optimizers.scaler import LossScaler
from dezero.optimizers.schedule import Schedule, WarmUp
from dezero.optimizers.schedules import (
    CosineLR,
    CosineWarmRestarts,
    ExponentialLR,
    LambdaLR,
    MultiStepLR,
    OneCycle,
    PolynomialLR,
    StepLR,
)
from dezero.optimizers.sgd import SGD, MomentumSGD

__all__ = ["SGD", "AdaDelta", "AdaGrad", "Adam", "AdamW", "ClipGrad", "ClipValue", "CosineLR", "CosineWarmRestarts", "ExponentialLR",
           "FreezeParam", "LambdaLR", "Lion", "LossScaler", "MomentumSGD", "MultiStepLR", "NAdam", "OneCycle", "Optimizer", "PolynomialLR", "RAdam",
           "RMSprop", "ReduceLROnPlateau", "Rule", "Schedule", "StepLR", "WarmUp", "WeightDecay", "global_norm"]
