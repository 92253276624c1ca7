"""The one error of this package."""


class Stopped(Exception):
    """A command cannot go on; the sentence says why and what to do."""
