"""The places where a data set is looked for, in order: embedded, cache, mirror, official source, sample."""

import os
from contextlib import suppress

import numpy as np

from ..runtime import cache_path, cached_file, in_words, keeping, replacing, say
from . import official, samples
from .fetch import FetchError, NotAllowed, from_mirror, mirror, sums, verify
from .imageset import ImageSet

# What is said to the reader.
FOUND = "{what}, {where}."
IN_PLACE_OF = "{other} in place of {name}"
NOT_THERE = "{name}: nothing from {where} ({why})."
LOOKED = {"cache": "the cache", "mirror": "the classroom mirror", "official": "the official source"}
WHERE = {"embedded": "embedded", "cache": "prepared before (cache)", "mirror": "from the classroom mirror",
         "official": "from the official source", "sample": "built-in sample", "own": "from your folder"}
STAND_IN = "{what}, NOT the real set: a built-in sample stands in. README says how to get the real one."


OTHER = {"faces": "lfw", "poster_cats": "cats"}  # real images that take the place of what is not to be had


def find(name, asked=None):
    """The data set `name` as an ImageSet, from the first place that has it; says where in one line.

    Where no place has it, the set that OTHER names is looked for; where there is none, a sample is made.
    asked: the name of the set that this one takes the place of
    """
    for place, look in (("cache", from_cache), ("mirror", mirrored), ("official", from_official)):
        try:
            found = look(name)
        except OSError as error:  # FetchError, or a cache that cannot be written
            say(NOT_THERE.format(name=name, where=LOOKED[place], why=in_words(error)))
            continue
        if found is not None:
            return announced(found, place, asked)
    if name in OTHER:
        return find(OTHER[name], name)
    name = asked or name
    return announced(ImageSet.from_arrays(name, samples.MAKE[name](), sample=True), "sample")


def announced(images, place, asked=None):
    """Say where the images were found, and which set they take the place of, if any; returns them."""
    name = IN_PLACE_OF.format(other=images.name, name=asked) if asked else images.name
    what = f"{name}: {len(images.train_images):,} train + {len(images.test_images):,} test images"
    line = STAND_IN if place == "sample" else FOUND
    facts = {"data": images.name, "place": WHERE[place], "source": images.source}
    say(line.format(what=what, where=WHERE[place]), **facts)
    return images


def where(name):
    """The place that would be tried first for `name`, in words, without fetching anything."""
    if name == "mnist":
        return WHERE["embedded"]
    if os.path.exists(cached_path(name)):
        return WHERE["cache"]
    with suppress(FetchError):
        if mirror() and f"{name}.npz" in sums(mirror()):
            return WHERE["mirror"]
    return f"{WHERE['official']}, or else {OTHER.get(name, 'the ' + WHERE['sample'])}"


# ---- one function for each place; None where it is not there, FetchError where something is wrong


def cached_path(name):
    """Where the prepared set is to be read, if it is in the cache."""
    return cached_file(f"{name}.npz")


def from_cache(name):
    path = cached_path(name)
    try:
        sha256 = path.with_suffix(".npz.sha256").read_text(encoding="utf-8", errors="replace").strip()
    except FileNotFoundError:
        return None
    if not os.path.exists(path):
        return None
    try:
        verify(path, sha256)
    except NotAllowed:
        raise
    except FetchError:
        with suppress(OSError):  # a read-only cache keeps it
            path.unlink()
        raise
    return load_set(name, path)


def mirrored(name):
    kept = cache_path(f"{name}.npz")
    path = from_mirror(kept.name, kept)
    if path is None:
        return None
    if path == kept:
        with keeping(name):
            remember_hash(path)
    return load_set(name, path)


def from_official(name):
    images = ImageSet.from_arrays(name, official.PREPARE[name]())
    with keeping(name):
        save_set(images, cache_path(f"{name}.npz"))
        remember_hash(cache_path(f"{name}.npz"))
    return images


def load_set(name, path):
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return ImageSet.from_arrays(name, {key: arrays[key] for key in arrays.files})
    except Exception as error:  # whatever a foreign file provokes
        raise FetchError(f"{path} is not a prepared data set: {error}") from error


def save_set(images, path):
    with replacing(path) as temporary, open(temporary, "wb") as file:
        np.savez(file, **images.to_arrays())


def remember_hash(path):
    import pooch

    with replacing(path.with_suffix(".npz.sha256")) as temporary:
        temporary.write_text(pooch.file_hash(str(path)) + "\n", encoding="utf-8")
