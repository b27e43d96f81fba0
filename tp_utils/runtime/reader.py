"""How the course speaks to its reader: one line, or an object that shows itself."""

import sys

from .machine import profile

# What is said to the reader.
CAVEAT = "The conclusions in the text come from the real data in the cpu profile; here {why}: your numbers will differ."


def say(line, **facts):
    """Show one line to the reader; `facts` travel with it in a notebook, for `make run`'s table."""
    if in_notebook():
        from IPython.display import display

        display({"text/plain": line}, raw=True, metadata={"tp": facts} if facts else None)
    else:
        printed(line)


def caveat(*image_sets):
    """Say in one line why the text's conclusions need not hold: a built-in sample, or the smoke profile."""
    reasons = [f"{images.name} is a built-in sample" for images in image_sets if images.sample]
    if profile() == "smoke":
        reasons.append("the smoke profile computes next to nothing")
    if reasons:
        say(CAVEAT.format(why=" and ".join(reasons)))


def show(thing):
    """Show an object: as HTML in a notebook, as plain text elsewhere."""
    if in_notebook():
        from IPython.display import display

        display(thing)
    else:
        printed(thing)


def printed(thing):
    """print, with ? for what the terminal cannot show: not every one has ✔ and ✘."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    print(str(thing).encode(encoding, "replace").decode(encoding), flush=True)


def in_notebook():
    """True in a Jupyter kernel."""
    if "ipykernel" not in sys.modules:
        return False
    from IPython import get_ipython

    return get_ipython() is not None
