"""Master recipes and their versions: the text as written, approved by signature, effective from a time."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from batches.recipes.states import RECIPE_VERSION
from mes.records.models import Record


class MasterRecipe(Record):
    """A master recipe of a product (ISA-88); its versions hold the content."""

    stream_kind = "recipe"
    master_data = True

    code = models.CharField(max_length=60, unique=True)
    name = models.CharField(max_length=200)
    product = models.CharField(max_length=60)

    @property
    def product_name(self) -> str:
        """What people call the product: a recipe's name says it first, then how it is made."""
        return self.name.partition(",")[0]

    def __str__(self) -> str:
        return self.name


class RecipeVersion(Record):
    """One version as text (YAML). `digest` is the SHA-256 of the text; a lot keeps the version it started with."""

    stream_kind = "recipe"
    stream_field = "master_id"
    master_data = True
    states = RECIPE_VERSION

    master = models.ForeignKey(MasterRecipe, on_delete=models.PROTECT, related_name="versions")
    label = models.CharField(max_length=30)
    text = models.TextField()
    digest = models.CharField(max_length=64)
    state = models.CharField(max_length=20, default="draft")
    author = models.ForeignKey("mes.User", on_delete=models.PROTECT, related_name="+")
    effective_from = models.DateTimeField(null=True)
    demo = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["master", "label"], name="recipe_version_one_label"),
            models.UniqueConstraint(
                fields=["master"], condition=Q(state="effective"), name="recipe_version_one_effective"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.master_id} {self.label}"

    @property
    def training_subject(self) -> str:
        """What a person is trained for, as people.Qualification names it."""
        return f"recipe_version:{self.pk}"
