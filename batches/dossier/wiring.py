"""What the dossier hangs onto at start: how each table is worded, and the words of a lot, for the trail on the screen and in print."""

from batches.dossier.queries import wording
from batches.dossier.queries.words import lot_words
from mes.audit import wordings


def register() -> None:
    wording.register()
    wordings.speak_with(lot_words)
