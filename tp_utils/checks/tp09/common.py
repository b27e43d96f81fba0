"""What errors mean in the exercises of TP 9."""

ERRORS = {  # a piece of the message, and what is behind it
    "running_mean should contain": "a batch norm has as many channels as the convolution before it puts out",
    "leaf Variable that requires grad": "in-place changes of weights need torch.no_grad(): nn.init.normal_ does it",
    "size of tensor a": "two tensors that meet differ in length along an axis: in a loss, n may differ from m, so take "
                        "the mean of each half first; on a line, the shares need the latents' axes: .view(-1, 1, 1, 1)",
    "'NoneType' object has no attribute": "something is None there: a layer with bias=False has None as its bias, and "
                                          "a function without `return` gives None",
    "'float' object has no attribute": "a tensor is needed in place of a number: torch.ones_like and torch.zeros_like "
                                       "make targets of the logits' shape",
    "arget size": "the target has the shape of its own logits: torch.ones_like, torch.zeros_like",
    "between 0 and 1": "F.binary_cross_entropy wants probabilities: logits go into F.binary_cross_entropy_with_logits",
}
