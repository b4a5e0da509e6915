"""Notices below every computed scan: no medical device, and computed, not acquired."""

RESTORED = (
    "Not a medical device and not for diagnosis. Restored slices are computed, not acquired: "
    "structures in them can be invented, and real ones can be missing."
)
THICKENED = (
    "Not a medical device and not for diagnosis. Thick slices are computed, not acquired: "
    "their noise and their slice profile are not a scanner's."
)
