"""A device without float64, as Apple's mps is: tensors on "cpu:7" refuse it, and so does all that is made of them."""

import torch
from torch.overrides import TorchFunctionMode

DEVICE = torch.device("cpu:7")  # PyTorch computes on the CPU whatever the number
REFUSED = "Cannot convert a MPS Tensor to float64 dtype as the MPS framework doesn't support float64."


class OnMps(torch.Tensor):
    """A tensor on such a device: what is computed from it is there too, until .cpu()."""

    def __deepcopy__(self, memo):
        copy = self.detach().clone()
        return torch.nn.Parameter(copy) if isinstance(self, torch.nn.Parameter) else copy

    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None):
        found = super().__torch_function__(function, types, args, kwargs or {})
        if isinstance(found, OnMps) and found.dtype == torch.float64:
            raise TypeError(REFUSED)
        return found


class PlaysMps(TorchFunctionMode):
    """Inside, tensors that are brought to DEVICE or made there are OnMps."""

    def __torch_function__(self, function, types, args=(), kwargs=None):
        found = function(*args, **(kwargs or {}))
        places = [*args, *(kwargs or {}).values()] if function is torch.Tensor.to else [(kwargs or {}).get("device")]
        if function is torch.Tensor.cpu or any(str(place) == "cpu" for place in places):
            return found.as_subclass(torch.Tensor) if isinstance(found, torch.Tensor) else found
        if any(isinstance(place, torch.device) and place == DEVICE for place in places) and type(found) is torch.Tensor:
            if found.dtype == torch.float64:
                raise TypeError(REFUSED)
            return found.as_subclass(OnMps)
        return found
