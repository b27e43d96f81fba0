"""fit: it learns, survives whatever stops it, goes on bit for bit, and never takes another run for its own."""

import os
import signal
import subprocess
import sys
import threading

import pytest
import torch
from torch import nn

from tp_utils import data
from tp_utils.training import checkpoint, fit
from tp_utils.training.fit import pixels
from tp_utils.training.loop import Diverged, batch_indices

STEPS = 24
SWITCHES = {"on", "yes"}


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """An empty cache, the CPU."""
    monkeypatch.setenv("TP_CACHE", str(tmp_path))
    monkeypatch.setenv("TP_DEVICE", "cpu")
    return tmp_path / "runs"


def some_images(count=48, seed=0):
    """Noise with labels that can be learnt from it: uint8 [N, 1, 8, 8] and int64 [N]."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(3, (count,), generator=generator)
    images = torch.randint(150, (count, 1, 8, 8), generator=generator, dtype=torch.uint8)
    images[torch.arange(count), 0, labels] += 100  # one bright row
    return images, labels


def augmented(images, generator):
    """Shifts by a random number of columns, and noise: randomness from `generator`."""
    shift = int(torch.randint(8, (1,), generator=generator))
    noise = 0.1 * torch.randn(images.shape, generator=generator)
    return pixels(images.roll(shift, 3), generator) + noise if "on" in SWITCHES else images


def sgd_with_one_cycle(parameters):
    optimiser = torch.optim.SGD(parameters, lr=0.1, momentum=0.9)
    return optimiser, torch.optim.lr_scheduler.OneCycleLR(optimiser, 0.1, total_steps=STEPS)


def adam_with_lambda(parameters):
    optimiser = torch.optim.Adam(parameters, lr=0.01)
    return optimiser, torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: 0.9**step)


RECIPES = {function.__name__: function for function in (sgd_with_one_cycle, adam_with_lambda)}


def train(recipe="sgd_with_one_cycle", *, images=None, prepare=augmented, lr=None, steps=STEPS, name="run", **options):
    """A run of a small network with dropout and batch normalisation, always from the same initial weights."""
    torch.manual_seed(1)
    network = nn.Sequential(nn.Flatten(), nn.Linear(64, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.5),
                            nn.Linear(16, 3))
    optimiser, schedule = RECIPES[recipe](network.parameters())
    if lr:
        optimiser, schedule = torch.optim.SGD([{"params": network.parameters(), "lr": lr}]), None
    options = {"batch_size": 10, "save_every": 5, "validate": half, "validate_every": 8, "live": False} | options
    return fit(network, *(images or some_images()), optimiser, steps, schedule=schedule, prepare=prepare, name=name,
               **options)


@pytest.fixture
def trained(monkeypatch):
    """The steps that were trained, one by one."""
    steps = []

    def counting(count, batch_size, step, seed):
        steps.append(step + 1)
        return batch_indices(count, batch_size, step, seed)

    monkeypatch.setattr(sys.modules["tp_utils.training.fit"], "batch_indices", counting)
    return steps


def half():
    """A validation."""
    return 0.5


def stopped():
    """A validation during which the stop button is pressed."""
    signal.raise_signal(signal.SIGINT)
    return 0.5


def killed():
    """A validation during which the kernel is killed."""
    os.kill(os.getpid(), signal.SIGKILL)


def same(run, other):
    weights, others = run.network.state_dict(), other.network.state_dict()
    return (run.step, run.history) == (other.step, other.history) and all(
        torch.equal(weights[key], others[key]) for key in weights)


@pytest.fixture(scope="module", params=RECIPES)
def undisturbed(request):
    """(name of the recipe, its run from beginning to end)."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TP_DEVICE", "cpu")
        return request.param, train(request.param, name=None)


# ---- learning


def test_fit_learns_digits():
    mnist = data.mnist()
    images, labels = mnist.train_images[:300], mnist.train_labels[:300]
    torch.manual_seed(0)
    network = nn.Sequential(nn.Flatten(), nn.Linear(784, 32), nn.ReLU(), nn.Linear(32, 10))
    run = fit(network, images, labels, torch.optim.Adam(network.parameters(), lr=0.01), 60, live=False)
    assert not network.training
    assert (network(images / 255).argmax(1) == labels).float().mean() > 0.8
    assert run.history["loss"][-1] < 0.5 * run.history["loss"][0]


@pytest.mark.parametrize(("steps", "validate_every", "at"), [(24, 10, [10, 20, 24]), (20, 10, [10, 20]), (3, 10, [3])])
def test_the_history_has_a_loss_per_step_and_the_validations_that_were_due(steps, validate_every, at):
    run = train("adam_with_lambda", steps=steps, validate=lambda: torch.tensor(0.25), validate_every=validate_every)
    assert len(run.history["loss"]) == run.step == steps
    assert run.history["validation"] == [(step, 0.25) for step in at]


@pytest.mark.parametrize(("count", "batch_size"), [(12, 4), (10, 4), (3, 8), (7, 7), (5, 1)])
def test_batches_cover_each_epoch_exactly_once(count, batch_size):
    epochs = 3 * batch_size  # so many epochs are a whole number of batches
    drawn = torch.cat([batch_indices(count, batch_size, step, seed=1) for step in range(epochs * count // batch_size)])
    orders = drawn.view(epochs, count)
    assert torch.equal(orders.sort(1).values, torch.arange(count).expand(epochs, -1))
    assert count < 5 or not torch.equal(orders[0], orders[1])


# ---- whatever stops it: the same weights in the end


def test_a_killed_run_goes_on_to_the_weights_of_an_undisturbed_one(undisturbed, trained, capsys):
    recipe, expected = undisturbed
    tests = os.path.dirname(__file__)
    done = subprocess.run([sys.executable, "-c", f"import test_training as t; t.train({recipe!r}, validate=t.killed)"],
                          cwd=tests, env={**os.environ, "PYTHONPATH": os.path.dirname(tests)}, timeout=300)
    assert done.returncode == -signal.SIGKILL
    assert same(train(recipe), expected)
    assert trained == list(range(6, STEPS + 1))  # killed in step 8, last saved at step 5
    assert f"run: goes on from step 5 of {STEPS}." in capsys.readouterr().out


def test_an_interrupted_run_returns_what_it_has_and_then_goes_on(undisturbed, trained, capsys):
    recipe, expected = undisturbed
    before = signal.getsignal(signal.SIGINT)
    run = train(recipe, validate=stopped)
    assert signal.getsignal(signal.SIGINT) is before
    assert run.step == len(run.history["loss"]) == 8
    assert not run.network.training
    assert f"Interrupted at step 8 of {STEPS}" in capsys.readouterr().out
    assert same(train(recipe), expected)
    assert trained == list(range(1, STEPS + 1))
    assert f"run: goes on from step 8 of {STEPS}." in capsys.readouterr().out


def test_an_interrupt_without_a_name_returns_what_there_is(cache):
    assert train(name=None, validate=stopped).step == 8
    assert not cache.exists()


def test_an_interrupt_in_the_last_step_is_no_interrupt(capsys):
    assert train(steps=8, validate=stopped).step == 8
    assert "Interrupted" not in capsys.readouterr().out


def test_a_run_may_be_in_another_thread_where_signals_never_arrive():
    runs = []
    thread = threading.Thread(target=lambda: runs.append(train()))
    thread.start()
    thread.join()
    assert runs[0].step == STEPS


def test_the_randomness_of_the_rest_of_the_notebook_does_not_matter(undisturbed, capsys):
    recipe, expected = undisturbed
    train(recipe, validate=stopped)
    torch.rand(7)
    assert same(train(recipe), expected)


# ---- a finished run


def test_a_finished_run_is_loaded_without_training(trained, capsys):
    first = train()
    trained.clear()
    again = train()
    assert trained == []
    assert same(again, first)
    assert not again.network.training
    assert f"run: {STEPS} steps trained before, loaded from the cache." in capsys.readouterr().out


def other_augmentation(images, generator):
    return augmented(images, generator) * 0.5


def by_name(images, generator):
    return hidden(images)


def hidden(images):
    return images.float() / 255


def hidden_corrected(images):
    return images.float() / 127.5 - 1


OTHERS = {
    "steps": {"steps": STEPS - 1},
    "seed": {"seed": 1},
    "batch size": {"batch_size": 12},
    "images": {"images": (some_images(seed=1)[0], some_images()[1])},
    "labels": {"images": (some_images()[0], some_images()[1].roll(1))},
    "learning rate": {"lr": 0.02},
    "optimiser": {"recipe": "adam_with_lambda"},
    "loss": {"loss": nn.CrossEntropyLoss(label_smoothing=0.1)},
    "prepare": {"prepare": other_augmentation},
}


@pytest.mark.parametrize("other", OTHERS)
def test_other_arguments_start_anew(other, trained):
    train(lr=0.01 if other == "learning rate" else None)
    trained.clear()
    train(**OTHERS[other])
    assert trained[0] == 1


def test_an_augmentation_corrected_in_a_function_that_prepare_calls_starts_anew(trained, monkeypatch):
    train(prepare=by_name)
    trained.clear()
    monkeypatch.setitem(globals(), "hidden", hidden_corrected)
    train(prepare=by_name)
    assert trained[0] == 1


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
        train(loss=exploding())
    saved = torch.load(checkpoint.path_of("run"), weights_only=True)
    assert saved["step"] == len(saved["history"]["loss"]) == 5
    assert all(torch.isfinite(weights).all() for weights in saved["network"].values())


@pytest.mark.parametrize("options", [{"save_every": 8}, {"name": None}])
def test_the_message_promises_no_weights_where_none_are_kept(options):
    with pytest.raises(Diverged, match=r"at step 7: training stopped\. A smaller learning rate usually helps\.$"):
        train(loss=exploding(), **options)


def test_a_learning_rate_that_is_too_large_ends_in_diverged():
    with pytest.raises(Diverged, match=r"loss is (nan|inf) at step"):
        train(lr=1e30)


class Planted:
    """Whatever a pickle may do when it is read."""

    def __reduce__(self):
        return os.abort, ()


def damage(path, how):
    whole = path.read_bytes()
    if how == "a foreign pickle":
        torch.save({"key": Planted()}, path)
    elif how == "a list":
        torch.save([1, 2], path)
    else:
        path.write_bytes({"cut": whole[:len(whole) // 2], "empty": b"", "text": b"not a checkpoint"}[how])


@pytest.mark.parametrize("how", ["cut", "empty", "text", "a list", "a foreign pickle"])
def test_a_damaged_checkpoint_is_said_in_one_line_and_training_starts_anew(how, trained, capsys):
    first = train()
    damage(checkpoint.path_of("run"), how)
    trained.clear()
    capsys.readouterr()
    assert same(train(), first)
    assert len(trained) == STEPS
    said = [line for line in capsys.readouterr().out.splitlines() if "cannot be read" in line]
    assert said == ["run: its checkpoint run.pt cannot be read; training starts anew."]


def test_checkpoints_hold_tensors_and_plain_values_only():
    train()
    saved = torch.load(checkpoint.path_of("run"), weights_only=True)
    assert set(saved) == {"key", "step", "history", "network", "optimiser", "schedule"}


def test_nothing_is_left_half_written(cache, monkeypatch):
    train(validate=stopped)
    before = checkpoint.path_of("run").read_bytes()

    def disk_full(state, path):
        path.write_bytes(b"half")
        raise OSError("no space left on device")

    monkeypatch.setattr(torch, "save", disk_full)
    with pytest.raises(OSError, match="no space"):
        train()
    assert [path.name for path in cache.iterdir()] == ["run.pt"]
    assert checkpoint.path_of("run").read_bytes() == before


def test_a_layer_with_another_setting_starts_anew(capsys):
    """The weights are the same, the network is not."""
    def trained_with(dropout):
        torch.manual_seed(0)
        network = nn.Sequential(nn.Flatten(), nn.Dropout(dropout), nn.Linear(64, 3))
        fit(network, *some_images(), torch.optim.SGD(network.parameters(), 0.1), 5, name="run", live=False)
        return "loaded from the cache" in capsys.readouterr().out

    assert [trained_with(dropout) for dropout in (0.5, 0.5, 0.1)] == [False, True, False]


class Scaled(nn.Module):
    """A layer whose printed form does not show its number."""

    def __init__(self, factor):
        super().__init__()
        self.factor, self.linear = factor, nn.Linear(64, 3)

    def forward(self, x):
        return self.factor * self.linear(x.flatten(1))


def test_another_number_in_a_layer_of_ones_own_starts_anew(capsys):
    def trained_with(factor):
        torch.manual_seed(0)
        network = Scaled(factor)
        fit(network, *some_images(), torch.optim.SGD(network.parameters(), 0.1), 5, name="run", live=False)
        return "loaded from the cache" in capsys.readouterr().out

    assert [trained_with(factor) for factor in (0.5, 0.5, 0.1)] == [False, True, False]


def test_other_class_weights_start_anew(capsys):
    def trained_with(weights):
        torch.manual_seed(0)
        network = nn.Sequential(nn.Flatten(), nn.Linear(64, 3))
        fit(network, *some_images(), torch.optim.SGD(network.parameters(), 0.1), 5, name="run", live=False,
            loss=nn.CrossEntropyLoss(weight=torch.tensor(weights)))
        return "loaded from the cache" in capsys.readouterr().out

    assert [trained_with(weights) for weights in ([1.0, 1, 1], [1.0, 1, 1], [2.0, 1, 1])] == [False, True, False]
