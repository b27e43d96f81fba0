"""Progress with the time left, and curves that grow while a run goes on."""

import sys
import time

from tqdm import tqdm

from .. import show
from ..runtime import in_notebook

REFRESH = 2.0  # seconds between two drawings; drawing never changes what is computed


class Live:
    """A context: a progress bar, and in a notebook a figure of the loss (and validation) curves."""

    def __init__(self, run, steps, title=None, draw=True):
        self.run, self.steps, self.title = run, steps, title or "training"
        self.drawing = draw and in_notebook()
        self.handle, self.drawn = None, 0.0

    def __enter__(self):
        self.bar = tqdm(total=self.steps, initial=self.run.step, desc=self.title, file=sys.stdout, ncols=90,
                        mininterval=0.5)
        return self

    def update(self):
        """After each step."""
        self.bar.update()
        if self.drawing and len(self.run.history["loss"]) > 1 and time.monotonic() - self.drawn > REFRESH:
            self.draw()

    def __exit__(self, *_):
        self.bar.close()
        if self.drawing and len(self.run.history["loss"]) > 1:
            self.draw()

    def draw(self):
        from IPython.display import display

        fig = curves(self.run, self.title)
        if self.handle is None:
            self.handle = display(fig, display_id=True)
        else:
            self.handle.update(fig)
        self.drawn = time.monotonic()


def curves(run, title):
    """The figure of a run: loss per step, smoothed too; validation on a second axis where there is one."""
    import numpy as np

    loss = np.array(run.history["loss"])
    window = max(1, len(loss) // 25)
    smooth = np.convolve(loss, np.ones(window) / window, mode="valid")
    fig, axis = show.figure(width=5.5, height=2.4)
    axis.plot(np.arange(1, len(loss) + 1), loss, color=show.COLOURS[5], alpha=0.5, linewidth=0.8)
    axis.plot(np.arange(window, len(loss) + 1), smooth, color=show.COLOURS[0], label="training loss")
    axis.set(xlabel="step", ylabel="loss", title=title)
    if run.history["validation"]:
        steps, values = zip(*run.history["validation"], strict=True)
        second = axis.twinx()
        second.plot(steps, values, "--o", markersize=3, color=show.COLOURS[1])
        second.set_ylabel("validation (dashed)")
        second.grid(False)
    return fig
