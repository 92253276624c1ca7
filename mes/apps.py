"""What Django is told about mes."""

from django.apps import AppConfig


class MesConfig(AppConfig):
    name = "mes"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from django.apps import apps
        from django.db.models.signals import post_migrate, pre_migrate
        from simple_history.signals import (
            post_create_historical_record,
            pre_create_historical_record,
        )

        from mes import checks  # noqa: F401  (registers the system checks)
        from mes.checkpoints import overdue  # noqa: F401  (the same)
        from mes.records import collector, door, guards
        from mes.tasks import send

        collector.return_all_columns(list(apps.get_models(include_auto_created=True)))
        pre_create_historical_record.connect(collector.before_history_row, dispatch_uid="cartulary.before_history")
        post_create_historical_record.connect(collector.on_history_row, dispatch_uid="cartulary.history")
        pre_migrate.connect(guards.before_migrate, dispatch_uid="cartulary.guards_before")
        post_migrate.connect(guards.after_migrate, dispatch_uid="cartulary.guards")
        door.send_with(send)
        self.hang_in()

    def hang_in(self) -> None:
        """What mes shows on the common pages, and how its streams and scans are understood."""
        from mes.audit import streams
        from mes.inspection import wording
        from mes.people import queries
        from mes.permissions import Permission as P
        from mes.web import panels, scan_targets

        panels.register_nav("People", "mes:people:register", (P.MANAGE_PEOPLE, P.UNLOCK_PEOPLE, P.RECORD_TRAINING, P.READ_AUDIT), order=800)
        panels.register_nav("Audit trail", "mes:inspection:trail", P.READ_AUDIT, order=900)
        panels.register_panel("mes:people:locked", P.UNLOCK_PEOPLE, order=800, label="Locked out")
        panels.register_panel("mes:inspection:refusals", P.READ_AUDIT, order=900, label="Refused attempts")
        streams.name_with("person", queries.names)
        streams.name_with("site", queries.site_names)
        streams.name_with("security", queries.site_names)
        wording.register()
        scan_targets.register(queries.badge_address, order=900)
