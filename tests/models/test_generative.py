"""AutoEncoder, VAE and the pair of a GAN."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import dezero.functions as F
from dezero import Variable, models, optimizers, test_mode
from dezero.models import VAE, AutoEncoder, Discriminator, Generator
from dezero.models.autoencoder import normal
from tests.models.zoo import floats

pytestmark = pytest.mark.seeds
X = np.random.default_rng(0).uniform(0, 1, (4, 6)).astype(np.float32)


def test_an_autoencoder_goes_to_the_code_and_back() -> None:
    net = AutoEncoder(6, (5, 4), 2)
    assert net.encode(X).shape == (4, 2) and net.decode(net.encode(X)).shape == net(X).shape == (4, 6)
    sizes = [[layer.W.shape for layer in part.layers] for part in (net.encoder, net.decoder)]
    assert sizes == [[(6, 5), (5, 4), (4, 2)], [(2, 4), (4, 5), (5, 6)]]
    np.testing.assert_array_equal(net.decode(net.encode(X)).data, net(X).data)
    assert AutoEncoder(6, (), 2)(X).shape == (4, 6)


def test_an_autoencoder_learns_what_lies_in_a_plane() -> None:
    np.random.seed(0)
    x = floats(64, 2) @ floats(2, 6)
    net = AutoEncoder(6, (32,), 2, F.tanh)
    optimizer = optimizers.Adam(0.02).setup(net)
    for _ in range(150):
        net.cleargrads()
        loss = F.mean((net(x) - x) ** 2)
        loss.backward()
        optimizer.update()
    assert float(loss.data) < 0.05 * x.var()


# -- VAE ---------------------------------------------------------------------------------------------


def vae(dtype: Any = np.float32) -> VAE:
    np.random.seed(0)
    net = VAE(6, (5,), 2)
    net(X)
    for p in net.params():
        p.data = p.data.astype(dtype)
    return net


def closed_form(net: VAE, x: Any, seed: int, beta: float) -> float:
    """-E[log p(x|z)] + beta * KL, term by term in float64, on the same noise."""
    W = {name: p.data.astype(np.float64) for name, p in net.named_params()}
    h = np.maximum(x @ W["encoder.l0.W"] + W["encoder.l0.b"], 0)
    mean, log_var = h @ W["mean.W"] + W["mean.b"], h @ W["log_var.W"] + W["log_var.b"]
    z = mean + np.sqrt(np.exp(log_var)) * normal(Variable(mean), seed)
    h = np.maximum(z @ W["decoder.l0.W"] + W["decoder.l0.b"], 0)
    p = 1 / (1 + np.exp(-(h @ W["decoder.l1.W"] + W["decoder.l1.b"])))
    loss = 0.0
    for n in range(len(x)):
        for j in range(x.shape[1]):
            loss -= x[n, j] * math.log(p[n, j]) + (1 - x[n, j]) * math.log(1 - p[n, j])
        for j in range(2):  # KL of N(m, s^2) from N(0, 1): -log s + (s^2 + m^2 - 1) / 2
            s = math.exp(log_var[n, j] / 2)
            loss += beta * (-math.log(s) + (s ** 2 + mean[n, j] ** 2 - 1) / 2)
    return loss / len(x)


@pytest.mark.parametrize("beta", [1.0, 0.25])
def test_the_loss_is_the_evidence_lower_bound(beta: float) -> None:
    net = vae(np.float64)
    assert float(net.loss(X.astype(np.float64), seed=3, beta=beta).data) == pytest.approx(closed_form(net, X, 3, beta), rel=1e-7)
    assert float(vae().loss(X, seed=3, beta=beta).data) == pytest.approx(closed_form(vae(), X, 3, beta), rel=1e-2)
    assert vae().loss(X, seed=3).dtype == np.float32
    assert float(vae().loss(Variable(X), seed=3).data) == float(vae().loss(X, seed=3).data)


def test_the_gradient_of_the_loss_by_finite_differences() -> None:
    net, x, rng = vae(np.float64), X.astype(np.float64), np.random.default_rng(1)
    net.cleargrads()
    net.loss(x, seed=3).backward()
    for name, p in net.named_params():
        v = rng.standard_normal(p.shape)
        eps, ends = 1e-6, []
        for step in (eps, -eps):
            p.data += step * v
            ends.append(float(net.loss(x, seed=3).data))
            p.data -= step * v
        assert float((p.grad.data * v).sum()) == pytest.approx((ends[0] - ends[1]) / (2 * eps), rel=1e-5, abs=1e-8), name


def test_the_noise_has_a_seed() -> None:
    net = vae()
    before = np.random.get_state()[2]
    one, same, other = (float(net.loss(X, seed=s).data) for s in (1, 1, 2))
    assert one == same != other
    assert np.random.get_state()[2] == before
    np.random.seed(7)
    one = float(net.loss(X).data)
    np.random.seed(7)
    assert float(net.loss(X).data) == one != float(net.loss(X).data)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_the_noise_is_normal(dtype: Any) -> None:
    z = normal(Variable(np.zeros((200, 500), dtype)), seed=0)
    assert z.dtype == dtype and z.shape == (200, 500)
    z = z.astype(np.float64)
    assert abs(z.mean()) < 0.02 and abs(z.std() - 1) < 0.02
    assert abs((z ** 3).mean()) < 0.05 and abs((z ** 4).mean() - 3) < 0.1
    assert (np.abs(z) > 3).mean() == pytest.approx(0.0027, abs=6e-4)


def test_in_use_the_code_is_its_mean() -> None:
    net = vae()
    with test_mode():
        y = net(X).data
    np.testing.assert_array_equal(y, net.decode(net.encode(X)[0]).data)
    np.testing.assert_array_equal(net.eval()(X).data, y)


def test_extreme_logits_give_no_infinity() -> None:
    net = vae()
    net.decoder.l1.b.data[...] = [1e4, -1e4] * 3
    assert np.isfinite(net.loss(X, seed=0).data)


def test_a_vae_learns() -> None:
    np.random.seed(0)
    x = (np.arange(6) % 3 == np.arange(60)[:, None] % 3).astype(np.float32)
    net = VAE(6, (16,), 2)
    optimizer = optimizers.Adam(0.02).setup(net)
    losses = []
    for step in range(150):
        net.cleargrads()
        loss = net.loss(x, seed=step)
        loss.backward()
        optimizer.update()
        losses.append(float(loss.data))
    assert losses[-1] < 0.6 * losses[0]


# -- GAN ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [8, 28])
def test_the_pair_fits(size: int) -> None:
    generator, discriminator = Generator(size, 8), Discriminator(4)
    images = generator(floats(3, 10))
    assert images.shape == (3, 1, size, size) and images.dtype == np.float32
    assert 0 <= images.data.min() and images.data.max() <= 1
    assert discriminator(images).shape == (3, 1)
    assert generator.deconv1.W.shape == (8, 4, 4, 4)


def test_the_generator_gets_its_gradients_through_the_discriminator() -> None:
    np.random.seed(0)
    generator, discriminator = Generator(8, 8), Discriminator(4)
    fake = generator(floats(6, 10))
    F.sum(F.softplus(-discriminator(fake))).backward()
    assert all(p.grad is not None and p.grad.data.any() for p in [*generator.params(), *discriminator.params()])
    discriminator.cleargrads()
    generator.cleargrads()
    F.sum(F.softplus(discriminator(fake.data))).backward()
    assert all(p.grad is None for p in generator.params())
    assert all(p.grad is not None for p in discriminator.params())


@pytest.mark.parametrize("size", [0, 2, 10, -4])
def test_sizes_that_do_not_work(size: int) -> None:
    with pytest.raises(ValueError, match=f"Generator: image_size is {size}: a multiple of 4 is expected"):
        models.Generator(size)
