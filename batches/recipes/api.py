"""Master recipes over the API."""

from __future__ import annotations

from rest_framework import serializers

from batches.permissions import Permission
from batches.recipes import queries, services
from batches.recipes.models import RecipeVersion
from mes.api.views import ServiceView
from mes.signatures.api import SigningView


class VersionOut(serializers.ModelSerializer):
    """One version of a master recipe."""

    recipe = serializers.CharField(source="master.code")
    name = serializers.CharField(source="master.name")
    product = serializers.CharField(source="master.product")
    author = serializers.CharField(source="author.full_name")

    class Meta:
        model = RecipeVersion
        fields = ("id", "recipe", "name", "product", "label", "state", "digest", "author", "effective_from", "demo", "version")


class VersionTextOut(VersionOut):
    class Meta(VersionOut.Meta):
        fields = (*VersionOut.Meta.fields, "text")


class RecipeIn(serializers.Serializer):
    text = serializers.CharField(max_length=2_000_000, trim_whitespace=False, help_text="The recipe as YAML text.")


class SeenIn(serializers.Serializer):
    seen = serializers.IntegerField(help_text="Version of the record that was read.")


class ReturnIn(SeenIn):
    reason = serializers.CharField(max_length=2000)


class RecipesView(ServiceView):
    """Master recipes and their versions."""

    permissions = {"GET": Permission.READ_LOTS, "POST": Permission.AUTHOR_RECIPES}
    asks = {"POST": RecipeIn}
    answers = {"GET": VersionOut(many=True), "POST": VersionOut}

    def get(self, request):
        """Every version, by recipe, newest first."""
        return self.reply([version for master in queries.masters() for version in master["versions"]])

    def post(self, request):
        """Import a recipe as a draft. What is wrong with the text is told with line, column and field."""
        version = services.import_recipe(by=self.actor, text=self.read()["text"])
        with self.reading():
            return self.reply(queries.version_by_id(version.pk))


class RecipeView(ServiceView):
    """One version of a master recipe."""

    permission = Permission.READ_LOTS
    answers = {"GET": VersionTextOut}

    def get(self, request, code: str, label: str):
        """The version with its text."""
        return self.reply(queries.version_named(code, label))


class VersionAct(ServiceView):
    """Base of an act on a version."""

    created = False
    permissions = {"POST": Permission.AUTHOR_RECIPES}
    asks = {"POST": SeenIn}
    answers = {"POST": VersionOut}

    def post(self, request, code: str, label: str):
        """Do it, and answer with the version as it is then."""
        given = self.read()
        with self.reading():
            version = queries.version_named(code, label)
        self.act(version, given)
        with self.reading():
            return self.reply(queries.version_by_id(version.pk))

    def act(self, version: RecipeVersion, given: dict) -> None:
        raise NotImplementedError


class SubmitView(VersionAct):
    """Submit a draft for approval."""

    def act(self, version: RecipeVersion, given: dict) -> None:
        services.submit_recipe(by=self.actor, version_id=version.pk, **given)


class ReturnView(VersionAct):
    """Give a version back to its author."""

    permissions = {"POST": Permission.APPROVE_RECIPES}
    asks = {"POST": ReturnIn}

    def act(self, version: RecipeVersion, given: dict) -> None:
        services.return_recipe(by=self.actor, version_id=version.pk, **given)


class EffectiveView(VersionAct):
    """Let an approved version take effect."""

    permissions = {"POST": Permission.APPROVE_RECIPES}

    def act(self, version: RecipeVersion, given: dict) -> None:
        services.make_effective(by=self.actor, version_id=version.pk, **given)


class ApproveSign(SigningView):
    """Approve a version by signature."""

    permission, meaning = Permission.APPROVE_RECIPES, "approved"

    def what(self, code: str, label: str):
        return queries.subject_of(queries.version_named(code, label))

    def sign(self, proof, code: str, label: str):
        with self.reading():
            version = queries.version_named(code, label)
        return services.approve_recipe(by=self.actor, version_id=version.pk, seen=version.version, proof=proof)
