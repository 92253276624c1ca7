"""What Django is told about batches."""

from django.apps import AppConfig


class BatchesConfig(AppConfig):
    name = "batches"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Hang the folders of this app into the door and the common pages."""
        from batches.dossier import wiring as dossier
        from batches.execution import wiring as execution

        execution.register()
        dossier.register()
