"""fit, tp.train, tp.Game: they learn, survive whatever stops them, and go on bit for bit."""

import os
import signal
import subprocess
import sys
import threading

import pytest
import torch
from small_runs import STEPS, fitted, played_run, same, small_network, some_images, trained
from torch import nn

import tp_utils as tp
from tp_utils import data
from tp_utils.training import Diverged, checkpoint, engine


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """An empty cache, the CPU, and nothing happens."""
    monkeypatch.setenv("TP_CACHE", str(tmp_path))
    monkeypatch.setenv("TP_DEVICE", "cpu")
    monkeypatch.delenv("HAPPENS", raising=False)
    return tmp_path / "runs"


@pytest.fixture
def steps_done(monkeypatch):
    """The steps that were trained, one by one."""
    done, real = [], engine.batch_indices

    def counting(count, batch_size, step, seed):
        done.append(step + 1)
        return real(count, batch_size, step, seed)

    monkeypatch.setattr(engine, "batch_indices", counting)
    return done


def one_cycle(**options):
    return fitted(schedule=lambda optimiser: torch.optim.lr_scheduler.OneCycleLR(optimiser, 0.1, total_steps=STEPS),
                  **options)


def with_lambda(**options):
    return fitted(torch.optim.Adam, lambda optimiser: torch.optim.lr_scheduler.LambdaLR(optimiser, lambda k: 0.9**k),
                  **options)


KINDS = {function.__name__: function for function in (one_cycle, with_lambda, trained, played_run)}


@pytest.fixture(scope="module", params=KINDS)
def undisturbed(request):
    """(a function that makes a run, its run from beginning to end)."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TP_DEVICE", "cpu")
        return KINDS[request.param], KINDS[request.param](name=None)


# ---- learning


def test_fit_learns_digits():
    mnist = data.mnist()
    images, labels = mnist.train_images[:300], mnist.train_labels[:300]
    torch.manual_seed(0)
    network = nn.Sequential(nn.Flatten(), nn.Linear(784, 32), nn.ReLU(), nn.Linear(32, 10))
    run = tp.fit(network, images, labels, torch.optim.Adam(network.parameters(), lr=0.01), 60, live=False)
    assert not network.training
    assert (network(images / 255).argmax(1) == labels).float().mean() > 0.8
    assert run.history["loss"][-1] < 0.5 * run.history["loss"][0]


@pytest.mark.parametrize(("steps", "validate_every", "at"), [(24, 10, [10, 20, 24]), (20, 10, [10, 20]), (3, 10, [3])])
def test_the_history_has_a_loss_per_step_and_the_validations_that_were_due(steps, validate_every, at):
    run = fitted(steps=steps, validate=lambda: torch.tensor(0.25), validate_every=validate_every)
    assert len(run.history["loss"]) == run.step == steps
    assert run.history["validation"] == [(step, 0.25) for step in at]


def test_fit_is_the_step_that_everybody_would_write():
    """A plain loop of the same batches gives the same weights."""
    run = fitted(prepare=engine.signed, validate=None)
    images, labels = some_images()
    network = small_network()
    optimiser = torch.optim.SGD(network.parameters(), lr=0.1)
    for step in range(STEPS):
        torch.manual_seed(step)
        chosen = engine.batch_indices(len(images), 10, step, seed=0)
        loss = nn.functional.cross_entropy(network(images[chosen].float() / 127.5 - 1), labels[chosen])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert all(torch.equal(one, other) for one, other in zip(network.parameters(), run.network.parameters(),
                                                             strict=True))


@pytest.mark.parametrize(("count", "batch_size"), [(12, 4), (10, 4), (3, 8), (7, 7), (5, 1)])
def test_batches_cover_each_epoch_exactly_once(count, batch_size):
    epochs = 3 * batch_size  # so many epochs are a whole number of batches
    drawn = torch.cat([engine.batch_indices(count, batch_size, step, seed=1)
                       for step in range(epochs * count // batch_size)])
    orders = drawn.view(epochs, count)
    assert torch.equal(orders.sort(1).values, torch.arange(count).expand(epochs, -1))
    assert count < 5 or not torch.equal(orders[0], orders[1])


# ---- whatever stops it: the same weights in the end


@pytest.mark.parametrize("step", [3, 8, 24])
def test_a_killed_run_goes_on_to_the_weights_of_an_undisturbed_one(undisturbed, steps_done, capsys, step):
    make, expected = undisturbed
    code = f"import test_training as t; t.KINDS[{make.__name__!r}]()"
    tests = os.path.dirname(__file__)
    done = subprocess.run([sys.executable, "-c", code], cwd=tests, timeout=300,
                          env={**os.environ, "PYTHONPATH": os.path.dirname(tests), "HAPPENS": f"kill {step}"})
    assert done.returncode == -signal.SIGKILL
    saved = (step - 1) // 5 * 5
    assert same(make(), expected)
    assert steps_done == list(range(saved + 1, STEPS + 1))
    assert saved == 0 or f"run: goes on from step {saved} of {STEPS}." in capsys.readouterr().out


def test_an_interrupted_run_returns_what_it_has_and_then_goes_on(undisturbed, steps_done, capsys, monkeypatch):
    make, expected = undisturbed
    before = signal.getsignal(signal.SIGINT)
    monkeypatch.setenv("HAPPENS", "stop 8")
    run = make()
    assert signal.getsignal(signal.SIGINT) is before
    assert run.step == 8 and not any(network.training for network in run.networks.values())
    assert f"Interrupted at step 8 of {STEPS}" in capsys.readouterr().out
    monkeypatch.delenv("HAPPENS")
    torch.rand(7)  # the randomness of the rest of the notebook does not matter
    assert same(make(), expected)
    assert steps_done == list(range(1, STEPS + 1))
    assert f"run: goes on from step 8 of {STEPS}." in capsys.readouterr().out


def test_a_second_press_stops_at_once_and_keeps_the_last_checkpoint(undisturbed, steps_done, monkeypatch):
    make, expected = undisturbed
    before = signal.getsignal(signal.SIGINT)
    monkeypatch.setenv("HAPPENS", "twice 8")
    with pytest.raises(KeyboardInterrupt):
        make()
    assert signal.getsignal(signal.SIGINT) is before
    monkeypatch.delenv("HAPPENS")
    steps_done.clear()
    assert same(make(), expected)
    assert steps_done[0] == 6


def test_a_press_during_a_validation_stops_at_once(monkeypatch, steps_done):
    monkeypatch.setenv("HAPPENS", "validation")
    with pytest.raises(KeyboardInterrupt):
        fitted()
    assert steps_done[-1] == 8
    assert torch.load(checkpoint.path_of("run"), weights_only=True)["step"] == 5
    monkeypatch.delenv("HAPPENS")
    assert same(fitted(), fitted(name=None))


def test_an_interrupt_without_a_name_returns_what_there_is(cache, monkeypatch):
    monkeypatch.setenv("HAPPENS", "stop 8")
    assert fitted(name=None).step == 8
    assert not cache.exists()


def test_an_interrupt_in_the_last_step_is_no_interrupt(capsys, monkeypatch):
    monkeypatch.setenv("HAPPENS", "stop 8")
    assert fitted(steps=8).step == 8
    assert "Interrupted" not in capsys.readouterr().out


def test_a_run_may_be_in_another_thread_where_signals_never_arrive():
    runs = []
    thread = threading.Thread(target=lambda: runs.append(fitted()))
    thread.start()
    thread.join()
    assert runs[0].step == STEPS


# ---- what goes wrong


def exploding():
    """A loss that is infinite at its 7th call."""
    calls = []

    def loss(scores, labels):
        calls.append(1)
        return nn.functional.cross_entropy(scores, labels) / (len(calls) != 7)

    return loss


def test_a_loss_that_is_not_finite_stops_and_names_the_step_and_what_is_kept():
    message = r"^loss is inf at step 7: .*; the weights of step 5 are in the checkpoint\.$"
    with pytest.raises(Diverged, match=message):
        fitted(loss=exploding())
    saved = torch.load(checkpoint.path_of("run"), weights_only=True)
    assert saved["step"] == len(saved["history"]["loss"]) == 5
    assert all(torch.isfinite(weights).all() for weights in saved["parts"]["network network"].values())


@pytest.mark.parametrize("options", [{"save_every": 8}, {"name": None}])
def test_the_message_promises_no_weights_where_none_are_kept(options):
    with pytest.raises(Diverged, match=r"at step 7: training stopped\. A smaller learning rate usually helps\.$"):
        fitted(loss=exploding(), **options)


def test_a_learning_rate_that_is_too_large_ends_in_diverged():
    with pytest.raises(Diverged, match=r"loss is (nan|inf) at step"):
        fitted(lambda weights, lr: torch.optim.SGD(weights, 1e30))
