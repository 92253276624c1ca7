"""Every refusal of the API as one shape: `application/problem+json` (RFC 9457), with the codes and sentences of the pages."""

from __future__ import annotations

import logging

import psycopg.errors
from django.core.exceptions import PermissionDenied
from django.core.signals import got_request_exception
from django.db import OperationalError
from django.http import Http404
from rest_framework import exceptions, serializers
from rest_framework.response import Response

from mes.errors import RuleBroken

log = logging.getLogger("cartulary.api")

CONTENT_TYPE = "application/problem+json"

#: Code and sentence for each of the framework's own refusals; "" keeps the framework's sentence.
FRAMEWORK = (
    (exceptions.ParseError, "unreadable_body", "The body is not what its Content-Type says. Send well-formed JSON."),
    (exceptions.NotAuthenticated, "not_signed_in", "Nobody is signed in. Sign in, or send a device token."),
    (exceptions.AuthenticationFailed, "not_signed_in", ""),
    (exceptions.NotFound, "not_found", "There is no such thing here."),
    (Http404, "not_found", "There is no such thing here."),
    (exceptions.MethodNotAllowed, "method_not_allowed", ""),
    (exceptions.NotAcceptable, "not_acceptable", "This address answers in JSON. Accept application/json."),
    (exceptions.UnsupportedMediaType, "unsupported_media_type", ""),
    (exceptions.Throttled, "too_many_requests", ""),
    (exceptions.PermissionDenied, "not_allowed", ""),
    (PermissionDenied, "not_allowed", "This is not yours to do."),
)

#: Plain sentences for the codes of serializer fields; a code that is not here keeps the field's own words.
FIELD_SENTENCES = {
    "required": "{field} is missing. Give it.",
    "null": "{field} is null. Give a value.",
    "blank": "{field} is empty. Give a value.",
    "empty": "{field} is empty. Give at least one.",
    "invalid": "{field} does not have the asked-for form.",
    "invalid_choice": "{field} is none of the values that are known here.",
    "not_a_list": "{field} is not a list. Give a list.",
    "not_a_dict": "{field} is not an object. Give an object.",
}


class Problem(serializers.Serializer):
    """What a refused request is told (RFC 9457): `code` is stable, `detail` is a sentence for a person."""

    type = serializers.CharField(help_text="Names the kind of problem; the same for the same code.")
    title = serializers.CharField(help_text="The code in plain words.")
    status = serializers.IntegerField(help_text="The HTTP status.")
    detail = serializers.CharField(help_text="The fact, then what to do: the sentence a page shows.")
    code = serializers.CharField(help_text="Stable and machine-readable, the same as on the page.")
    field = serializers.CharField(help_text="The field that is meant, or an empty text.", allow_blank=True)
    instance = serializers.CharField(help_text="The address that was called.")
    errors = serializers.ListField(
        child=serializers.DictField(child=serializers.CharField()),
        required=False,
        help_text="Each field that was refused, with field, code and detail.",
    )


def problem(*, status: int, code: str, detail: str, instance: str, field: str = "", **more) -> Response:
    """A refusal as a response."""
    data = {
        "type": f"urn:cartulary:problem:{code}",
        "title": code.replace("_", " ").capitalize(),
        "status": status,
        "detail": detail,
        "code": code,
        "field": field,
        "instance": instance,
        **more,
    }
    return Response(data, status=status, content_type=CONTENT_TYPE)


def answer_exception(exc: Exception, context: dict) -> Response:
    """The framework's exception handler: nothing leaves the API in another shape, an unforeseen error included."""
    request = context["request"]
    where = request.path
    if isinstance(exc, RuleBroken):
        return problem(status=exc.status, code=exc.code, detail=exc.sentence, field=exc.field, instance=where)
    if isinstance(exc, exceptions.ValidationError):
        return _unreadable(exc, where)
    for kind, code, sentence in FRAMEWORK:
        if isinstance(exc, kind):
            return _framework(exc, code, sentence, where)
    if isinstance(exc, OperationalError) and isinstance(exc.__cause__, psycopg.errors.OperationalError):
        return _busy(exc, where)
    return _unforeseen(exc, request, where)


def _framework(exc: Exception, code: str, sentence: str, where: str) -> Response:
    status = getattr(exc, "status_code", 404 if isinstance(exc, Http404) else 403)
    own = getattr(exc, "default_code", None)
    given = exc.get_codes() if isinstance(exc, exceptions.APIException) else None
    if isinstance(given, str) and given != own:
        code, sentence = given, ""  # raised by our own code with a code and a sentence
    response = problem(status=status, code=code, detail=sentence or str(getattr(exc, "detail", exc)), instance=where)
    if getattr(exc, "auth_header", None):
        response["WWW-Authenticate"] = exc.auth_header
    if getattr(exc, "wait", None):
        response["Retry-After"] = str(int(exc.wait) + 1)
    return response


def _unreadable(exc: exceptions.ValidationError, where: str) -> Response:
    errors = list(_flat(exc.get_full_details()))
    first = errors[0] if errors else {"field": "", "detail": "The input does not have the asked-for form."}
    return problem(status=422, code="unreadable_input", detail=first["detail"], field=first["field"], instance=where, errors=errors)


def _flat(details, field: str = ""):
    """The framework's nested error details as a flat list of field, code, detail; nested fields are joined by a dot."""
    if isinstance(details, dict) and set(details) == {"message", "code"} and not isinstance(details["message"], dict):
        name = field or "The input"
        sentence = FIELD_SENTENCES.get(details["code"])
        words = sentence.format(field=name) if sentence else str(details["message"])
        yield {"field": field, "code": str(details["code"]), "detail": words}
    elif isinstance(details, dict):
        for name, inner in details.items():
            deeper = field if name == "non_field_errors" else f"{field}.{name}" if field else str(name)
            yield from _flat(inner, deeper)
    elif isinstance(details, list):
        several = len(details) > 1 and any(isinstance(one, dict) and "message" not in one for one in details)
        for number, inner in enumerate(details):
            yield from _flat(inner, f"{field}.{number}" if several else field)


def _busy(exc: OperationalError, where: str) -> Response:
    log.warning("database_busy", extra={"path": where, "error": type(exc.__cause__).__name__})
    response = problem(
        status=503,
        code="busy",
        detail="The database could not take this just now. Nothing was recorded. Send it again with the same key.",
        instance=where,
    )
    response["Retry-After"] = "2"
    return response


def _unforeseen(exc: Exception, request, where: str) -> Response:
    got_request_exception.send(sender=answer_exception, request=getattr(request, "_request", request))
    log.error("unforeseen_error", exc_info=exc, extra={"path": where})
    return problem(
        status=500,
        code="server_error",
        detail="Something went wrong here, not with your request. Look at what is recorded before you send it again.",
        instance=where,
    )
