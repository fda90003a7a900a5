"""Scripts of our own in the manner of steps 59 and 60, truncated backpropagation through time, and of the book's examples."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import dezero.functions as F
import dezero.layers as L
from dezero import DataLoader, Model, Parameter, SeqDataLoader, Variable, as_variable, datasets, no_grad, optimizers, test_mode
from dezero.models import MLP, Sequential

pytestmark = pytest.mark.seeds

# -- sequences (steps 59 and 60) ------------------------------------------------------------------


class Forecast(Model):
    def __init__(self, recurrent: Any) -> None:
        super().__init__()
        self.rnn = recurrent
        self.fc = L.Linear(1)

    def reset_state(self) -> None:
        self.rnn.reset_state()

    def __call__(self, x: Any) -> Any:
        return self.fc(self.rnn(x))


def train_on_sequences(model: Any, steps: Any, epochs: int, cut: int, anew: bool) -> list[float]:
    """The mean losses of the epochs; the loss is summed over an epoch, or ``anew`` after each cut."""
    optimizer = optimizers.Adam(0.005).setup(model)
    found = []
    for _ in range(epochs):
        model.reset_state()
        loss: Any = 0
        count, total = 0, 0.0
        for x, t in steps:
            loss += F.mean_squared_error(model(x), t)
            count += 1
            if count % cut == 0:
                model.cleargrads()
                loss.backward()
                loss.unchain_backward()
                optimizer.update()
                if anew:
                    total += float(loss.data)
                    loss = 0
        found.append((total + float(as_variable(loss).data)) / count)
    return found


@pytest.mark.parametrize("anew", [False, True])
def test_a_recurrent_net_learns_a_sine_by_truncated_backpropagation(anew: bool) -> None:
    np.random.seed(0)
    data = datasets.SinCurve(train=True)
    model = Forecast(L.RNN(30))
    losses = train_on_sequences(model, [(x.reshape(1, 1), t.reshape(1, 1)) for x, t in data], 4, 30, anew)
    assert losses == sorted(losses, reverse=True) and losses[-1] < 0.02
    model.reset_state()
    with no_grad():
        predicted = [float(model(np.array(v).reshape(1, 1))) for v in np.cos(np.linspace(0, 4 * np.pi, 100))]
    assert len(predicted) == 100 and np.std(predicted) > 0.3


def test_an_lstm_learns_from_a_sequence_loader() -> None:
    np.random.seed(0)
    loader = SeqDataLoader(datasets.SinCurve(train=True), batch_size=30)
    model = Forecast(L.LSTM(30))
    losses = train_on_sequences(model, loader, 12, 30, False)
    assert losses[-1] < 0.1 * losses[0] and loader.max_iter == 34
    assert {name for name, _ in model.named_params()} == {"rnn.Wx", "rnn.Wh", "rnn.b", "fc.W", "fc.b"}


# -- the book's examples --------------------------------------------------------------------------


def test_frozen_layers_are_left_alone_while_the_rest_learns() -> None:
    np.random.seed(0)
    x, t = datasets.get_spiral()
    model = MLP((10, 10, 3), activation=F.relu)
    model(x)
    start = model.l0.W.data.copy()
    optimizer = optimizers.SGD(0.5).setup(model)
    for hook in (optimizers.WeightDecay(1e-4), optimizers.ClipGrad(1.0), optimizers.FreezeParam(model.l0)):
        optimizer.add_hook(hook)
    losses = []
    for _ in range(50):
        loss = F.softmax_cross_entropy(model(x), t)
        model.cleargrads()
        loss.backward()
        optimizer.update()
        losses.append(float(loss))
    assert losses[-1] < losses[0] and np.array_equal(model.l0.W.data, start)
    optimizer.hooks.clear()
    loss = F.softmax_cross_entropy(model(x), t)
    loss.backward()
    optimizer.update()
    assert not np.array_equal(model.l0.W.data, start)


def test_two_models_play_against_each_other() -> None:
    np.random.seed(0)
    generator = Sequential(L.Linear(4 * 4 * 4), L.BatchNorm(), F.relu, lambda x: F.reshape(x, (-1, 4, 4, 4)),
                           L.Deconv2d(1, kernel_size=4, stride=2, pad=1), F.sigmoid)
    critic = Sequential(L.Conv2d(8, kernel_size=3, stride=2, pad=1), F.leaky_relu, F.flatten, L.Linear(1), F.sigmoid)
    generator(np.random.rand(2, 5))
    critic(np.random.rand(2, 1, 8, 8))
    for layer in generator.layers + critic.layers:
        if type(layer).__name__ in ("Conv2d", "Deconv2d", "Linear"):
            layer.W.data = 0.1 * np.random.randn(*layer.W.data.shape)
    players = [optimizers.Adam(alpha=2e-3, beta1=0.5).setup(model) for model in (generator, critic)]
    losses = []
    for images, _ in DataLoader(datasets.Digits(transform=lambda x: x / 16), 50):
        n = len(images)
        real, false = np.ones(n, np.uint8), np.zeros(n, np.uint8)
        fake = generator(np.random.uniform(-1, 1, (n, 5)))
        loss_d = F.binary_cross_entropy(critic(images), real) + F.binary_cross_entropy(critic(fake.data), false)
        generator.cleargrads()
        critic.cleargrads()
        loss_d.backward()
        assert all(p.grad is None for p in generator.params())
        players[1].update()
        loss_g = F.binary_cross_entropy(critic(fake), real)
        critic.cleargrads()
        loss_g.backward()
        players[0].update()
        losses.append((float(loss_g.data), float(loss_d.data)))
        if len(losses) == 20:
            break
    assert losses[-1][1] < losses[0][1] and np.isfinite(losses).all() and fake.shape == (50, 1, 8, 8)
    with test_mode():
        assert generator(np.zeros((1, 5))).shape == (1, 1, 8, 8)


def test_an_encoder_and_a_decoder_learn_together() -> None:
    np.random.seed(0)
    encoder, decoder = Sequential(L.Linear(20), F.relu, L.Linear(4)), MLP((20, 64), activation=F.relu)
    optimizer = optimizers.Adam(0.01).setup([*encoder.params(), *decoder.params()])
    losses = []
    for _ in range(4):
        total = 0.0
        for x, _ in DataLoader(datasets.Digits(), 100):
            h = encoder(x)
            mean, log_var = h[:, :2], h[:, 2:]
            z = mean + F.exp(log_var / 2) * np.random.randn(*mean.shape)
            loss = F.binary_cross_entropy(F.sigmoid(decoder(z)), x) + 0.5 * F.sum(F.exp(log_var) + mean ** 2 - log_var - 1) / len(x) * 0.1
            encoder.cleargrads()
            decoder.cleargrads()
            loss.backward()
            optimizer.update()
            total += float(loss.data) * len(x)
        losses.append(total)
    assert losses[-1] < losses[0]


def test_an_image_is_optimised_as_a_parameter() -> None:
    rng = np.random.default_rng(0)
    style, content = rng.random((1, 3, 8, 8)).astype(np.float32), rng.random((1, 3, 8, 8)).astype(np.float32)
    features = L.Conv2d(4, 3, pad=1)

    def gram(h: Variable) -> Variable:
        rows = F.reshape(h, (h.shape[1], -1))
        return F.matmul(rows, rows.T) / float(rows.size)

    with no_grad():
        target = gram(F.relu(features(style)))
    model = Model()
    model.param = Parameter(content.copy())
    optimizer = optimizers.AdaGrad(lr=0.05).setup(model)
    losses = []
    for _ in range(40):
        h = F.relu(features(model.param))
        model.cleargrads()
        loss = F.mean_squared_error(gram(h), target) + 1e-4 * F.sum((model.param[:, :, 1:] - model.param[:, :, :-1]) ** 2)
        loss.backward()
        optimizer.update()
        losses.append(float(loss.data))
    assert losses[-1] < 0.2 * losses[0] and model.param.data.dtype == np.float32
