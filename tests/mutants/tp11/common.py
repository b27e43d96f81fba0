"""What several rooms share."""



def weights(rate=lambda c: c.diag() / c.sum(1).clamp_min(1), shape=lambda r: 1.1 - r, scale=lambda w: w / w.mean()):
    return lambda confusion: scale(shape(rate(confusion))).float()
