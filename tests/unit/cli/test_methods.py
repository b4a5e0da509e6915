"""``thinslice methods`` and ``thinslice weights``: what there is, and what each of them needs."""

import json

import numpy as np
import pytest

from support.restore import CARD
from thinslice import plugins
from thinslice.cli import main
from thinslice.restoration import catalogue, methods
from thinslice.training import weights as files_of_weights
from thinslice.training.fitted_on import of_scans

FITS = {"none", "volume", "population"}


def listed(capsys, *words):
    assert main([*map(str, words), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_every_method_and_preset_is_listed_with_what_it_needs(capsys):
    found = {one["name"]: one for one in listed(capsys, "methods")}
    assert set(found) == {*plugins.names("methods"), *methods.presets()}
    assert {one["fit"] for one in found.values()} == FITS
    assert [name for name, one in found.items() if one["default"]] == [methods.DEFAULT]
    for one in found.values():
        assert (one["parameters"] == 0) == (one["fit"] == "none")
        assert one["licence"].startswith("Apache-2.0")
    assert [name for name, one in found.items() if one["second"]] == ["zeng_mcsr"]
    main(["methods"])
    printed = capsys.readouterr().out
    assert all(name in printed for name in found)


def test_the_packages_catalogue_says_what_the_methods_say():
    """``python -m thinslice.restoration.catalogue`` writes it anew; one's own need not be in it."""
    content = json.loads(catalogue.LISTED.read_text(encoding="utf-8"))
    known = methods.known()
    assert content == {name: catalogue.built(known[name])._asdict() for name in content}
    assert methods.DEFAULT in content


def test_methods_that_take_an_option_are_named_where_another_does_not():
    words = "linear has no choice of engine: leave it out, or use one that has: .*tvsrn, "
    with pytest.raises(ValueError, match=words) as refusal:
        methods.choose("linear", engine="openvino")
    assert "i3net" not in str(refusal.value)
    with pytest.raises(ValueError, match=r"precision: leave it out, .*edsr_planes.*plane_unet"):
        methods.choose("linear", precision="fp32")
    with pytest.raises(ValueError, match=r"precision or engine: leave it out, .*: tvsrn, "):
        methods.choose("linear", precision="fp32", engine="torch")


def test_a_method_beside_the_catalogue_is_built(monkeypatch, tmp_path):
    monkeypatch.setattr(catalogue, "LISTED", tmp_path / "none.json")
    monkeypatch.setattr(methods, "known", lambda: {"cubic": methods.presets()["cubic"]})
    (entry,) = catalogue.entries()
    assert (entry.name, entry.fit, entry.parameters) == ("cubic", "none", 0)


def test_the_default_brings_its_weights_and_another_needs_none():
    chosen = methods.choose()
    assert (chosen.card["name"], chosen.weights) == (methods.DEFAULT, methods.PACKAGED)
    assert chosen.method.parameters() < 600_000
    assert chosen.fitted_on["thickness_mm"][0] < 2
    assert methods.choose(methods.DEFAULT).weights == methods.PACKAGED
    assert methods.choose(methods.ALONE).fit == "volume"


def test_missing_weights_of_the_default_are_refused_with_a_way_out(monkeypatch, tmp_path):
    monkeypatch.setattr(methods, "PACKAGED", tmp_path / methods.PACKAGED.name)
    for name in (None, methods.DEFAULT):
        with pytest.raises(ValueError, match=f"{methods.PACKAGED.name}.*--method {methods.ALONE}"):
            methods.choose(name)
    assert methods.choose(methods.ALONE).weights is None


def test_weights_say_what_they_are(capsys, weights):
    found = listed(capsys, "weights", "info", weights)
    assert (found["method"], found["module"]) == (CARD["name"], CARD["module"])
    assert found["settings"] == CARD["settings"]
    assert found["fitted_on"]["thickness_mm"] == [5.0, 5.0]
    assert found["train"] == ["a"]
    assert found["parameters"] > 0
    assert len(found["sha256"]) == 64
    assert main(["weights", "info", str(weights)]) == 0
    assert "thickness_mm 5" in capsys.readouterr().out


def test_what_is_no_weights_file_is_one_line(capsys, tmp_path, weights):
    (tmp_path / "text.pt").write_text("no")
    (tmp_path / "torn.pt").write_bytes(weights.read_bytes()[:-200])
    damaged = bytearray(weights.read_bytes())
    with np.load(weights) as file:  # a byte of a tensor: those of a zip's clock mean nothing
        damaged[damaged.index(file["tail.weight"].tobytes())] ^= 1
    (tmp_path / "damaged.pt").write_bytes(bytes(damaged))
    network = plugins.build("methods", {"name": "edsr_planes"}).net
    nameless = {"method": "edsr_planes", "network": {}, "about": {}}
    files_of_weights.save(tmp_path / "nameless.pt", network, **nameless)
    other = {**nameless, "about": {"card": CARD, "fitted_on": of_scans([])}}
    files_of_weights.save(tmp_path / "other.pt", network, **other)
    for name in ("text", "torn", "damaged", "nameless", "other", "none"):
        assert main(["weights", "info", str(tmp_path / f"{name}.pt")]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert f"{name}.pt" in line
