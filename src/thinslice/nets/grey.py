"""Grey values as convolutions learn best from: around zero, of size one.

A window of some 4,000 HU brings the body to grey values of 0.2 to 0.3 with contrasts of 0.01. First
weights make features of them that are all alike and fade on their way through a deep network.
Moved and stretched before the first layer, and what is corrected shrunk again behind the last, the
same network learns more from the same steps.
"""

from typing import NamedTuple

from torch import Tensor


class Grey(NamedTuple):
    """How a network sees grey values of [0, 1]: less ``middle``, times ``gain``."""

    middle: float
    gain: float

    def seen(self, x: Tensor) -> Tensor:
        """Grey values as the first layer takes them."""
        return (x - self.middle) * self.gain

    def correction(self, y: Tensor) -> Tensor:
        """What the last layer gives, as a difference of grey values."""
        return y / self.gain


AS_STORED = Grey(0.0, 1.0)
STRETCHED = Grey(0.25, 10.0)  # water, in a window of -1024..3071 HU, to zero; 100 HU to a quarter
