"""What checks are made of: comparisons that say what was expected, what came, and the likely mistake."""

import inspect
from itertools import zip_longest

import numpy as np
import torch

# What is said to the reader.
NO_RETURN = "your function returns nothing: is the `return` missing?"
NO_TENSOR = "return a torch tensor"
DTYPE = "the values have another type: convert them with .to(torch.{dtype})"
NOT_FINITE = "there are NaN or infinite values: is something divided by zero?"
TRACKED = ("your function turned gradients on for its input itself, where they pile up from call to call: "
           "work on a copy, x.detach().clone().requires_grad_()")
CHANGED = "{what} was changed by your function: work on a copy (clone), not in place"


class Wrong(Exception):
    """A wrong answer: what was expected, what was found, and hints from the most telling on."""

    def __init__(self, expected, found, *hints):
        super().__init__(f"expected {expected}, found {found}")
        self.expected, self.found, self.hints = str(expected), str(found), hints


def describe(value):
    """A value in a few words: for a tensor its dtype, shape, device and range."""
    if not isinstance(value, torch.Tensor):
        text = repr(value)
        return f"{type(value).__name__} {text if len(text) < 60 else text[:57] + '…'}"
    text = f"{str(value.dtype).removeprefix('torch.')} {list(value.shape)} on {value.device.type}"
    if value.numel() and not value.is_complex():
        low, high = value.detach().cpu().double().aminmax()  # mps has no float64
        text += f", {low:.4g}" if value.numel() == 1 else f", from {low:.4g} to {high:.4g}"
    return text


def expect_tensor(found, shape, dtype=None, hints=()):
    """Raise Wrong unless `found` is a finite tensor of that shape (a list) and dtype."""
    expected = f"{'tensor' if dtype is None else str(dtype).removeprefix('torch.')} {list(shape)}"
    if found is None:
        raise Wrong(expected, "None", NO_RETURN)
    if not isinstance(found, torch.Tensor):
        raise Wrong(expected, describe(found), NO_TENSOR, *hints)
    if list(found.shape) != list(shape):
        raise Wrong(expected, describe(found), *hints)
    if dtype is not None and found.dtype != dtype:
        raise Wrong(expected, describe(found), DTYPE.format(dtype=str(dtype).removeprefix("torch.")))
    if not torch.isfinite(found).all():
        raise Wrong(expected, "NaN or infinite values", NOT_FINITE)


def same(found, expected, tolerance=1e-4):
    """True if two tensors agree to `tolerance` times the largest expected absolute value."""
    found, expected = (torch.as_tensor(t).detach().cpu().double() for t in (found, expected))
    if found.shape != expected.shape:
        return False
    scale = expected.abs().max().clamp_min(1e-12) if expected.numel() else 1.0
    return bool(((found - expected).abs() <= tolerance * scale).all())


def beside(expected, found):
    """Two tensors in a few words each; where the words are the same, with the entries that differ most."""
    words = describe(expected), describe(found)
    if words[0] != words[1] or expected.ndim == 0:
        return words
    gap = (found.detach().cpu().double() - expected.detach().cpu().double()).abs()
    place = tuple(int(i) for i in np.unravel_index(int(gap.argmax()), gap.shape))
    return tuple(f"{words[0]}, {one[place]:.4g} at {list(place)}" for one in (expected, found))


def compare(found, expected, mistakes=(), hints=(), tolerance=1e-4, dtype=None):
    """Raise Wrong unless `found` equals `expected`, with the hint of the mistake that gives these very numbers.

    mistakes:  (what a typical mistake would give, its hint) pairs; a value may have any shape
    hints:     what to say after that, or when no mistake fits
    """
    if isinstance(found, torch.Tensor) and not same(found, expected, tolerance):
        for value, hint in mistakes:
            if same(found, value, tolerance):
                raise Wrong(*beside(expected, found), hint, *hints)
    expect_tensor(found, expected.shape, dtype, hints)
    if not same(found, expected, tolerance):
        raise Wrong(*beside(expected, found), *hints)


def expect_unchanged(before, after, what):
    """Raise Wrong if an input tensor was modified in place."""
    if not torch.equal(before, after):
        raise Wrong(f"{what} left as it was", describe(after), CHANGED.format(what=what))


def run(answer, *arguments, **named):
    """What the answer returns. Raises Wrong if it changes a tensor that it was given, or turns its gradient on."""
    before = [(name, given, given.detach().clone(), given.requires_grad)
              for name, given in named_arguments(answer, arguments, named) if isinstance(given, torch.Tensor)]
    found = answer(*arguments, **named)
    for name, given, old, tracked in before:
        expect_unchanged(old, given.detach(), f"the input {name}".strip())
        if not tracked and (given.requires_grad or given.grad is not None):
            raise Wrong(f"the input {name} left as it was", "requires_grad or .grad was set on it", TRACKED)
    return found


def named_arguments(answer, arguments, named):
    """(name, value) of each argument of a call, as the answer itself calls it."""
    try:
        parameters = inspect.signature(answer).parameters.values()
    except (TypeError, ValueError):  # written in C
        parameters = ()
    names = [one.name for one in parameters if one.kind is one.POSITIONAL_OR_KEYWORD][:len(arguments)]
    return [*zip_longest(names, arguments, fillvalue=""), *named.items()]
