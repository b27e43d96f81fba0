"""The helper package of the practicals: ``import tp_utils as tp``.

Everything is loaded at first use, so that the import itself is light:

    tp.data, tp.nets      images and pretrained networks, wherever they can be found
    tp.check              the checks of the exercises
    tp.train, tp.fit      training: a step of your own, repeated; the step of a classifier
    tp.Game               what one looks at while a generator learns; tp.Validation, while a classifier does
    tp.frozen             a network whose weights get no gradient
    tp.initialised        a network with DCGAN's first weights
    tp.measure, tp.show   numbers; figures
    tp.judge, tp.health   a judge of generated digits; how well a game between two networks went
    tp.widgets            interactive figures
    tp.pick, tp.device …  the run: profile, device, seed, cache
    tp.tp07, tp.tp08 …    one helper per practical
"""

from importlib import import_module
from pathlib import Path

__version__ = "0.1.0"

_HOME = {  # public name -> the module that defines it, or that it is
    **dict.fromkeys(("cache_dir", "cache_path", "cached", "caveat", "device", "measuring", "pick", "precision",
                     "profile", "results", "save_results", "seed", "say"), "runtime"),
    **dict.fromkeys(("Game", "Validation", "fit", "frozen", "train"), "training"),
    "initialised": "nets",
    "check": "checks",
    **{name: name for name in ("checks", "data", "measure", "nets", "runtime", "show", "training")},
    "health": "measure.health", "judge": "measure.judge", "widgets": "show.widgets",
    **{path.stem: f"practicals.{path.stem}" for path in Path(__file__).with_name("practicals").glob("tp[0-9][0-9]*")},
}
__all__ = sorted(_HOME)


def __getattr__(name):
    if name not in _HOME:
        raise AttributeError(f"tp_utils has no {name!r}")
    home = import_module(f"{__name__}.{_HOME[name]}")
    return home if _HOME[name].split(".")[-1] == name else getattr(home, name)


def __dir__():
    return __all__
