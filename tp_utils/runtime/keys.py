"""What a result depends on, as a short hash: equal hashes mean that everything that was reached is equal.

Values count, not names: tensors entry by entry, functions by their compiled code, their defaults, what they hold from
the function around them, and the globals that they read; objects by their class and all that they hold. Only Python's
own modules, installed libraries and the engine are known by name. What cannot be compared (an open file, a generator
that has begun) raises Incomparable.
"""

import copyreg
import dis
import functools
import hashlib
import inspect
import sys
import types
import weakref

import numpy as np
import torch
from torch.optim.lr_scheduler import LRScheduler

PLAIN = (type(None), bool, int, float, complex, str, bytes, type(Ellipsis), type(NotImplemented), torch.dtype,
         torch.device, torch.layout, torch.memory_format, range)
WRAPPERS = (property, staticmethod, classmethod, functools.cached_property, functools._lru_cache_wrapper)
DESCRIPTORS = (types.WrapperDescriptorType, types.MethodDescriptorType, types.ClassMethodDescriptorType,
               types.GetSetDescriptorType, types.MemberDescriptorType)
HOLDERS = (torch.nn.Module, torch.optim.Optimizer, LRScheduler)  # whose attributes are looked at one by one
NO_CODE = {"__dict__", "__weakref__", "__doc__", "__module__", "__qualname__", "__firstlineno__",
           "__static_attributes__", "__slotnames__", "_abc_impl"}  # what a class has that changes nothing
NOT_COMPARED = "a {kind} cannot be compared with that of another run"  # said to the reader


class Incomparable(TypeError):
    """Something whose value cannot be known; the message says what it is."""


def fingerprint(*things):
    """A short hexadecimal hash of things and of all that they reach. Raises Incomparable."""
    digest = Digest()
    try:
        digest.add(things)
    except RecursionError:
        raise Incomparable(NOT_COMPARED.format(kind="structure that is nested too deeply")) from None
    return digest.hash.hexdigest()[:16]


class Digest:
    """A hash that grows by all that a thing reaches. A thing that was met before is noted as the k-th one, so that
    circles end, and which weights an optimiser owns counts as well as their values."""

    def __init__(self):
        self.hash, self.met = hashlib.sha256(), {}  # met: {id: (number, the thing: kept, so that no id is used twice)}

    def note(self, *words):
        for word in words:
            data = str(word).encode()
            self.hash.update(b"%d:" % len(data) + data)

    def add(self, thing):
        if isinstance(thing, np.generic):
            thing = thing.item()
        if type(thing) in PLAIN:
            return self.note(type(thing).__name__, repr(thing))
        if isinstance(thing, types.FunctionType | type):
            given, solution = vars(thing).get("__stands_for__", (None, None))  # the reference in place of an answer
            thing = solution if given is thing else thing
        if id(thing) in self.met:
            return self.note("met", self.met[id(thing)][0])
        self.met[id(thing)] = len(self.met), thing
        self.note(type(thing).__name__)
        look = next((look for kind, look in LOOKS if isinstance(thing, kind)), Digest.object)
        return look(self, thing)

    # ---- values

    def tensor(self, tensor):
        try:
            values = tensor.detach().cpu().contiguous().flatten()
            data = (torch.view_as_real(values.resolve_conj()) if values.is_complex() else values).view(torch.uint8)
            self.hash.update(data.numpy().data)
        except (RuntimeError, NotImplementedError, TypeError):  # sparse, meta, quantised
            raise Incomparable(NOT_COMPARED.format(kind=f"{tensor.device} {tensor.layout} tensor")) from None
        self.note(tensor.dtype, tuple(tensor.shape), tensor.requires_grad)
        self.add([list((tensor._backward_hooks or {}).values()), vars(tensor)])

    def array(self, array):
        self.note(array.dtype.descr, array.shape)
        self.add(getattr(array, "mask", None))
        if array.dtype.hasobject:
            return self.add(array.tolist())
        return self.hash.update(np.ascontiguousarray(array).tobytes())

    def sequence(self, things):
        self.note(len(things))
        for thing in things:
            self.add(thing)
        self.subclass(things)

    def mapping(self, mapping):
        self.sequence([part for item in mapping.items() for part in item])
        self.subclass(mapping)

    def unordered(self, things):
        self.sequence(sorted(map(fingerprint, things)))
        self.subclass(things)

    def subclass(self, container):
        """What a container of a class of one's own has besides its contents."""
        if not is_library(type(container).__module__):
            self.add(type(container))
            self.add([getattr(container, "__dict__", None), slots_of(container)])

    # ---- code

    def function(self, function):
        if is_importable(function):
            return self.note(function.__module__, function.__qualname__)
        self.code(function.__code__)
        for held in (function.__defaults__, function.__kwdefaults__, vars(function)):
            self.add(held)
        for cell in function.__closure__ or ():
            try:
                self.add(cell.cell_contents)
            except ValueError:  # a name that has no value yet
                self.note("empty")
        if not is_library(function.__globals__.get("__name__")):
            for name, *attributes in names_read(function.__code__):
                self.read(function.__globals__, name, attributes)
        return None

    def code(self, code):
        """Instructions with what they are about: no comments, no docstring, no line numbers."""
        arguments = code.co_argcount + code.co_kwonlyargcount
        self.note(code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_varnames[:arguments],
                  code.co_flags & (inspect.CO_VARARGS | inspect.CO_VARKEYWORDS), code.co_exceptiontable)
        for step in dis.get_instructions(code):
            self.note(step.opname)
            if step.opname == "IMPORT_NAME":
                self.add(sys.modules.get(step.argval))
            self.code(step.argval) if isinstance(step.argval, types.CodeType) else self.add(step.argval)

    def read(self, space, name, attributes):
        """A global name, and the attributes behind it as long as they lead from module to module."""
        if name not in space:
            return self.note("builtin or missing", name)
        thing = space[name]
        while isinstance(thing, types.ModuleType) and attributes:
            if is_library(thing.__name__):
                return self.note(thing.__name__, *attributes)
            thing = getattr(thing, attributes.pop(0), None)
        return self.add(thing)

    def module(self, module):
        self.note(module.__name__)
        if not is_library(module.__name__) and getattr(module, "__file__", None):
            with open(module.__file__, "rb") as file:
                self.hash.update(file.read())

    def kind(self, kind):
        """A class: one of a library by its name, one of one's own by its methods and attributes."""
        if is_library(kind.__module__):
            return self.note(kind.__module__, kind.__qualname__)
        self.note(kind.__name__)
        self.add(kind.__bases__)
        return self.mapping({name: value for name, value in vars(kind).items() if name not in NO_CODE})

    def wrapper(self, wrapper):
        for name in ("fget", "fset", "fdel", "func", "__func__", "__wrapped__"):
            self.add(getattr(wrapper, name, None))

    def method(self, method):
        self.add(method.__func__)
        self.add(method.__self__)

    def builtin(self, function):
        """A function written in C, or such a method: of a list, say, which then counts."""
        owner = getattr(function, "__self__", None)
        self.note(getattr(function, "__module__", ""), function.__qualname__)
        if not isinstance(owner, types.ModuleType | type) and not type(owner).__module__.startswith("torch._C"):
            self.add(owner)

    # ---- objects

    def holder(self, thing):
        """A network, an optimiser or a schedule: all its attributes. The numbers of hooks grow and do not count."""
        self.add(type(thing))
        for name, value in {**vars(thing), **slots_of(thing)}.items():
            self.note(name)
            self.add(list(value.values()) if name.startswith("_") and name.endswith("hooks") else value)

    def object(self, thing):
        """Any other object, as pickle would take it apart."""
        try:
            known = copyreg.dispatch_table.get(type(thing))
            parts = known(thing) if known else thing.__reduce_ex__(4)
        except Exception:  # whatever refuses: a lock, an open file, a generator
            raise Incomparable(NOT_COMPARED.format(kind=type(thing).__name__)) from None
        if isinstance(parts, str):
            return self.note(type(thing).__module__, parts)
        make, arguments, state, items, pairs = (*parts, None, None, None)[:5]
        for part in (make, arguments, state, list(items or ()), list(pairs or ())):
            self.add(part)
        return None


LOOKS = (
    (torch.Tensor, Digest.tensor), (np.ndarray, Digest.array), (np.dtype, lambda digest, kind: digest.note(kind.str)),
    (torch.Generator, lambda digest, generator: digest.add(generator.get_state())),
    (HOLDERS, Digest.holder), (list | tuple, Digest.sequence), (dict | types.MappingProxyType, Digest.mapping),
    (set | frozenset, Digest.unordered), (types.FunctionType, Digest.function), (types.MethodType, Digest.method),
    (types.CodeType, Digest.code), (types.ModuleType, Digest.module), (type, Digest.kind), (WRAPPERS, Digest.wrapper),
    (DESCRIPTORS, lambda digest, thing: digest.note(thing.__objclass__.__qualname__, thing.__name__)),
    (types.BuiltinFunctionType | types.MethodWrapperType, Digest.builtin),
    (weakref.ref, lambda digest, reference: digest.add(reference())),
)


def slots_of(thing):
    """{name: value} of what an object holds in slots."""
    names = [name for kind in type(thing).__mro__ for name in vars(kind).get("__slots__", ()) if name != "__dict__"]
    return {name: getattr(thing, name) for name in names if hasattr(thing, name) and name != "__weakref__"}


def names_read(code):
    """The global names that code reads, each with the attributes behind it: [["tp", "device"], ["images"], …]."""
    names, last = [], None
    for step in dis.get_instructions(code):
        if step.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
            last = [step.argval]
            names.append(last)
        elif step.opname in ("LOAD_ATTR", "LOAD_METHOD") and last:
            last.append(step.argval)
        else:
            last = None
        if isinstance(step.argval, types.CodeType):
            names += names_read(step.argval)
    return names


def is_importable(function):
    """True for a function of a library that its name leads to; not for one made inside another."""
    if not is_library(function.__module__):
        return False
    thing = sys.modules.get(function.__module__)
    for name in function.__qualname__.split("."):
        thing = getattr(thing, name, None)
    return thing is function


@functools.cache
def is_library(module):
    """True for a module of Python itself, of an installed package or of the engine: no part of a run."""
    top, _, room = (module or "").partition(".")
    if top in ("", "__main__"):
        return False
    if top == "tp_utils":
        return room.partition(".")[0] in ("runtime", "show", "training")  # how runs are made, not what they are
    file = getattr(sys.modules.get(top), "__file__", None) or ""
    return top in sys.stdlib_module_names or "site-packages" in file or "dist-packages" in file
