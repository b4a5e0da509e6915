"""What every degradation keeps (positions, constants, frame, extent), and what each one is."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.paths import FIXTURES
from thinslice import plugins
from thinslice.degradations import imresize, overlap, profile, sparse
from thinslice.operators import profiles, projection
from thinslice.volume import Grid, Volume

FIXTURE = FIXTURES / "sr4zct" / "overlap_released.npz"
TILTED = ((0.0, 0.6, 0.8), (0.0, 0.8, -0.6), (1.0, 0.0, 0.0))
ZS = dict(thickness_mm=st.floats(1.5, 7), increment_mm=st.floats(0.7, 6))
PHASE = st.none() | st.floats(0, 4)
SETTINGS = {  # for each module, and each variant of it: settings as hypothesis draws them
    "profile:box": st.fixed_dictionaries(
        {"shape": st.just("box"), **ZS, "phase_mm": PHASE},
    ),
    "profile:gaussian": st.fixed_dictionaries(
        {"shape": st.just("gaussian"), **ZS, "phase_mm": PHASE},
    ),
    "imresize": st.fixed_dictionaries({"through_plane": st.integers(1, 7)}),
    "profile:measured": st.fixed_dictionaries(
        {
            "shape": st.just("measured"),
            "taps": st.sampled_from([[0.1, 0.2, 0.4, 0.2, 0.1], [-0.02, 0.6, 0.42], [1.0]]),
            "spacing_mm": st.floats(0.6, 1.4),
            "increment_mm": st.floats(0.7, 6),
            "phase_mm": PHASE,
        }
    ),
    "overlap:exact": st.fixed_dictionaries(
        {"thickness_mm": st.floats(1.5, 7), "overlap_mm": st.floats(-2, 1.4)}
    ),
    "overlap:anchored": st.fixed_dictionaries(
        {
            "spacing": st.just("anchored"),
            "thickness_mm": st.floats(1.5, 7),
            "overlap_mm": st.just(0.0) | st.floats(0.1, 1.4),
        }
    ),
    "sparse": st.fixed_dictionaries(
        {
            "increment_mm": st.floats(0.7, 6),
            "phase_mm": st.floats(0, 4),
            "whole_slices": st.booleans(),
        }
    ),
    "profile:trapezoid_bell": st.fixed_dictionaries(
        {
            "shape": st.just("trapezoid_bell"),
            **ZS,
            "phase_mm": PHASE,
            "width_factor": st.floats(1.0, 1.4),
            "bell_fraction": st.floats(0, 1),
        }
    ),
}
EXAMPLES = {  # a module that no strategy names brings its own
    module: plugins.module("degradations", {"name": module}).EXAMPLES
    for module in set(plugins.names("degradations")) - {name.split(":")[0] for name in SETTINGS}
}
SETTINGS |= {module: st.sampled_from(examples) for module, examples in EXAMPLES.items()}
THIN = st.builds(
    lambda increment, start: Grid(
        48, increment, 1.25, (5, 3), (0.7, 0.7), start, (9.0, -4.0, 2.0), TILTED
    ),
    st.floats(0.4, 1.6),
    st.floats(-200, 200),
)
DRAWN = st.sampled_from(sorted(SETTINGS)).flatmap(
    lambda name: st.tuples(st.just(name), SETTINGS[name])
)


def of(name: str, chosen: dict):
    return plugins.build("degradations", {"name": name.split(":")[0], "settings": chosen})


def reach_mm(degradation, increment_mm: float) -> float:
    """How far from its centre a thick slice looks."""
    if hasattr(degradation, "profile"):
        return degradation.profile.support_mm
    if isinstance(degradation, imresize.Imresize):
        return 2 * degradation.through_plane * increment_mm
    return getattr(degradation, "thickness_mm", 0.0) / 2


def test_every_module_is_under_this_contract():
    assert set(plugins.names("degradations")) == {name.split(":")[0] for name in SETTINGS}
    shapes = {name.split(":")[1] for name in SETTINGS if name.startswith("profile:")}
    assert shapes == set(profile.SHAPES)


@settings(deadline=None, max_examples=200)
@given(drawn=DRAWN, thin=THIN)
def test_positions_constants_and_frame_are_kept(drawn, thin):
    degradation = of(*drawn)
    thick = degradation.thick_grid(thin)
    weights = degradation.matrix(thin, thick)
    assert weights.shape == (thick.n, thin.n)
    assert np.abs(weights.sum(1) - 1).max() < 1e-12
    z, centres, reach = (
        thin.centres_mm(),
        thick.centres_mm(),
        reach_mm(degradation, thin.increment_mm),
    )
    half = thin.increment_mm / 2
    whole = (centres - reach >= z[0] - half) & (centres + reach <= z[-1] + half)
    assert np.abs(weights @ z - centres)[whole].max(initial=0) < 1e-9
    assert (thick.direction, thick.origin_mm) == (thin.direction, thin.origin_mm)
    assert (thick.shape, thick.pixel_mm) == (thin.shape, thin.pixel_mm)


@settings(deadline=None, max_examples=200)
@given(drawn=DRAWN, thin=THIN)
def test_thick_slices_lie_on_the_scan(drawn, thin):
    thick = of(*drawn).thick_grid(thin)
    first, last = thick.centres_mm()[[0, -1]]
    half = max(thin.thickness_mm, thin.increment_mm) / 2
    assert first >= thin.centres_mm()[0] - 1e-6
    assert last <= thin.centres_mm()[-1] + 1e-5
    half *= drawn[1].get("through_plane", 1)  # its thick slices overlap as much as thin ones do
    if drawn[1].get("phase_mm") is None:
        assert first - thick.thickness_mm / 2 >= thin.centres_mm()[0] - half - 1e-5
        assert last + thick.thickness_mm / 2 <= thin.centres_mm()[-1] + half + 1e-5


@pytest.mark.parametrize("name", sorted(SETTINGS))
def test_slab_by_slab_equals_whole_and_a_constant_stays(name):
    thin = Grid(48, 0.8, 1.25, (5, 3), (0.7, 0.7))
    taps = {"taps": [0.2, 0.5, 0.3], "spacing_mm": 1.1, "increment_mm": 2.3}
    chosen = {
        "profile:measured": {"shape": "measured", **taps},
        "sparse": {"increment_mm": 2.3},
        "imresize": {"through_plane": 3},
        "overlap:exact": {"thickness_mm": 3.0, "overlap_mm": 1.0},
        "overlap:anchored": {"spacing": "anchored", "thickness_mm": 3.0, "overlap_mm": 1.0},
        **{module: examples[0] for module, examples in EXAMPLES.items()},
    }.get(name, {"shape": name.split(":")[-1], "thickness_mm": 3.1, "increment_mm": 2.3})
    degradation = of(name, chosen)
    weights = degradation.matrix(thin, degradation.thick_grid(thin))
    noise = np.random.default_rng(0).normal(size=thin.zyx).astype(np.float32)
    whole = np.einsum("kz,zyx->kyx", weights.toarray(), noise)
    assert np.abs(projection.apply(weights, Volume(noise, thin), slab=2) - whole).max() < 1e-6
    level = np.full(thin.zyx, -876.0, np.float32)
    assert np.abs(projection.apply(weights, level) + 876).max() < 1e-3


@pytest.mark.parametrize("name", sorted(SETTINGS))
def test_an_unknown_setting_is_refused_by_name(name):
    with pytest.raises(TypeError, match="thikness"):
        of(name, {"thikness": 3})


def scan(n: int, increment_mm: float) -> Grid:
    return Grid(n, increment_mm, increment_mm, (1, 1), (1.0, 1.0))


def edge_response(degradation, thin: Grid, edge_mm: float) -> tuple[np.ndarray, np.ndarray]:
    thick = degradation.thick_grid(thin)
    above = (thin.centres_mm() > edge_mm).astype(float)
    return thick.centres_mm() - edge_mm, degradation.matrix(thin, thick) @ above


def test_edges_in_closed_form():
    fine = scan(1500, 0.02)
    zs = dict(thickness_mm=3.3, increment_mm=1.7, phase_mm=4.1)
    z, seen = edge_response(profile.build(shape="box", **zs), fine, 15.01)
    assert np.abs(seen - np.clip(z / 3.3 + 0.5, 0, 1)).max() < 4e-3
    z, seen = edge_response(profile.build(shape="gaussian", **zs), fine, 15.01)
    assert np.abs(seen - profiles.gaussian(3.3).cdf(z)).max() < 4e-3
    z, seen = edge_response(
        profile.build(shape="trapezoid_bell", **zs, width_factor=1.2, bell_fraction=0.3),
        fine,
        15.01,
    )
    assert np.abs(seen - profiles.scanner_profile(3.3, 1.2, 0.3).cdf(z)).max() < 4e-3


def test_first_slice_begins_where_the_scan_does_and_phase_zero_stays_within_centres():
    snug = profile.build(shape="box", thickness_mm=5, increment_mm=5).thick_grid(scan(80, 1.0))
    assert (snug.start_mm, snug.n) == (2.0, 16)
    flush = profile.build(shape="box", thickness_mm=5, increment_mm=5, phase_mm=0).thick_grid(
        scan(76, 1.0)
    )
    assert (flush.start_mm, flush.n, flush.centres_mm()[-1]) == (0.0, 16, 75.0)


def test_sparse_keeps_slices_as_they_are_and_as_thin():
    kept = sparse.build(increment_mm=5)
    thin = Grid(21, 1.0, 1.25, (1, 1), (1.0, 1.0))
    thick = kept.thick_grid(thin)
    assert (thick.n, thick.thickness_mm) == (5, 1.25)
    assert np.array_equal(kept.matrix(thin, thick).toarray(), np.eye(21)[::5])


def test_whole_slices_are_kept_where_the_increment_is_nearly_a_multiple():
    kept = sparse.build(increment_mm=5, phase_mm=1, whole_slices=True)
    thin = Grid(22, 1.0087, 1.25, (1, 1), (1.0, 1.0), start_mm=-3.0)
    thick = kept.thick_grid(thin)
    assert thick.increment_mm == pytest.approx(5 * 1.0087)
    assert np.array_equal(kept.matrix(thin, thick).toarray(), np.eye(22)[1::5])
    assert (sparse.build(increment_mm=0.2, whole_slices=True).thick_grid(thin).n) == 22


def test_thickness_stated_is_the_fwhm():
    thin = scan(80, 1.0)
    wide = profile.build(
        shape="trapezoid_bell", thickness_mm=5, increment_mm=5, width_factor=1.2, bell_fraction=1
    )
    assert wide.thick_grid(thin).thickness_mm == pytest.approx(6.0)
    taps = profile.build(shape="measured", taps=[0.25, 0.5, 0.25], spacing_mm=1.5, increment_mm=3)
    assert taps.thick_grid(thin).thickness_mm == pytest.approx(3.0)


def test_overlap_has_the_spacing_asked_for_and_averages_over_the_thickness():
    thin = scan(100, 0.7421875)
    paper = overlap.build(thickness_mm=3, overlap_mm=1)
    thick = paper.thick_grid(thin)
    assert (thick.increment_mm, thick.overlap_mm) == (2.0, 1.0)
    assert thick.start_mm == pytest.approx((3 - 0.7421875) / 2)
    plain = overlap.build(thickness_mm=9, overlap_mm=0)
    weights = plain.matrix(scan(30, 1.0), plain.thick_grid(scan(30, 1.0))).toarray()
    assert weights[0, :9] == pytest.approx(np.full(9, 1 / 9))


@pytest.mark.parametrize("call", range(7))
def test_overlap_released_equals_the_authors_function(call):
    golden = np.load(FIXTURE)
    r, o, R, O, back = golden["calls"][call]  # noqa: E741 - the paper's letters
    thin = Grid(64, r - o, r, (3, 1), (1.0, 1.0))
    released = overlap.build(spacing="anchored", thickness_mm=R, overlap_mm=O)
    thick = released.thick_grid(thin)
    made = released.matrix(thin, thick) @ golden["image"]
    if back:  # their "keep_dim": linear back onto the first centres
        made = (
            overlap.build(spacing="anchored", thickness_mm=r, overlap_mm=0).matrix(thick, thin)
            @ made
        )
    assert np.abs(made.clip(*golden["low_high"]) - golden[f"out_{call}"]).max() < 1e-12


def test_scans_too_short_and_impossible_settings_are_refused():
    for shape in ("box", "gaussian"):
        with pytest.raises(ValueError, match="no slice of 5 mm fits"):
            profile.build(shape=shape, thickness_mm=5, increment_mm=5).thick_grid(scan(4, 1.0))
    with pytest.raises(ValueError, match="first thin centre"):
        profile.build(shape="box", thickness_mm=5, increment_mm=5, phase_mm=-1).thick_grid(
            scan(40, 1.0)
        )
    with pytest.raises(ValueError, match="overlap"):
        overlap.build(thickness_mm=3, overlap_mm=3)
    with pytest.raises(ValueError, match="overlap"):
        overlap.build(spacing="anchored", thickness_mm=3, overlap_mm=-1)


@pytest.mark.parametrize(
    ("name", "chosen", "wrong"),
    [
        ("profile", {"shape": "bell", "increment_mm": 3}, "'bell' is none of box, gaussian"),
        ("profile", {"shape": "box", "increment_mm": 3, "ramp_mm": 1}, "ramp_mm"),
        ("profile", {"shape": "box", "increment_mm": 3}, "thickness_mm"),
        ("profile", {"shape": "measured", "increment_mm": 3, "thickness_mm": 3}, "thickness_mm"),
        ("overlap", {"thickness_mm": 3, "overlap_mm": 1, "spacing": "even"}, "'even' is none of"),
    ],
)
def test_an_unknown_variant_and_a_setting_of_another_are_refused_by_name(name, chosen, wrong):
    with pytest.raises((TypeError, ValueError), match=wrong):
        of(name, chosen)


@pytest.mark.parametrize(
    ("settings", "wrong"),
    [({}, "without thickness_mm"), ({"thickness_mm": 5.0, "taps": [1.0]}, "with taps")],
)
def test_a_setting_that_is_missing_or_of_another_shape_is_named(settings, wrong):
    with pytest.raises(TypeError, match=f"shape 'box' takes thickness_mm; .*{wrong}"):
        profile.build(shape="box", increment_mm=5.0, **settings)
