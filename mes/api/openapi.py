"""The OpenAPI description, drawn from what each view asks and answers."""

from __future__ import annotations

from django.conf import settings
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter

from mes.api import idempotency
from mes.api.problems import CONTENT_TYPE, Problem

KEY = OpenApiParameter(
    idempotency.HEADER,
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    required=True,
    description="A random text (UUID) that names this one request: sent again with the same body it changes nothing.",
)


class DeviceToken(OpenApiAuthenticationExtension):
    """The token of a device."""

    target_class = "mes.people.device_auth.DeviceTokenAuthentication"
    name = "device"

    def get_security_definition(self, auto_schema) -> dict:
        return {"type": "http", "scheme": "bearer", "description": "A device's token, ctd_… It never signs."}


class Cookie(OpenApiAuthenticationExtension):
    """The session of a person."""

    target_class = "mes.api.authentication.CookieAuthentication"
    name = "session"

    def get_security_definition(self, auto_schema) -> dict:
        return {
            "type": "apiKey",
            "in": "cookie",
            "name": settings.SESSION_COOKIE_NAME,
            "description": "A person's session; changes also need the header X-CSRFToken.",
        }


def _is_many(shape) -> bool:
    return bool(getattr(shape, "many", False)) or type(shape).__name__.endswith("Page")


class ServiceSchema(AutoSchema):
    """Reads `asks` and `answers` of a ServiceView; adds the key of each POST and the shape of a refusal."""

    def get_override_parameters(self):
        if self.method == "POST" and not getattr(self.view, "keyless", False):
            return [KEY]
        return list(getattr(self.view, "parameters", {}).get(self.method, ()))

    def get_request_serializer(self):
        return getattr(self.view, "asks", {}).get(self.method)

    def get_response_serializers(self):
        shape = getattr(self.view, "answers", {}).get(self.method)
        if shape is None:
            return {204: None} if self.method == "DELETE" else {200: OpenApiTypes.OBJECT}
        return {201 if self.method == "POST" and self.view.created else 200: shape}

    def _is_list_view(self, serializer=None) -> bool:
        return False  # a list says so itself: many=True, or a page

    def get_operation_id(self) -> str:
        if self.method == "GET" and _is_many(getattr(self.view, "answers", {}).get("GET")):
            return "_".join([*self._tokenize_path(), "list"]).replace("-", "_")
        return super().get_operation_id()

    def _get_serializer_name(self, serializer, direction, bypass_extensions=False) -> str:
        """With the folder before it: several folders may call a shape LineOut."""
        name = super()._get_serializer_name(serializer, direction, bypass_extensions)
        words = type(getattr(serializer, "child", serializer)).__module__.split(".")
        folder = words[1].title().replace("_", "") if words[0] in {"batches", "quality"} and len(words) > 2 else ""
        return name if name.startswith(folder) else folder + name

    def get_operation(self, path, path_regex, path_prefix, method, registry):
        operation = super().get_operation(path, path_regex, path_prefix, method, registry)
        if operation is not None:
            component = self.resolve_serializer(Problem, "response")
            operation["responses"]["default"] = {
                "description": "Refused: a code and a sentence, the same as on the page.",
                "content": {CONTENT_TYPE: {"schema": component.ref}},
            }
        return operation
