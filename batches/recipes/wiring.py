"""Where recipes show in the common pages."""

from batches.permissions import Permission
from mes.web.panels import register_nav


def register() -> None:
    register_nav("Masters", "batches:recipes:list", (Permission.AUTHOR_RECIPES, Permission.APPROVE_RECIPES), order=590)
