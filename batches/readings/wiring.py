"""What readings hang onto at start: a panel on the page of their equipment."""

from batches.permissions import Permission
from mes.web import panels


def register() -> None:
    panels.register_panel("batches:readings:panel", Permission.READ_LOTS, order=100, label="Readings", place="equipment")
