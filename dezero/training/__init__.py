"""The training loop, what happens around it, what it has measured, and models that decide together."""

from dezero.training.callback import Callback
from dezero.training.ensemble import Ensemble, Stacking, mean_probabilities, vote
from dezero.training.history import History, compare
from dezero.training.logs import Checkpoint, CSVLogger, JSONLogger, TensorBoard
from dezero.training.monitors import DeadUnits, GradientFlow, live_units
from dezero.training.progress import ProgressBar
from dezero.training.rates import LearningRateScheduler, ReduceLROnPlateau
from dezero.training.stopping import EarlyStopping, TerminateOnNaN
from dezero.training.trainer import Trainer
from dezero.training.using import Evaluator

__all__ = ["CSVLogger", "Callback", "Checkpoint", "DeadUnits", "EarlyStopping", "Ensemble", "Evaluator", "GradientFlow", "History", "JSONLogger",
           "LearningRateScheduler", "ProgressBar", "ReduceLROnPlateau", "Stacking", "TensorBoard", "TerminateOnNaN", "Trainer", "compare",
           "live_units", "mean_probabilities", "vote"]
