"""What the checks of TP 14 share."""

import torch

# What is said to the reader. First what the exercises ask for: the last hint of every mistake.
RECIPE = {
    "14.1": "three times [Conv2d(…, 4, 2, 1), BatchNorm2d, LeakyReLU(0.2)] with channels, w, 2w, 4w; Flatten; "
            "Linear(4w * 16, 2 * nz); .chunk(2, dim=1) makes mean and log_variance of it",
    "14.2": "Linear(nz, 4w * 16), Unflatten(1, (4w, 4, 4)), BatchNorm2d, ReLU; [ConvTranspose2d(…, 4, 2, 1), "
            "BatchNorm2d, ReLU] from 4w to 2w and to w; ConvTranspose2d(w, channels, 4, 2, 1), tanh",
    "14.3": "mean + (0.5 * log_variance).exp() * noise, with noise = torch.randn(mean.shape, generator=generator) on "
            "the device of mean",
    "14.4": "0.5 * (mean**2 + log_variance.exp() - 1 - log_variance): .sum(1) over the dimensions, then .mean()",
    "14.5": "((x - reconstruction)**2).flatten(1).sum(1).mean() / (2 * variance) + "
            "kl_to_standard_normal(mean, log_variance)",
    "14.6": "0.5 * ((features - reconstructed)**2).sum(1).mean()",
    "14.7": "the losses of all three first; torch.autograd.grad(loss, list(player.parameters()), retain_graph=True) "
            "for each player, into its .grad; then the three optimisers' steps",
}


def gradient(player, losses, weights):
    """The gradient of a weighted sum of losses with respect to a player's weights, as one vector."""
    total = sum(weight * losses[name] for name, weight in weights.items())
    found = torch.autograd.grad(total, list(player.parameters()), retain_graph=True, allow_unused=True)
    return torch.cat([(torch.zeros_like(w) if g is None else g).flatten()
                      for w, g in zip(player.parameters(), found, strict=True)])
