"""What a step is made of."""

import contextlib


@contextlib.contextmanager
def frozen(network):
    """Within it the network's weights get no gradient; gradients still pass through to its input.

    In G's turn D only judges: what its weights would need is not computed, a third of D's work.
    """
    weights = [weight for weight in network.parameters() if weight.requires_grad]
    for weight in weights:
        weight.requires_grad_(False)
    try:
        yield network
    finally:
        for weight in weights:
            weight.requires_grad_(True)


def update(optimiser, loss):
    """One step of an optimiser down the gradient of a loss, a scalar tensor."""
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
