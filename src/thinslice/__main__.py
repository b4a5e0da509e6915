"""``python -m thinslice``: the same as the ``thinslice`` command."""

import sys

from thinslice.cli import main

sys.exit(main())
