"""thinslice: thin-slice CT from thick-slice CT, measured and auditable.

For scripts of three lines: ``from thinslice import read, restore, write`` (see ``restoring``).
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from thinslice.io.files import read as read
    from thinslice.restoration.restore import restore as restore
    from thinslice.restoration.thicken import thicken as thicken
    from thinslice.restoration.writing import write as write

__version__ = "0.1.0"
# Looked up when first asked for: importing the package loads nothing, and ties nothing together.
_FROM = {
    "read": "thinslice.io.files",
    "restore": "thinslice.restoration.restore",
    "thicken": "thinslice.restoration.thicken",
    "write": "thinslice.restoration.writing",
}


def __getattr__(name: str) -> Any:
    if name not in _FROM:
        raise AttributeError(f"module 'thinslice' has no attribute {name!r}")
    return getattr(import_module(_FROM[name]), name)
