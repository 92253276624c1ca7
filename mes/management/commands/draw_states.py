"""manage.py draw_states: prints the tables of moves as diagrams into docs/states.md."""

from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.core.management import BaseCommand

from mes.records.states import StateTable

PAGE = Path(settings.ROOT) / "docs" / "states.md"

HEAD = """# Where a record may move

Printed from the code by `python3 manage.py draw_states`; a test compares. Each record has one status; a move that its
table does not hold is refused on every save, whoever asks. Who may make a move, and when, is a rule of the deed.
"""


def records_by_table() -> dict[str, tuple[StateTable, list[str]]]:
    """Each table by name, with the labels of the records that follow it."""
    found: dict[str, tuple[StateTable, list[str]]] = {}
    for model in apps.get_models():
        table = getattr(model, "states", None)
        if isinstance(table, StateTable) and getattr(model, "row_kind", "") == "record":
            found.setdefault(table.name, (table, []))[1].append(model._meta.label)
    return dict(sorted(found.items()))


def tables() -> list[StateTable]:
    """Every table of moves that a record follows, by name."""
    return [table for table, _ in records_by_table().values()]


def drawn() -> str:
    """The whole page."""
    parts = [HEAD]
    for name, (table, labels) in records_by_table().items():
        ends = ", ".join(sorted(table.ends())) or "none"
        parts.append(
            f"## {name}\n\n{', '.join(f'`{label}`' for label in sorted(labels))}. First: {table.first}. Ends: {ends}.\n\n```mermaid\n{table.mermaid()}\n```\n"
        )
    return "\n".join(parts)


class Command(BaseCommand):
    help = "Prints the state diagrams into docs/states.md."
    requires_system_checks = ()

    def handle(self, *args, **options):
        PAGE.parent.mkdir(exist_ok=True)
        PAGE.write_text(drawn())
        self.stdout.write(f"{PAGE}: {len(tables())} tables")
