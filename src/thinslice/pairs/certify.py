"""Certify a pair of reconstructions: headers first, then grids, then images, each where the one
before does not reject it."""

from thinslice.errors import Refused
from thinslice.operators import grids
from thinslice.pairs import blocks, geometry, headers, images, order
from thinslice.pairs.certificate import Certificate, Measured, Reason
from thinslice.pairs.reconstructions import Reconstruction


def certify(thin: Reconstruction, thick: Reconstruction) -> Certificate:
    """Whether both are of one acquisition and differ in their slices alone.

    Reads the images of both unless headers or grids reject the pair; holds at most a few runs of
    slices of them. Never raises for what is wrong with the pair: it is a reason.
    """
    facts = headers.facts_of(thin, thick)
    found = headers.reasons(thin, thick)
    if facts["kernel"] == "different":
        names = [each.first.facts["kernel"] for each in (thin, thick)]
        found.append(Reason("kernel", f"{names[0]} (thin) and {names[1]} (thick)"))
    if thin.place is not None and thick.place is not None:
        found += geometry.reasons(thin.grid, thick.grid)
    counted, notes = headers.miscounted(thin, thick), headers.silent(thin, thick)
    if any(reason.verdict == "rejected" for reason in found):
        return Certificate((*found, *counted), facts, notes=tuple(notes))
    try:
        measured, seen = _images(thin, thick, facts["kernel"])
    except Refused as error:
        return Certificate((*found, Reason("stack", str(error))), facts, notes=tuple(notes))
    shared = measured.shared_noise if measured is not None else None
    if measured is not None and shared is None:
        untold, remarks = headers.without_noise(thin, thick)
        seen, notes = [*seen, *untold], [*notes, *remarks]
    if shared is not None and shared >= images.SURELY_SHARED:
        notes += [
            f"{each.text}, but the noise of both is the same ({shared:.2g})" for each in counted
        ]
        counted = []
    return Certificate((*found, *seen, *counted), facts, measured, tuple(notes))


def _images(
    thin: Reconstruction, thick: Reconstruction, kernel: str
) -> tuple[Measured | None, list[Reason]]:
    placed = grids.in_frame_of(thin.grid, thick.grid)
    small = [order.small(each.images()) for each in (thin, thick)]
    found = order.reasons(small[0], small[1], thin.grid, placed)
    if any(reason.code in ("order", "z_offset") for reason in found):
        return None, found
    measured, seen = images.compare(list(blocks.blocks(thin, thick)), kernel)
    if found:  # odd slices are among those that were measured
        seen = [reason for reason in seen if reason.verdict == "rejected"]
    return measured, [*found, *seen]
