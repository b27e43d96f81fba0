"""Input that does not fit is refused before the first step, in one sentence that says what to do."""

import operator

import numpy as np
import torch
from torch import nn
from torch.optim.lr_scheduler import LRScheduler, ReduceLROnPlateau

from .machine import device

# What is said to the reader.
NOT_TENSOR = "{what} must be a tensor, not {found}: give the images or labels of a data set, e.g. data.train_images"
NO_IMAGES = "there are no images: the tensor has the shape {shape}"
NOT_PIXELS = "images must be uint8 (0 to 255) or float, not {dtype}: convert pixels with .to(torch.uint8)"
RANGE = ("images are {dtype} from {low:g} to {high:g}, where {least} to {most} is expected: give pixels of 0 to 255 as "
         "uint8, scale others, or give a `prepare` of your own")
COUNT = "{labels} labels for {images} images: each image needs one"
NOT_LABELS = "labels must be whole numbers, int64 [N], not {dtype} {shape}: convert them with .long()"
CLASSES = "labels go from {low} to {high}, but {allowed}: number the classes from 0 on"
OUTPUTS = "the network has {classes} outputs, for the classes 0 to {last}"
NEGATIVE = "no label may be below 0"
WHOLE = "{name} must be a whole number from {least} on, below 2⁴⁰, not {found!r}"
NOT_FUNCTION = "{what} must be a function, not {found}"
NOT_NAMED = "{what} must be a dictionary with a name for each, such as {{{example}}}, not {found}"
NOT_INSTANCE = "{what} {name!r} must be {kind}, not {found}{hint}"
CALL_IT = ": call the class, {name}(…)"
OTHER_WEIGHTS = ("the optimiser {name!r} holds none of the weights of {of}: it would teach nothing. Was the network "
                 "made anew? Then run the cell of its optimiser as well; or are two optimisers exchanged?")
FOREIGN = ("the optimiser {name!r} holds weights that are in none of the networks {networks}, and a checkpoint would "
           "lose them: name their network too, or run the cell of the optimiser again")
PLATEAU = "ReduceLROnPlateau waits for a measured number at each step, and gets none here: take another schedule"
NOT_SCHEDULE = "schedule must be one of torch.optim.lr_scheduler, made for the optimiser, not {found}"
OTHER_SCHEDULE = "the schedule belongs to another optimiser: make it anew, with this one"
LBFGS = "LBFGS computes the loss several times a step: write that step yourself, and repeat it with tp.train"
NOT_CURVES = "step must return {{curve: number}}, e.g. {{\"loss\": loss}}, not {found}"
NOT_NUMBER = "step must return one number for the curve {curve!r}, a scalar tensor, not {found}"
RESERVED = "{curve!r} is a name of the engine's own in a run's history: give the curve another one"
OTHER_CURVES = "step has returned the curves {found}, and before that {known}: return the same ones at each step"


def refuse(text, **facts):
    raise ValueError(text.format(**facts))


def described(thing):
    """A thing in a few words."""
    if isinstance(thing, torch.Tensor):
        return f"{str(thing.dtype).removeprefix('torch.')} {list(thing.shape)}"
    return f"the class {thing.__name__}" if isinstance(thing, type) else type(thing).__name__


def tensors(images, labels):
    """(images, labels or None) as tensors that fit each other; NumPy's arrays are converted."""
    found = []
    for what, thing in (("images", images), ("labels", labels)):
        if isinstance(thing, np.ndarray) and thing.dtype.kind in "buif":
            thing = torch.from_numpy(np.ascontiguousarray(thing.astype(thing.dtype.newbyteorder("="))))
        if not isinstance(thing, torch.Tensor) and not (what == "labels" and thing is None):
            refuse(NOT_TENSOR, what=what, found=described(thing))
        found.append(thing)
    images, labels = found
    if not images.ndim or not len(images):
        refuse(NO_IMAGES, shape=list(images.shape))
    if images.dtype != torch.uint8 and not images.is_floating_point():
        refuse(NOT_PIXELS, dtype=str(images.dtype).removeprefix("torch."))
    images = images.float() if images.is_floating_point() else images
    if labels is None:
        return images, None
    if not labels.ndim or len(labels) != len(images):
        refuse(COUNT, labels=len(labels) if labels.ndim else 1, images=len(images))
    if not labels.is_floating_point():
        labels = labels.long()
        if labels.min() < 0:
            refuse(CLASSES, low=labels.min(), high=labels.max(), allowed=NEGATIVE)
    return images, labels


def value_range(images, prepare, default, limits):
    """Images that are floats already, and go to the network as they are, must be in its range."""
    images, _ = tensors(images, None)
    if prepare is not default or not images.is_floating_point() or images.ndim != 4:
        return
    low, high = images.aminmax()
    if not limits[0] <= low <= high <= limits[1]:
        kind = str(images.dtype).removeprefix("torch.")
        refuse(RANGE, dtype=kind, low=low, high=high, least=limits[0], most=limits[1])


def classifier(network, images, labels, optimiser, prepare, loss):
    """A network, an optimiser that takes one gradient a step, and labels: whole numbers, each with an output."""
    networks_and_optimisers({"network": network}, {"network": optimiser}, None, loss=loss, prepare=prepare)
    if isinstance(optimiser, torch.optim.LBFGS):
        refuse(LBFGS)
    images, labels = tensors(images, labels)
    if not (loss is nn.functional.cross_entropy or isinstance(loss, nn.CrossEntropyLoss)) or labels.ndim > 1:
        return
    if labels.is_floating_point():
        refuse(NOT_LABELS, dtype=str(labels.dtype).removeprefix("torch."), shape=list(labels.shape))
    mode = network.training
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())), torch.no_grad():
        few = images[:2].to(device())
        scores = network.to(device()).eval()(prepare(few, torch.Generator().manual_seed(0)))
    network.train(mode)
    if scores.ndim == 2 and labels.max() >= scores.shape[1] and labels.max() != getattr(loss, "ignore_index", -100):
        allowed = OUTPUTS.format(classes=scores.shape[1], last=scores.shape[1] - 1)
        refuse(CLASSES, low=labels.min(), high=labels.max(), allowed=allowed)


def numbers(least=1, **named):
    """Whole numbers from `least` on, as Python's own."""
    found = []
    for name, value in named.items():
        try:
            number = int(value) if isinstance(value, float) and value.is_integer() else operator.index(value)
        except TypeError:
            number = None
        if number is None or not least <= number < 2**40:
            refuse(WHOLE, name=name, least=least, found=value)
        found.append(number)
    return found


def functions(**named):
    """Functions or other callable objects, no classes."""
    for what, function in named.items():
        if not callable(function) or isinstance(function, type):
            hint = CALL_IT.format(name=function.__name__) if isinstance(function, type) else ""
            refuse(NOT_FUNCTION, what=what, found=described(function) + hint)


def networks_and_optimisers(networks, optimisers, schedule, **named):
    """A function, networks and optimisers by name, each optimiser with weights of the networks alone."""
    functions(**named)
    of_kind(nn.Module, networks, "network", "an nn.Module", '"D": D')
    of_kind(torch.optim.Optimizer, optimisers, "optimiser", "one of torch.optim", '"D": optimiser_D')
    weights = {name: {id(weight) for weight in network.parameters()} for name, network in networks.items()}
    everything = set().union(*weights.values())
    for name, optimiser in optimisers.items():
        held = {id(weight) for group in optimiser.param_groups for weight in group["params"]}
        if not held & weights.get(name, everything):
            refuse(OTHER_WEIGHTS, name=name, of=repr(name) if name in weights else "the networks")
        if held - everything:
            refuse(FOREIGN, name=name, networks=", ".join(map(repr, networks)))
    if isinstance(schedule, ReduceLROnPlateau):
        refuse(PLATEAU)
    if schedule is not None and not isinstance(schedule, LRScheduler):
        refuse(NOT_SCHEDULE, found=described(schedule))
    if schedule is not None and all(schedule.optimizer is not optimiser for optimiser in optimisers.values()):
        refuse(OTHER_SCHEDULE)


def of_kind(kind, named, what, words, example):
    """A dictionary of names to instances of a class."""
    if not isinstance(named, dict) or not named:
        refuse(NOT_NAMED, what=f"{what}s", example=example, found=described(named))
    for name, thing in named.items():
        if not isinstance(thing, kind):
            hint = CALL_IT.format(name=thing.__name__) if isinstance(thing, type) else ""
            refuse(NOT_INSTANCE, what=what, name=name, kind=words, found=described(thing), hint=hint)


def step_curves(values, known):
    """What a step has returned, as {curve: scalar float32 tensor on the device}; the same curves as `known`, if any."""
    if not isinstance(values, dict) or not values:
        refuse(NOT_CURVES, found=described(values))
    if known is not None and values.keys() != known.keys():
        refuse(OTHER_CURVES, found=", ".join(map(str, values)), known=", ".join(known))
    if reserved := values.keys() & {"validation", "pictures"}:
        refuse(RESERVED, curve=reserved.pop())
    found = {}
    for curve, value in ((curve, values[curve]) for curve in known or values):
        if isinstance(value, int | float | np.number):
            value = torch.tensor(float(value))
        if not isinstance(value, torch.Tensor) or value.numel() != 1:
            refuse(NOT_NUMBER, curve=curve, found=described(value))
        found[curve] = value.detach().to(device(), torch.float32).reshape(())
    return found
