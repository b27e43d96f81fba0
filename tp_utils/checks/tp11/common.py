"""What checks of several rooms of TP 11 say."""

# What is said to the reader.
SUM = "that is a sum: take the mean"
SIGN = "the sign is wrong: "
SOFTMAX_TWICE = "the softmax is applied twice: F.cross_entropy takes logits"
