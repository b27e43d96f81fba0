"""Progress with the time left, and curves that grow while a run goes on."""

import sys
import time

from tqdm import tqdm

from ..runtime import in_notebook
from ..show import run_figure

REFRESH = 2.0  # seconds between two drawings; drawing never changes what is computed


class Live:
    """A context: a progress bar, and in a notebook a figure of the run.

    flush brings the history of the run up to date; it is called before a drawing.
    """

    def __init__(self, run, steps, title, live, flush):
        self.run, self.steps, self.title = run, steps, title or "training"
        self.live, self.flush, self.handle, self.drawn = live and in_notebook(), flush, None, 0.0

    def __enter__(self):
        self.bar = tqdm(desc=self.title, total=self.steps, initial=self.run.step, file=sys.stdout, ncols=90)
        return self

    def update(self):
        """After each step."""
        self.bar.update()
        if time.monotonic() - self.drawn > REFRESH:
            self.refresh()

    def __exit__(self, *_):
        self.bar.close()
        self.refresh()

    def refresh(self):
        """Draw the run anew, if there is something to draw."""
        if not self.live:
            return
        self.flush()
        if self.run.step < 2:
            return
        from IPython.display import display

        fig = run_figure(self.run, self.title)
        if self.handle is None:
            self.handle = display(fig, display_id=True)
        else:
            self.handle.update(fig)
        self.drawn = time.monotonic()
