"""Training, the command line and checkpoints on emulated devices: the same as on the host, and back and forth."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dezero.functions as F
import dezero.layers as L
from dezero import DataLoader, optimizers, test_mode
from dezero.backend.device import device_of
from dezero.cli import main
from dezero.cli.settings import Settings
from dezero.datasets import ArrayDataset
from dezero.errors import FileFormatError
from dezero.training import Trainer
from dezero.training.batches import mover
from tests.strict import Device, StrictArray

pytestmark = pytest.mark.seeds

RNG = np.random.default_rng(0)
X = RNG.normal(size=(30, 4)).astype(np.float32)
T = (X[:, 0] > 0).astype(np.int64) + (X[:, 1] > 0)
DEVICES = pytest.mark.parametrize("device", ["gpu", "cuda", "cuda:0", "cuda:1", 1])


def net() -> L.Sequential:
    model = L.Sequential(L.Linear(8, in_size=4, nobias=True), L.BatchNorm(), F.relu, L.Linear(3, in_size=8))
    with test_mode():  # sizes the weights, and leaves the running statistics alone
        model(X[:2])
    rng = np.random.default_rng(1)
    for p in model.params():
        p.data[...] = rng.normal(size=p.shape)
    return model


def loader(**settings: Any) -> DataLoader:
    return DataLoader(ArrayDataset(X, T), 8, seed=3, **settings)


def trainer(device: Any = None) -> Trainer:
    return Trainer(net(), optimizers.Adam(0.01), F.softmax_cross_entropy, [F.accuracy], device=device)


def weights(run: Trainer) -> dict[str, Any]:
    return {name: np.asarray(a.get() if isinstance(a, StrictArray) else a) for name, a in run.model.state_dict().items()}


def assert_same(run: Trainer, other: Trainer) -> None:
    mine = weights(run)
    for name, value in weights(other).items():
        np.testing.assert_allclose(mine[name], value, rtol=1e-3, atol=1e-4, err_msg=name)


@DEVICES
def test_a_trainer_moves_model_and_batches(device: Any, cuda: Any) -> None:
    host, run = trainer(), trainer(device)
    expected, history = host.fit(loader(), loader(), epochs=2), run.fit(loader(), loader(), epochs=2)
    np.testing.assert_allclose(history["loss"], expected["loss"], rtol=1e-4)
    np.testing.assert_allclose(history["val_accuracy"], expected["val_accuracy"])
    place = "cuda:1" if device in ("cuda:1", 1) else "cuda:0"
    assert {device_of(p) for p in run.model.params()} == {place} and type(run.predict(X)) is np.ndarray
    assert_same(run, host)


@DEVICES
def test_a_loader_of_the_device_serves_a_trainer_as_well(device: Any, cuda: Any) -> None:
    host, run = trainer(), trainer(device)
    host.fit(loader(), epochs=2)
    run.fit(loader(device=device, workers=2), epochs=2)
    assert_same(run, host)
    assert len(cuda.world.asked_copies) >= 2 * 4 * 2, "the batches came by the copying stream"


@pytest.mark.parametrize("before", [None, "cuda", "cuda:1"])
@pytest.mark.parametrize("after", [None, "cuda", "cuda:1"])
def test_a_checkpoint_goes_on_on_another_device(before: Any, after: Any, cuda: Any, tmp_path: Path) -> None:
    whole = trainer()
    whole.fit(loader(), epochs=3)
    first = trainer(before)
    first.fit(loader(device=before), epochs=2)
    first.save(tmp_path / "run")
    Device.current = 0  # a process of its own: work makes the device of the arrays the current one
    second = trainer(after)
    second.load(tmp_path / "run")
    second.fit(loader(device=after), epochs=1)
    assert second.epoch == 3 and {device_of(p) for p in second.model.params()} == {{None: "cpu", "cuda": "cuda:0"}.get(after, after)}
    assert_same(second, whole)


def test_a_batch_of_any_form_is_moved(cuda: Any) -> None:
    move: Any = mover("cuda:1")
    found = move([X, {"t": T, "names": np.array(["a"])}, "word", None])
    assert device_of(found[0]) == device_of(found[1]["t"]) == "cuda:1" and found[1]["names"].tolist() == ["a"] and found[2:] == ["word", None]
    back: Any = mover("cpu")
    assert np.array_equal(back(found)[0], X) and mover(None) is None
    with pytest.raises(ValueError, match=r"Trainer: device is 'tpu': 'cpu', 'gpu', 'cuda', or 'cuda:1' .* expected; None leaves model and batches"):
        mover("tpu")


# -- the command line ----------------------------------------------------------------------------------

QUICK = ["train", "--data", "spiral", "--hidden", "8", "--epochs", "2", "--batch-size", "50"]


@pytest.fixture
def gpu(cuda: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    monkeypatch.setattr(sys.modules["dezero.cli.train"], "device_answers", lambda: True)
    monkeypatch.chdir(tmp_path)
    return cuda


def file_of(folder: str) -> dict[str, Any]:
    from dezero.serialization import load_arrays
    return load_arrays(Path(folder) / "model.safetensors")[0]


@pytest.mark.parametrize("device", ["gpu", "cuda", "cuda:1"])
def test_train_on_a_device(device: str, gpu: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*QUICK, "--device", device, "--out", "there"]) == 0 and main([*QUICK, "--out", "here"]) == 0
    assert Settings.load(Path("there")).device == device
    here = file_of("here")
    for name, value in file_of("there").items():
        np.testing.assert_allclose(value, here[name], rtol=1e-3, atol=1e-4)
    assert gpu.world.asked_copies, "the batches came by the copying stream"
    assert main(["evaluate", "there"]) == 0, "on the host"


def test_a_run_may_go_on_on_another_device(gpu: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*QUICK, "--out", "here"]) == 0
    assert main([*QUICK, "--device", "cuda:1", "--out", "there"]) == 0
    (Path("there") / "model.safetensors").unlink()
    for file in Path("there").glob("checkpoint*"):
        file.unlink()
    assert main(["train", "--resume", "there", "--device", "cpu"]) == 0
    for name, value in file_of("there").items():
        assert np.array_equal(value, file_of("here")[name])
    capsys.readouterr()
    assert main(["train", "--resume", "there", "--device", "cpu", "--seed", "3"]) == 1
    assert "leave out --seed" in capsys.readouterr().err


def test_a_device_that_is_none(gpu: Any, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([*QUICK, "--device", "tpu"])
    assert "'tpu': cpu, cuda, gpu, or cuda:1 for a certain device is expected" in capsys.readouterr().err
    assert main([*QUICK, "--device", "cuda:7", "--out", "run"]) == 1
    assert "cuda:7 is asked for: there are 2 CUDA devices" in capsys.readouterr().err and not Path("run").exists()


def test_a_file_of_settings_with_a_wrong_device_is_damaged(tmp_path: Path) -> None:
    (tmp_path / "settings.json").write_text('{"device": "tpu"}')
    with pytest.raises(FileFormatError, match="device is 'tpu'"):
        Settings.load(tmp_path)
