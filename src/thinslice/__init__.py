"""thinslice: thin-slice CT from thick-slice CT, measured and auditable."""

__version__ = "0.1.0"
