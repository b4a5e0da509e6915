"""Style sheets and scripts of the page, as they go into it: files of their own, put in whole."""

from pathlib import Path

FOLDER = Path(__file__).parent / "assets"
STYLES = ("page.css", "tables.css", "viewer.css", "print.css")
SCRIPTS = (
    "copy.js",
    "menu.js",
    "rows.js",
    "tables.js",
    "filters.js",
    "panel.js",
    "tips.js",
    "volumes.js",
    "planes.js",
    "viewer.js",
)
POLICY = (
    "default-src 'none'; img-src data: blob:; style-src 'unsafe-inline'; "
    "script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
)


def head() -> str:
    """The style sheets, and the policy that lets the page load nothing from anywhere."""
    styles = "\n".join(_read(name) for name in STYLES)
    policy = f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
    return f"{policy}\n<style>\n{styles}</style>"


def scripts() -> str:
    """Every script in an element of its own: an error in one leaves the others running."""
    return "\n".join(f"<script>\n{_read(name)}</script>" for name in SCRIPTS)


def _read(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")
