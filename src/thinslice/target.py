"""The grid that a person's thick scan is restored on."""

from math import floor

from thinslice.volume import Grid

SAME = 1e-6  # of a length


def thin_grid(thick: Grid, thickness_mm: float, increment_mm: float) -> Grid:
    """Thin slices over what the thick ones cover, in the same pixels and the same patient frame.

    As many as lie on the scan to their full thickness, centred on it: the ends are shared out
    evenly, and less than one increment of the scan is left uncovered.
    Raises ValueError for lengths that are not positive, for slices thicker or farther apart than
    the scan's own, and for slices that leave gaps.
    """
    if min(thickness_mm, increment_mm) <= 0:
        raise ValueError(f"lengths must be positive, found {thickness_mm:g}, {increment_mm:g} mm")
    if increment_mm > thickness_mm * (1 + SAME):
        raise ValueError(
            f"slices of {thickness_mm:g} mm every {increment_mm:g} mm leave gaps: ask for an "
            "increment of at most the thickness"
        )
    for what, asked, has in (
        ("thick", thickness_mm, thick.thickness_mm),
        ("apart", increment_mm, thick.increment_mm),
    ):
        if asked > has * (1 + SAME):
            raise ValueError(
                f"slices {asked:g} mm {what} were asked for, the scan's are {has:g} mm {what}: "
                "nothing is to be restored"
            )
    length_mm = (thick.n - 1) * thick.increment_mm + thick.thickness_mm
    n = 1 + floor((length_mm - thickness_mm) / increment_mm + SAME)
    middle_mm = thick.start_mm + (thick.n - 1) * thick.increment_mm / 2
    return thick.with_slices(
        n=n,
        increment_mm=increment_mm,
        thickness_mm=thickness_mm,
        start_mm=middle_mm - (n - 1) * increment_mm / 2,
    )
