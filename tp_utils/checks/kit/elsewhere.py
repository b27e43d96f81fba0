"""A device that this machine need not have: its tensors are computed on the CPU, but meet each other and numbers only.

Nothing is demanded that no real machine demands: values may be read, given to NumPy, and come back.
"""

import torch
from torch.overrides import TorchFunctionMode

from .compare import Wrong, describe

TWO_DEVICES = "Expected all tensors to be on the same device, but found at least two devices"  # torch's own words
DEVICE = torch.device("meta")  # its name, for answers that ask


def expect_on_its_device(answer, *arguments, hint):
    """Raise Wrong if the answer, on a GPU, would mix tensors of two devices, or return one of the CPU.

    arguments: tensors, which are given as those of another device, and other things
    """
    with Elsewhere() as there:
        try:
            found = answer(*(one.as_subclass(Moved) if isinstance(one, torch.Tensor) else one for one in arguments))
        except Exception as error:  # it runs on the CPU: all else is a matter of this module
            if TWO_DEVICES in str(error):
                raise Wrong("tensors on the device of those that are given", str(error), hint) from None
            return
    if there.brought_back and not isinstance(found, Moved):
        raise Wrong("a result on the device of what is given", describe(found), hint)


class Moved(torch.Tensor):
    """A tensor that is elsewhere."""


class Elsewhere(TorchFunctionMode):
    """Within it there is one more device. brought_back: whether values of it were put into a tensor of the CPU."""

    brought_back = False

    def __torch_function__(self, function, types, arguments=(), named=None):
        named, name = dict(named or {}), getattr(function, "__name__", "")
        if function == torch.Tensor.device.__get__:
            return DEVICE if isinstance(arguments[0], Moved) else function(*arguments)
        if name == "to":
            return self.to(*arguments, **named)
        tensors = [one for one in flat(arguments) if isinstance(one, torch.Tensor)]
        moved = [isinstance(one, Moved) for one in tensors]
        if name in ("__setitem__", "copy_"):
            self.brought_back |= not moved[0] and any(moved)
            return function(*arguments, **named)
        if name != "type_as" and any(moved) and any(one.ndim and not isinstance(one, Moved) for one in tensors):
            raise RuntimeError(TWO_DEVICES)
        there = is_there(named["device"]) if named.get("device") is not None else any(moved) and name != "cpu"
        found = function(*arguments, **named | ({"device": "cpu"} if there and "device" in named else {}))
        return self.put(found, there, any(moved)) if isinstance(found, torch.Tensor) else found

    def to(self, tensor, *arguments, **named):
        """tensor.to: to a device, to a dtype, or to both of another tensor."""
        there = isinstance(tensor, Moved)
        for one in (*arguments, *named.values()):
            if isinstance(one, torch.Tensor | torch.dtype):
                tensor = torch.Tensor.to(tensor, getattr(one, "dtype", one))
            if isinstance(one, torch.Tensor | torch.device | str):
                there = isinstance(one, Moved) if isinstance(one, torch.Tensor) else is_there(one)
        return self.put(tensor, there, isinstance(tensor, Moved))

    def put(self, tensor, there, moved):
        """A result on its device. moved: whether it was made of tensors that are elsewhere."""
        self.brought_back |= moved and not there
        return tensor.as_subclass(Moved if there else torch.Tensor)


def is_there(device):
    return torch.device(device) == DEVICE


def flat(things):
    """What is in a tuple, also in the lists and tuples in it."""
    return [one for thing in things for one in (flat(thing) if isinstance(thing, list | tuple) else [thing])]
