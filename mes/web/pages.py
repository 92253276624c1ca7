"""The kit of pages. A page reads inside one site context and draws inside the same one; a post runs services outside it.

    class LotPage(Page):
        permission, template_name, title = Permission.READ_LOTS, "batches/lots/detail.html", "Lot"

        def read(self, lot_id):                      # inside site_context, returns the template's context
            return {"lot": queries.lot(lot_id)}

        def post(self, request, lot_id):             # outside any context
            self.do(services.hold_lot, lot_id=lot_id, reason=self.typed["reason"])
            return self.done("batches:lots:detail", lot_id=lot_id)

A rule that is broken in post() shows the same page again with its sentence and what was typed.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, ClassVar

from django.contrib import messages
from django.db import OperationalError
from django.http import HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString
from django.views import View
from django_htmx.http import HttpResponseClientRedirect

from mes import acts
from mes.errors import NotAllowed, RuleBroken
from mes.records.actors import Actor
from mes.records.context import site_context
from mes.records.door import record_refusal
from mes.web import once, problems
from mes.web.panels import Rights


class Page(View):
    """A page for a signed-in person. Missing rights answer 403 with a sentence and leave a security event.

    Context of its template: what read() returns, `typed` (what was posted, without secrets), `refusal`
    (code, sentence, first, rest, field), `once_field` (put it into forms that make a record), `page_title`.
    """

    http_method_names: ClassVar[list[str]] = ["get", "post", "head", "options"]

    open_to_all: ClassVar[bool] = False
    """Whether somebody who is not signed in may open it; then `self.by` may be None and read() has no site."""
    permission: ClassVar[Rights] = None
    """The right to open it, or several of which one is enough. None: everybody who is signed in."""
    template_name: ClassVar[str] = ""
    fragment_name: ClassVar[str] = ""
    """The template of the answer to htmx, when it is another one."""
    title: ClassVar[str] = ""
    secret_fields: ClassVar[frozenset[str]] = frozenset({"secret", "password", "pin", "csrfmiddlewaretoken", "once"})
    """Posted fields that are never shown again."""

    refusal: problems.Refusal | None = None

    # --- to be overridden ---------------------------------------------------------------------------------------------

    def read(self, **kwargs: Any) -> dict:
        """What the template shows. Called inside the site context; reads only."""
        return {}

    def get(self, request, **kwargs) -> HttpResponse:
        return self.show()

    # --- for subclasses -----------------------------------------------------------------------------------------------

    @property
    def by(self) -> Actor | None:
        """Who acts, at which site and station."""
        return self.request.actor

    @property
    def typed(self) -> dict[str, str]:
        """What was posted, field by field, without secrets; empty for a GET."""
        return {name: value for name, value in self.request.POST.items() if name not in self.secret_fields}

    def do(self, service: Callable, **arguments: Any):
        """Run a service as the person of this page, outside any read context; returns its result."""
        return service(by=self.by, **arguments)

    def show(self, status: int = 200, **extra: Any) -> HttpResponse:
        """The page: read() and drawing in one site context."""
        if self.by is None:
            return self.draw(self.read(**self.kwargs) | extra, status)
        try:
            with self.reading():
                return self.draw(self.read(**self.kwargs) | extra, status)
        except RuleBroken as broken:
            # Reading runs no service, so no door has written this refusal yet.
            if broken.security:
                record_refusal(self.by, broken, acts.opening(type(self)))
            raise

    def reading(self) -> AbstractContextManager[None]:
        """The site context in which the page is read and drawn; a page that binds signing intents to what it shows opens it writable."""
        return site_context(self.by.site_id)

    def draw(self, context: dict, status: int = 200) -> HttpResponse:
        """Draw the template as it is now; call it inside the site context."""
        shared = {"typed": self.typed, "refusal": self.refusal, "once_field": once_field(), "page_title": self.title, "view": self}
        response = HttpResponse(render_to_string(self.template(), shared | context, self.request), status=status)
        if self.refusal is not None:
            response.headers["X-Refusal"] = self.refusal.code  # for scripts: what the sentence on the page is called
        response.headers["Cache-Control"] = "no-store"  # nothing to go back to after signing out at a shared station
        return response

    def template(self) -> str:
        return (self.request.htmx and self.fragment_name) or self.template_name

    def done(self, to: str, **url_arguments: Any) -> HttpResponse:
        """After success: go to an address or a named page (303; for htmx its own redirect)."""
        url = to if to.startswith("/") else reverse(to, kwargs=url_arguments or None)
        if self.request.htmx:
            return HttpResponseClientRedirect(url)
        response = HttpResponseRedirect(url)
        response.status_code = 303
        return response

    def say(self, sentence: str) -> None:
        """A note on the next page."""
        messages.success(self.request, sentence)

    # --- how it works -------------------------------------------------------------------------------------------------

    def dispatch(self, request, *args, **kwargs) -> HttpResponse:
        if not self.open_to_all:
            if self.by is None:
                return problems.to_sign_in(request)
            try:
                self.check_may_open()
            except NotAllowed as refused:
                record_refusal(self.by, refused, acts.opening(type(self)))
                return problems.answer(request, refused)
        try:
            if request.method == "POST" and self.by is not None and request.POST.get("once"):
                return once.run(request, self.by.user_id, lambda: super(Page, self).dispatch(request, *args, **kwargs), self.again)
            return super().dispatch(request, *args, **kwargs)
        except RuleBroken as broken:
            return self.refused(broken)
        except OperationalError as error:
            broken = problems.busy(error)
            if broken is None:
                raise
            return self.refused(broken)

    def check_may_open(self) -> None:
        """Raises NotAllowed when the person holds none of the rights that open this page. 21 CFR 11.10(d)."""
        if self.permission is None:
            return
        needed = {str(self.permission)} if isinstance(self.permission, str) else {str(one) for one in self.permission}
        if needed.isdisjoint(self.request.rights):
            raise NotAllowed(
                "not_your_role",
                f"{self.by.full_name} may not open this page at this site. Somebody whose role allows it can.",
                detail={"permission": sorted(needed)},
            )

    def again(self, address: str) -> HttpResponse:
        """The answer to a second press: where the first one went, or this page."""
        return self.done(address) if address else self.show()

    def refused(self, broken: RuleBroken) -> HttpResponse:
        """The same page with the sentence and what was typed; the problem page where there is none to show."""
        if self.request.method != "POST":
            return problems.answer(self.request, broken)
        self.refusal = problems.Refusal.of(broken)
        try:
            return self.show(status=broken.status)
        except RuleBroken as deeper:
            return problems.answer(self.request, deeper)


class FragmentPage(Page):
    """An island for htmx: a panel, a row, a drawer. Asked for without htmx, it stands alone in a whole page."""

    def template(self) -> str:
        return self.template_name if self.request.htmx else "mes/web/fragment.html"

    def draw(self, context: dict, status: int = 200) -> HttpResponse:
        return super().draw({"fragment": self.template_name, **context}, status)


def once_field() -> SafeString:
    """The hidden field with which two presses of a form make one record."""
    return SafeString(f'<input type="hidden" name="once" value="{once.token()}">')
