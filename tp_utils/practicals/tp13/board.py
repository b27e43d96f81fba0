"""TensorBoard, started from a notebook."""

import logging

from ...runtime import say

# What is said to the reader.
NOT_INSTALLED = "TensorBoard is not installed: pip install tensorboard. The figures of the notebook show the same"
TENSORBOARD = "TensorBoard: {url} (from this machine; it ends with the notebook's kernel)"


def tensorboard(folder):
    """Start TensorBoard on a folder of event files, inside the notebook's kernel, and say its address."""
    try:
        from tensorboard import program
    except ImportError:
        return say(NOT_INSTALLED)

    logging.getLogger("tensorboard").setLevel(logging.ERROR)  # a run that was written twice is no news
    board = program.TensorBoard()
    board.configure(argv=[None, "--logdir", str(folder), "--port", "0", "--load_fast", "false"])  # any free port
    return say(TENSORBOARD.format(url=board.launch()))
