"""What an error in a student's function means, in words."""

import re
import traceback
from itertools import chain
from pathlib import Path

from .compare import Wrong

CHECKS = str(Path(__file__).parents[1])

# What is said to the reader.
CRASHED = "it stopped with an error: put the failing line in a cell of its own and look at what it is given"
MISCALLED = "it could not be called or used as the exercise says: compare names, order and number of its arguments"
CALLS_AMISS = "another function is called there with other arguments than it takes: look up its arguments"
NO_NAME = "the name {name} is unknown: is it misspelt, is its import missing, or the cell that defines it not run?"
TOO_EARLY = "{name} is read before it has a value: is it set in one branch or behind the loop only?"
NO_ATTRIBUTE = "this {kind} has no {name}: is it misspelt, or is the thing another one than you think?"
NONE = "there is a None: a function without `return` gives None, and so does a .grad before backward()"
ASSERTION = "an assert in your function does not hold for what it was given: does it ask for too much?"
NO_END = "it calls itself without end"
NO_INDEX = "an index is beyond the end: counting starts at 0 and ends at the length − 1"
NO_KEY = "the key {name} is not there: print the keys"
DIVISION = "something is divided by zero"
SIZES = "sizes do not fit: print the shapes of what meets in that line"
DTYPES = "tensors of different types meet: convert one of them, integers with .float()"
DEVICES = "tensors on two devices meet: make new ones on the device of those that are given, device=x.device"

ERRORS = {  # a piece of the message, and what is behind it
    "before Module.__init__": "the first line of __init__ is super().__init__()",
    'missing the required "forward"': "the class needs a method forward(self, …), at the same level as __init__",
    "'numpy.ndarray' object has no attribute": "a NumPy array is no tensor: stay with torch's functions",
    "NoneType": NONE,
    "modified by an inplace operation": "a tensor that a gradient still needs was changed in place: take all gradients "
                                        "before the first optimiser step, and write x = x + … for x += …",
    "leaf Variable that requires grad": "what requires a gradient is not changed in place: weights under "
                                        "torch.no_grad(), everything else by x = x + …",
    "numpy() on Tensor that requires grad": "NumPy knows no gradients: stay with torch, or .detach() where no gradient "
                                            "is needed",
    "element 0 of tensors": "the loss has no graph, it depends on nothing that learns: too much is detached or under "
                            "torch.no_grad()",
    "a second time": "the graph is used up after one gradient or backward(): compute what you need anew",
    "only for scalar outputs": "a gradient is taken of one number: .sum() or .mean() first",
    "One of the differentiated": "the gradient is taken with respect to something that requires none: is it cut off?",
    "not have been used in the graph": "differentiate with respect to the very tensor that the network got",
    "converted to Scalar": "a tensor of several numbers is used where one is wanted: take its sum or its mean",
    "optimizer got an empty": "an optimiser is made of no weights: use the one that is given",
    "same device": DEVICES,
    "maximum recursion": NO_END,
    "Output size is too small": "the window of a pool or a kernel is larger than the map",
    **dict.fromkeys(("must have the same dtype", "expected scalar type", "not implemented for 'Long'", "Input type",
                     "can't be cast"), DTYPES),
    **dict.fromkeys(("size of tensor", "mat1 and mat2", "Sizes of tensors must match", "to match target batch",
                     "same number of dimensions", "invalid for input of size", "Dimension out of range",
                     "expected input", "Expected 3D", "Expected 4D", "running_mean should contain", "arget size",
                     "must be broadcastable", "size mismatch", "shape mismatch", "Kernel size can't", "equal size",
                     "not aligned", "inconsistent tensor size"), SIZES),
}


def explained(error, own=()):
    """The mistake that an exception amounts to. own: {piece of its message: hint}, asked before ERRORS."""
    message = str(error)
    hint = next((hint for piece, hint in chain(dict(own).items(), ERRORS.items()) if piece in message), None)
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.line for frame in frames if frame.line and ("ipykernel" in frame.filename or "<" in frame.filename)]
    at = f", at the line: {lines[-1]}" if lines else ""
    found = f"{type(error).__name__}: {message.splitlines()[0] if message else ''}{at}"
    return Wrong("a result", found, hint or hint_of(error, frames[-1].filename if frames else ""))


def hint_of(error, file):
    """What the type of an error says. file: where it was raised."""
    name = getattr(error, "name", None)
    if isinstance(error, UnboundLocalError):
        return TOO_EARLY.format(name=re.search(r"'(\w+)'|$", str(error))[1])
    if isinstance(error, NameError):
        return NO_NAME.format(name=name)
    if isinstance(error, AttributeError) and name and error.obj is not None:
        return NO_ATTRIBUTE.format(kind=type(error.obj).__name__, name=name)
    if isinstance(error, KeyError):
        return NO_KEY.format(name=error)
    if isinstance(error, TypeError):
        if re.search(r"missing \d+ required|positional argument|keyword argument|multiple values", str(error)):
            called_here = file.startswith(CHECKS) or file.endswith("torch/nn/modules/module.py")
            return MISCALLED if called_here else CALLS_AMISS
        return CALLS_AMISS if "argument" in str(error) else CRASHED
    simple = {AssertionError: ASSERTION, IndexError: NO_INDEX, ZeroDivisionError: DIVISION}
    return next((hint for kind, hint in simple.items() if isinstance(error, kind)), CRASHED)
