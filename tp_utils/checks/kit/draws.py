"""What checks of random answers share: a generator decides, and torch's own one where there is none."""

import torch

from .compare import Wrong

# What is said to the reader.
GLOBAL = "two generators with the same seed must give the same draw: draw with generator=generator"
FIXED = "another generator must give something else: draw from the generator that is given, do not seed it or another"
RESEEDED = "draw from `generator` itself; torch.manual_seed changes what everybody else draws"
NO_NONE = "generator=None must work too: torch's own generator, which torch's functions take by themselves then"
SAME, OTHERS = "the same at each call", "others"


def drawn(seed):
    """A new generator."""
    return torch.Generator().manual_seed(seed)


def expect_drawn(call):
    """Raise Wrong unless call(generator), a tensor, is drawn from the generator and leaves torch's own one alone."""
    state = torch.get_rng_state()
    one, again, other = call(drawn(1)), call(drawn(1)), call(drawn(2))
    if not torch.equal(one, again):
        raise Wrong("the same numbers from two generators with the same seed", "others", GLOBAL)
    if torch.equal(one, other):
        raise Wrong("other numbers from a generator with another seed", "the same", FIXED)
    if not torch.equal(state, torch.get_rng_state()):
        raise Wrong("torch's own generator left as it was", "its state has changed", RESEEDED)


def expect_default(call):
    """Raise Wrong unless call(), a tensor, is drawn from torch's own generator."""
    try:
        torch.manual_seed(5)
        one, other = call(), call()
        torch.manual_seed(5)
        again = call()
    except (TypeError, AttributeError) as error:
        raise Wrong("an answer without a generator too", f"{type(error).__name__}: {error}", NO_NONE) from None
    if torch.equal(one, other) or not torch.equal(one, again):
        raise Wrong("without a generator: other numbers at each call, the same ones after the same torch.manual_seed",
                    SAME if torch.equal(one, other) else OTHERS, NO_NONE)
