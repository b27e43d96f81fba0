"""Event files: the curves of a run for TensorBoard, which draws them in a browser while the run goes on."""

NO_TENSORBOARD = "event files need the package tensorboard: pip install tensorboard, or leave `events` out"


class Events:
    """Writes what is new in a run's history to a folder. Raises ImportError where TensorBoard is not installed.

    A run that goes on, or that is loaded, is written from its first step: TensorBoard then leaves out what an earlier
    file of the folder says of those steps.
    """

    def __init__(self, folder):
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise ImportError(NO_TENSORBOARD) from error
        self.writer, self.written = SummaryWriter(str(folder), purge_step=0), {}

    def update(self, history):
        """Write the values that are new: lists of numbers, one a step, or of (step, number). Pictures are left out."""
        for curve in history.keys() - {"pictures"}:
            done = self.written.get(curve, 0)
            for k, value in enumerate(history[curve][done:], done + 1):
                step, number = value if isinstance(value, tuple) else (k, value)
                self.writer.add_scalar(curve, number, step)
            self.written[curve] = len(history[curve])
