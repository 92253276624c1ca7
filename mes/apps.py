"""What Django is told about mes."""

from django.apps import AppConfig


class MesConfig(AppConfig):
    name = "mes"
    default_auto_field = "django.db.models.BigAutoField"
