"""Where recipes show in the common pages."""

import uuid
from collections.abc import Iterator

from batches.permissions import Permission
from batches.recipes.models import MasterRecipe, RecipeVersion
from mes.audit import streams
from mes.people import choices
from mes.web.panels import register_nav


def training() -> Iterator[tuple[str, str]]:
    """The recipe versions people can be trained for: approved ones, before they take effect, and effective ones."""
    for version in RecipeVersion.objects.filter(state__in=["approved", "effective"]).select_related("master").order_by("master__code", "-recorded_at"):
        yield version.training_subject, f"{version.master.code}, version {version.label}"


def codes(ids: set[uuid.UUID]) -> dict[uuid.UUID, str]:
    return dict(MasterRecipe.objects.filter(pk__in=ids).values_list("pk", "code"))


def register() -> None:
    streams.name_with("recipe", codes)
    register_nav("Masters", "batches:recipes:list", (Permission.AUTHOR_RECIPES, Permission.APPROVE_RECIPES), order=590)
    choices.offer_training(training)
