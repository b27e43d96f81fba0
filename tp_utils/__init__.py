"""The helper package of the practicals: ``import tp_utils as tp``.

Everything is loaded at first use, so that the import itself is light:

    tp.data, tp.nets      images and pretrained networks, wherever they can be found
    tp.check              the checks of the exercises
    tp.fit, tp.train_gan  training of a classifier, of a generator against a discriminator
    tp.train_players      training of several networks by a step of your own
    tp.health             how well a game between two networks went
    tp.measure, tp.show   numbers; figures
    tp.widgets, tp.quiz   interactive figures; a quiz that needs no Python
    tp.pick, tp.device …  the run: profile, device, seed, cache
    tp.tp07, tp.tp08 …    one helper per practical
"""

from importlib import import_module

__version__ = "0.1.0"

_HOME = {  # public name -> the module that defines it
    "check": "checks",
    "fit": "training",
    "cache_dir": "runtime",
    "cached": "runtime",
    "caveat": "runtime",
    "device": "runtime",
    "initialised": "training",
    "measuring": "runtime",
    "pick": "runtime",
    "profile": "runtime",
    "results": "runtime",
    "save_results": "runtime",
    "seed": "runtime",
    "say": "runtime",
    "train_gan": "training",
    "train_players": "training",
}


def __getattr__(name):
    if name in _HOME:
        return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    if name.startswith("__"):
        raise AttributeError(name)
    try:
        return import_module(f"{__name__}.{name}")
    except ModuleNotFoundError as error:
        if error.name != f"{__name__}.{name}":
            raise
        raise AttributeError(f"tp_utils has no {name!r}") from None
