"""What a result depends on, as a short hash."""

import ast
import functools
import hashlib
import inspect
import textwrap
import types

import numpy as np
import torch


def fingerprint(*things):
    """A short hexadecimal hash of tensors (shape, dtype, values), of whatever prints, of lists and dicts of them."""
    total = hashlib.sha256()
    for thing in things:
        if isinstance(thing, dict):
            thing = list(thing.items())
        if isinstance(thing, np.ndarray) and thing.dtype.kind in "biuf":  # whose print leaves values out
            thing = torch.from_numpy(np.ascontiguousarray(thing))
        if isinstance(thing, (list, tuple)):
            total.update(f"{type(thing).__name__} {len(thing)} {fingerprint(*thing)}".encode())
        elif isinstance(thing, torch.Tensor):
            total.update(f"{thing.dtype}{tuple(thing.shape)}".encode())
            total.update(thing.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().data)
        else:
            total.update(repr(thing).encode())
    return total.hexdigest()[:16]


def code_of(function):
    """The source of a function and of what it reaches by name in its own notebook or module: a list of strings.

    Functions are followed, also those that an inner function holds, with its numbers and words, and the methods of
    classes and networks; tensors and global numbers are not: name them.
    """
    seen, todo = {}, [function]
    while todo:
        thing = todo.pop()
        if isinstance(thing, functools.partial):
            seen[id(thing)] = repr((thing.args, thing.keywords))
            thing = thing.func
        if isinstance(thing, torch.nn.Module):
            todo += {type(module) for module in thing.modules() if not type(module).__module__.startswith("torch")}
        if inspect.isclass(thing):
            todo += vars(thing).values()
        elif isinstance(thing, types.FunctionType) and id(thing) not in seen:
            values = [held for held in held_by(thing) if isinstance(held, int | float | str)]
            seen[id(thing)] = source_of(thing) + (repr(values) if values else "")
            reached = (thing.__globals__.get(name) for name in names_in(thing.__code__))
            todo += [other for other in reached if getattr(other, "__module__", "") == thing.__module__]
            todo += [held for held in held_by(thing) if isinstance(held, types.FunctionType | functools.partial)]
    return sorted(seen.values())


def held_by(function):
    """What a function has from the one it was defined in."""
    return [cell.cell_contents for cell in function.__closure__ or ()]


def names_in(code):
    """The global names in a code object, those in its comprehensions and inner functions included."""
    inner = [name for constant in code.co_consts if isinstance(constant, types.CodeType) for name in names_in(constant)]
    return [*code.co_names, *inner]


def source_of(function):
    """The source without comments, docstrings and layout, which change nothing."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except SyntaxError:  # a lambda in the middle of a line
        return inspect.getsource(function)
    except OSError:  # neither in a file nor in a notebook
        return repr(function.__code__.co_code)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return ast.unparse(tree)
