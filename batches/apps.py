"""What Django is told about batches."""

from django.apps import AppConfig


class BatchesConfig(AppConfig):
    name = "batches"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Hang the folders of this app into the door and the common pages."""
        from batches.dossier import wiring as dossier
        from batches.equipment import wiring as equipment
        from batches.execution import wiring as execution
        from batches.lots import wiring as lots
        from batches.materials import wiring as materials
        from batches.readings import wiring as readings
        from batches.recipes import wiring as recipes
        from batches.subjects import wiring as subjects

        for folder in (lots, materials, equipment, readings, subjects):
            folder.register()
        execution.register()
        recipes.register()
        dossier.register()
