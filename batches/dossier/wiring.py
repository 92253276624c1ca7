"""What the dossier hangs onto at start: how each table is worded in a printed trail."""

from batches.dossier.queries import wording


def register() -> None:
    wording.register()
