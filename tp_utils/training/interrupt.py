"""The stop button: an interrupt waits for the end of the step, so that no step is ever done by half."""

import contextlib
import signal
import threading


@contextlib.contextmanager
def asked_to_stop():
    """A list that is empty until the reader interrupts (Ctrl-C, or Jupyter's stop button); no KeyboardInterrupt."""
    asked = []
    if threading.current_thread() is not threading.main_thread():  # signals are the main thread's
        yield asked
        return
    before = signal.signal(signal.SIGINT, lambda *_: asked.append(True))
    try:
        yield asked
    finally:
        signal.signal(signal.SIGINT, before)
