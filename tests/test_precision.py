"""Precision: bfloat16 inside the networks where it is asked for, float32 outside; the same curves nearly."""

import copy

import pytest
import torch
from small_runs import fitted, latents, played, same, some_images
from torch import nn
from torch.nn import functional as F

import tp_utils as tp


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """An empty cache, the CPU."""
    monkeypatch.setenv("TP_CACHE", str(tmp_path))
    monkeypatch.setenv("TP_DEVICE", "cpu")
    monkeypatch.delenv("TP_PRECISION", raising=False)


class Spy(nn.Module):
    """A network that returns a tensor and a pair, and knows in which precision it computed."""

    def __init__(self):
        super().__init__()
        self.linear, self.seen = nn.Linear(64, 3), []

    def forward(self, x):
        scores = self.linear(x.flatten(1))
        self.seen.append(scores.dtype)
        return scores, (scores, [scores])


def spied(monkeypatch, precision):
    monkeypatch.setenv("TP_PRECISION", precision)
    network, outside = Spy(), []

    def step(x, generator):
        scores, (first, (second,)) = network(x)
        outside.extend((scores.dtype, first.dtype, second.dtype, (x @ x.mT).dtype))
        return {"loss": F.binary_cross_entropy(scores.sigmoid(), torch.zeros_like(scores))}  # autocast forbids it

    tp.train(step, {"network": network}, {"network": torch.optim.SGD(network.parameters(), 0.1)}, some_images()[0], 2,
             live=False)
    assert "forward" not in vars(network) and network(torch.zeros(1, 64))[0].dtype == torch.float32
    return set(network.seen[:2]), set(outside)


def test_networks_compute_in_bfloat16_and_all_else_in_float32(monkeypatch):
    assert spied(monkeypatch, "bfloat16") == ({torch.bfloat16}, {torch.float32})
    assert spied(monkeypatch, "float32") == ({torch.float32}, {torch.float32})


def test_float32_is_the_default_on_a_cpu(monkeypatch):
    assert tp.precision() == torch.float32
    monkeypatch.setattr(tp.runtime.machine, "device", lambda: torch.device("cuda"))
    assert tp.precision() == torch.bfloat16
    monkeypatch.setenv("TP_PRECISION", "float32")
    assert tp.precision() == torch.float32
    monkeypatch.setenv("TP_PRECISION", "half")
    with pytest.raises(ValueError, match=r"^TP_PRECISION='half': choose one of float32, bfloat16$"):
        tp.precision()


def test_a_forward_of_ones_own_is_put_back_also_after_an_error(monkeypatch):
    monkeypatch.setenv("TP_PRECISION", "bfloat16")
    network = nn.Linear(64, 3)
    network.forward = own = lambda x: x.flatten(1).sum()

    def step(x, generator):
        raise RuntimeError("a mistake")

    with pytest.raises(RuntimeError, match="a mistake"):
        tp.train(step, {"n": network}, {"n": torch.optim.SGD(network.parameters(), 1)}, some_images()[0], 2, live=False)
    assert network.forward is own


def test_a_copy_of_a_network_has_weights_of_its_own(monkeypatch):
    monkeypatch.setenv("TP_PRECISION", "bfloat16")
    network, found = nn.Linear(64, 1, bias=False), []

    def step(x, generator):
        copied = copy.deepcopy(network)
        nn.init.zeros_(copied.weight)
        found.append(copied(x.flatten(1)).abs().max().item())
        return {"loss": network(x.flatten(1)).mean()}

    tp.train(step, {"n": network}, {"n": torch.optim.SGD(network.parameters(), 1)}, some_images()[0], 2, live=False)
    assert found == [0, 0] and type(network) is nn.Linear


def test_a_run_in_bfloat16_is_another_run_and_nearly_the_same(monkeypatch, capsys):
    exact = fitted()
    monkeypatch.setenv("TP_PRECISION", "bfloat16")
    rounded = fitted()
    assert "loaded" not in capsys.readouterr().out and not same(exact, rounded)
    assert rounded.history["loss"] == pytest.approx(exact.history["loss"], rel=0.05)


def test_a_game_learns_in_bfloat16(monkeypatch):
    monkeypatch.setenv("TP_PRECISION", "bfloat16")
    game = played(name=None)
    assert game.generate(4)[0].dtype == torch.uint8 and game.G(latents(2, None)).dtype == torch.float32
