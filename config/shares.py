"""Shares in per cent."""

import math


def percentage(share: float) -> float:
    """A share from 0 to 1 in per cent, rounded down to a tenth: 100 stands for all of them."""
    return math.floor(float(share) * 1000 + 1e-9) / 10  # 1 - 0.9 is a little less than 0.1
