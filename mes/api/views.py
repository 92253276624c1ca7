"""The base of every API view: who calls, may they, one service call or a few queries, an answer in one shape."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import replace
from enum import StrEnum
from typing import Any, ClassVar

from django.http import HttpResponse
from rest_framework.exceptions import NotAuthenticated
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.views import APIView

from mes.api import idempotency
from mes.api.parsing import ExactJSONParser
from mes.errors import Missing
from mes.records.actors import Actor
from mes.records.context import site_context

READS = {"GET", "HEAD", "OPTIONS"}

type_of_serializer = type[BaseSerializer] | BaseSerializer | None


class ServiceView(APIView):
    """Base of API views. A view names what it asks for and answers with; the schema is drawn from the same names.

        class LotDetail(ServiceView):
            permissions = {"GET": Permission.READ_LOTS}     or: permission = Permission.READ_LOTS
            answers = {"GET": LotOut}
            def get(self, request, lot_id): ...

    A read runs inside `site_context`; a write calls one service, outside any context, with `by=request.actor`. A POST
    needs an Idempotency-Key. RuleBroken and every other refusal is answered as a problem (mes/api/problems.py).
    """

    permission: ClassVar[StrEnum | None] = None
    """Asked of the database for every call; None: any person or device that is signed in, the service asks more."""
    permissions: ClassVar[dict[str, StrEnum | None]] = {}
    """The same by method, where methods differ."""
    asks: ClassVar[dict[str, type_of_serializer]] = {}
    """Shape of the body by method."""
    answers: ClassVar[dict[str, type_of_serializer]] = {}
    """Shape of the answer by method."""
    created: ClassVar[bool] = True
    """Whether a POST answers 201; False: 200."""
    secret_fields: ClassVar[tuple[str, ...]] = ()
    """Fields of the body that enter no fingerprint."""
    open_to_anyone: ClassVar[bool] = False
    """True for the few addresses before sign-in; each is listed in the house tests with its reason."""
    keyless: ClassVar[bool] = False
    """True where a POST needs no Idempotency-Key: signing in, which records nothing but the sign-in itself."""

    parser_classes: ClassVar[list] = [ExactJSONParser]

    def dispatch(self, request, *args, **kwargs):
        self.args, self.kwargs = args, kwargs
        self.request = request = self.initialize_request(request, *args, **kwargs)
        self.headers = self.default_response_headers
        try:
            self.initial(request, *args, **kwargs)
            response = self._answer(request)
        except Exception as error:  # every error leaves as a problem; the handler logs what was not foreseen
            response = self.handle_exception(error)
        if isinstance(response, Response):
            response = self.finalize_response(request, response, *args, **kwargs)
        self.response = response
        return response

    def initial(self, request, *args, **kwargs) -> None:
        super().initial(request, *args, **kwargs)
        actor = getattr(request, "actor", None)
        if actor is not None:
            request._request.actor = replace(actor, channel="api")
        elif not self.open_to_anyone:
            raise NotAuthenticated()

    def _answer(self, request: Request):
        handler = getattr(self, request.method.lower(), self.http_method_not_allowed)
        if request.method not in READS:
            if request.method != "POST" or self.keyless or handler == self.http_method_not_allowed:
                return handler(request, *self.args, **self.kwargs)
            return idempotency.once(request, request.actor.user_id, lambda: self._work(handler), leave_out=self.secret_fields)
        if getattr(request, "actor", None) is None:
            return handler(request, *self.args, **self.kwargs)
        with self.reading():
            return handler(request, *self.args, **self.kwargs)

    def _work(self, handler) -> HttpResponse:
        try:
            response = handler(self.request, *self.args, **self.kwargs)
        except Exception as error:
            response = self.handle_exception(error)
        response = self.finalize_response(self.request, response, *self.args, **self.kwargs)
        return response.render() if isinstance(response, Response) else response

    # --- for views ----------------------------------------------------------------------------------------------------

    @property
    def actor(self) -> Actor:
        """Who calls, at which site; channel "api"."""
        return self.request.actor

    def reading(self) -> AbstractContextManager:
        """The read context of the caller's site: for what a write reads afterwards to draw its answer."""
        return site_context(self.actor.site_id)

    def read(self) -> dict[str, Any]:
        """The body in the shape that `asks` names; raises ValidationError, answered as unreadable_input (422)."""
        shape = self.asks[self.request.method]
        serializer = shape(data=self.request.data, context={"request": self.request})
        serializer.is_valid(raise_exception=True)
        return serializer.validated_data

    def reply(self, row: Any, *, status: int | None = None, location: str = "") -> Response:
        """The answer in the shape that `answers` names. Call it inside `reading()` when drawing it reads guarded rows."""
        shape = self.answers[self.request.method]
        many = getattr(shape, "many", False)
        shape = getattr(shape, "child", shape) if many else shape
        shape = shape if isinstance(shape, type) else type(shape)
        data = shape(row, many=many, context={"request": self.request}).data
        usual = 201 if self.request.method == "POST" and self.created else 200
        return Response(data, status=status or usual, headers={"Location": location} if location else None)

    def asked_permission(self, method: str) -> StrEnum | None:
        """The permission that a method needs."""
        return self.permissions.get("GET" if method == "HEAD" else method, self.permission)


class UploadView(ServiceView):
    """A view whose POST carries a file (multipart/form-data)."""

    parser_classes: ClassVar[list] = [MultiPartParser, ExactJSONParser]


class NoSuchAddress(ServiceView):
    """Every address below /api/v1/ that is none."""

    open_to_anyone = True
    schema = None

    def initial(self, request, *args, **kwargs) -> None:
        super().initial(request, *args, **kwargs)
        raise Missing("no_such_address", "There is no such address. /api/v1/docs/ lists them all.")
