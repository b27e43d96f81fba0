"""A classroom mirror: prepared data sets and networks in a folder, with their SHA256SUMS."""

from .. import nets
from ..data.fetch import write_sums
from ..data.official import PREPARE
from ..data.places import find, save_set


def export_mirror(folder, names):
    """Write the named sets, as far as the real ones are to be had, and networks into a classroom mirror.

    folder:  a Path; made if need be. Returns the file names that it now holds. MNIST needs no mirror.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        if name in PREPARE and not (images := find(name)).sample:
            path = folder / f"{images.name}.npz"  # of what takes the place of others, too
            save_set(images, path)
            path.chmod(0o644)
    nets.export_weights(folder)
    held = [path.name for path in folder.iterdir() if path.suffix in (".npz", ".pth")]
    write_sums(folder, held)
    return sorted(held)
