"""The stop button: a first press waits for the end of the step, so that no step is done by half; a second does not."""

import contextlib
import functools
import signal
import threading


@contextlib.contextmanager
def stop_button():
    """A list that is empty until the reader interrupts (Ctrl-C, or Jupyter's stop button). A second press raises."""
    asked = []

    def pressed(number, frame):
        if asked:
            signal.default_int_handler(number, frame)
        asked.append(True)

    with handling(pressed):
        yield asked


@contextlib.contextmanager
def handling(handler):
    if threading.current_thread() is not threading.main_thread():  # signals are the main thread's
        yield
        return
    before = signal.signal(signal.SIGINT, handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


at_once = functools.partial(handling, signal.default_int_handler)  # within it the first press raises
