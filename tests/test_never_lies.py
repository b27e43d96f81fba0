"""A finished run is loaded only if everything that it depends on is equal: whatever a student changes counts."""

import functools
import os
import subprocess
import sys
import types

import pytest
import small_runs
import torch
from small_runs import fitted, some_images, trained
from torch import nn
from torch.nn import functional as F

from tp_utils.runtime import fingerprint
from tp_utils.training import pixels


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """An empty cache, the CPU."""
    monkeypatch.setenv("TP_CACHE", str(tmp_path))
    monkeypatch.setenv("TP_DEVICE", "cpu")


def is_loaded(change, capsys):
    """True if a run was loaded from the cache. change: options of `fitted`, or a function that returns them."""
    capsys.readouterr()
    fitted(**{"steps": 3, "validate": None, "prepare": pixels} | (change() if callable(change) else change))
    return "loaded from the cache" in capsys.readouterr().out


class Network(nn.Module):
    """A network that holds something besides its weights."""

    def __init__(self, held=None):
        super().__init__()
        torch.manual_seed(0)
        self.held, self.linear = held, nn.Linear(64, 3)

    def forward(self, x):
        return self.linear(x.flatten(1))


class Recipe(dict):
    """A dictionary of one's own."""

    def __init__(self, amount):
        super().__init__(a=1)
        self.amount = amount


class Rate(float):
    """A number of one's own."""


def network(change=lambda made: None, held=None):
    made = Network(held)
    change(made)
    return {"network": made}


def schedule(make, *arguments, **named):
    return {"schedule": lambda optimiser: make(optimiser, *arguments, **named)}


def of_default(factor):
    def prepare(images, generator, factor=factor):
        return factor * pixels(images, generator)

    return {"prepare": prepare}


def of_closure(held):
    def prepare(images, generator):
        assert held is not None
        return pixels(images, generator)

    return {"prepare": prepare}


class Augmentation:
    """A callable object, and one with a method."""

    def __init__(self, strength):
        self.strength = strength

    def __call__(self, images, generator):
        return self.strength * pixels(images, generator)

    def method(self, images, generator):
        return self(images, generator)


def hooked(optimiser):
    optimiser.register_step_post_hook(lambda *_: None)
    return optimiser


def power(base):
    return lambda k: base**k


def dropout(share):
    torch.manual_seed(0)
    return {"network": nn.Sequential(nn.Flatten(), nn.Dropout(share), nn.Linear(64, 3))}


def scaled(factor, images, generator):
    return factor * pixels(images, generator)


def once(images, generator):
    return pixels(images, generator)


def twice(images, generator):
    return 2 * pixels(images, generator)


LAMBDAS, STEP = torch.optim.lr_scheduler.LambdaLR, torch.optim.lr_scheduler.StepLR
PAIRS = {  # (what was run first, what is another run)
    "steps": ({}, {"steps": 4}),
    "seed": ({}, {"seed": 1}),
    "batch size": ({}, {"batch_size": 12}),
    "images": ({}, {"images": (some_images(seed=1)[0], some_images()[1])}),
    "labels": ({}, {"images": (some_images()[0], some_images()[1].roll(1))}),
    "learning rate": ({}, {"make": lambda weights, lr: torch.optim.SGD(weights, lr / 2)}),
    "kind of optimiser": ({}, {"make": torch.optim.Adam}),
    "groups of an optimiser": ({}, {"make": lambda weights, lr: torch.optim.SGD(
        [{"params": [weight]} for weight in weights], lr)}),
    "order of its weights": ({}, {"make": lambda weights, lr: torch.optim.SGD(list(weights)[::-1], lr)}),
    "a part of its weights": ({}, {"make": lambda weights, lr: torch.optim.SGD(list(weights)[:1], lr)}),
    "a hook of an optimiser": ({}, {"make": lambda weights, lr: hooked(torch.optim.SGD(weights, lr))}),
    "loss": ({}, {"loss": F.multi_margin_loss}),
    "label smoothing": ({"loss": nn.CrossEntropyLoss()}, {"loss": nn.CrossEntropyLoss(label_smoothing=0.1)}),
    "more label smoothing": ({"loss": nn.CrossEntropyLoss(label_smoothing=0.1)},
                             {"loss": nn.CrossEntropyLoss(label_smoothing=0.2)}),
    "class weights": ({"loss": nn.CrossEntropyLoss(torch.ones(3))},
                      {"loss": nn.CrossEntropyLoss(torch.tensor([2.0, 1, 1]))}),
    "a partial loss": ({"loss": functools.partial(F.cross_entropy, label_smoothing=0.1)},
                       {"loss": functools.partial(F.cross_entropy, label_smoothing=0.2)}),
    "validation": ({"validate": lambda: 0.5}, {"validate": lambda: 0.6}),
    "how often it validates": ({"validate": lambda: 0.5}, {"validate": lambda: 0.5, "validate_every": 2}),
    "bool": (lambda: network(held=True), lambda: network(held=False)),
    "int": (lambda: network(held=1), lambda: network(held=2)),
    "int and bool": (lambda: network(held=1), lambda: network(held=True)),
    "str": (lambda: network(held="relu"), lambda: network(held="tanh")),
    "tuple": (lambda: network(held=(1, 2)), lambda: network(held=(1, 3))),
    "set": (lambda: network(held={"a", "b"}), lambda: network(held={"a", "c"})),
    "function": (lambda: network(held=torch.relu), lambda: network(held=torch.tanh)),
    "lambda": (lambda: network(held=lambda x: x + 1), lambda: network(held=lambda x: x + 2)),
    "tensor": (lambda: network(held=torch.zeros(2)), lambda: network(held=torch.ones(2))),
    "container of one's own": (lambda: network(held=Recipe(1)), lambda: network(held=Recipe(2))),
    "number of one's own": (lambda: network(held=Rate(1)), lambda: network(held=Rate(2))),
    "object": (lambda: network(held=types.SimpleNamespace(a=1)), lambda: network(held=types.SimpleNamespace(a=2))),
    "frozen layer": (network, lambda: network(lambda made: made.linear.weight.requires_grad_(False))),
    "weights": (network, lambda: network(lambda made: made.linear.weight.data.add_(1e-3))),
    "a hook of the network": (network, lambda: network(lambda made: made.register_forward_hook(lambda *_: None))),
    "dropout": (lambda: dropout(0.1), lambda: dropout(0.2)),
    "another lambda of LambdaLR": (schedule(LAMBDAS, lambda k: 0.9**k), schedule(LAMBDAS, lambda k: 0.8**k)),
    "a number that its lambda holds": (lambda: schedule(LAMBDAS, power(0.9)), lambda: schedule(LAMBDAS, power(0.8))),
    "a number of a schedule": (schedule(STEP, 2), schedule(STEP, 3)),
    "no schedule": (schedule(LAMBDAS, lambda k: 1.0), {}),
    "prepare": ({"prepare": once}, {"prepare": twice}),
    "a default argument": (of_default(1.0), of_default(2.0)),
    "a closure over a tensor": (of_closure(torch.zeros(3)), of_closure(torch.ones(3))),
    "a closure over a list": (of_closure([1, 2]), of_closure([1, 3])),
    "a closure over a dict": (of_closure({"a": 1}), of_closure({"a": 2})),
    "the mode of another network": (lambda: of_closure(nn.Dropout().train()), lambda: of_closure(nn.Dropout().eval())),
    "a hook of a weight": (network, lambda: network(lambda made: made.linear.weight.register_hook(lambda g: 0 * g))),
    "a closure over a network": (of_closure(dropout(0.1)), of_closure(dropout(0.2))),
    "a callable object": ({"prepare": Augmentation(1.0)}, {"prepare": Augmentation(2.0)}),
    "a bound method": ({"prepare": Augmentation(1.0).method}, {"prepare": Augmentation(2.0).method}),
    "a partial": ({"prepare": functools.partial(scaled, 1.0)}, {"prepare": functools.partial(scaled, 2.0)}),
}


@pytest.mark.parametrize("what", PAIRS)
def test_a_change_trains_anew_and_the_same_again_is_loaded(what, capsys):
    first, other = PAIRS[what]
    assert [is_loaded(change, capsys) for change in (first, first, other, other)] == [False, True, False, True]


# ---- what a function reaches: globals, other functions, modules, classes


def corrected(images):
    return 2 * images


def helper(images):
    return images


AMOUNT, TABLE, MASK = 1, {"shift": [1, 2]}, torch.ones(3)


def through_globals(images, generator):
    return pixels(sum([helper(images) for _ in range(AMOUNT)]) + len(TABLE["shift"]) + int(MASK.sum()), generator)


def through_a_class(images, generator):
    return Augmentation(1.0)(images, generator)


@pytest.mark.parametrize(("name", "value"), [
    ("helper", corrected), ("AMOUNT", 2), ("TABLE", {"shift": [1, 2, 3]}), ("TABLE", {"shift": [1, 3]}),
    ("MASK", torch.zeros(3)), ("pixels", lambda images, generator: images / 127)])
def test_a_global_that_is_read_counts(name, value, capsys, monkeypatch):
    change = {"prepare": through_globals}
    assert [is_loaded(change, capsys) for _ in range(2)] == [False, True]
    monkeypatch.setitem(globals(), name, value)
    assert not is_loaded(change, capsys)


def test_a_method_that_is_corrected_counts(capsys, monkeypatch):
    change = {"prepare": through_a_class}
    assert [is_loaded(change, capsys) for _ in range(2)] == [False, True]
    monkeypatch.setattr(Augmentation, "__call__", lambda self, images, generator: pixels(images, generator))
    assert not is_loaded(change, capsys)


def test_two_lambdas_of_one_line_are_two_functions():
    one, other = (lambda x: x + 1), (lambda x: x + 2)
    assert fingerprint(one) != fingerprint(other)


def compiled(source):
    space = {}
    exec(source, space)
    return space["f"]


def test_comments_docstrings_layout_and_file_do_not_count():
    assert fingerprint(compiled("def f(x):\n    return x + 1")) == fingerprint(compiled(
        "# a comment\n\ndef f(x):\n    \"\"\"What it does.\"\"\"\n    return (x\n            + 1)"))


def test_the_same_code_in_another_process_is_the_same():
    code = ("import sys; sys.path.insert(0, 'tests'); import test_never_lies as t; from tp_utils.runtime import "
            "fingerprint; print(fingerprint(t.through_globals, t.network(), t.Augmentation(1.0).method, {'b', 'a'}))")
    found = {subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True,
                            env={**os.environ, "PYTHONHASHSEED": seed}).stdout for seed in "12"}
    assert len(found) == 1


# ---- a step of one's own, and a game


def test_a_step_of_ones_own_counts_with_all_it_reaches(capsys, monkeypatch):
    loaded = []
    for factor in (1, 1, 2):
        monkeypatch.setattr(small_runs, "F", types.SimpleNamespace(
            cross_entropy=lambda scores, y, factor=factor: factor * F.cross_entropy(scores, y)))
        trained(steps=3)
        loaded.append("loaded from the cache" in capsys.readouterr().out)
    assert loaded == [False, True, False]
