"""The second person where an identifier was typed, with their own secrets (decision 10)."""

from __future__ import annotations

from typing import ClassVar

from batches.lots.models import Container, Donation
from batches.lots.queries import typed_subject
from mes.people import second_factor
from mes.records.actors import Actor
from mes.records.context import site_context
from mes.signatures import ceremony
from mes.web.pages import Page


def prove(by: Actor, record: Container | Donation, scanned: str, who: str, secret: str, code: str) -> ceremony.Proof | None:
    """The second person's full ceremony for exactly the identifier that was typed; None where nobody stands beside."""
    if not who.strip():
        return None
    with site_context(by.site_id, writable=True):
        intent = ceremony.prepare(by, typed_subject(record, scanned), "typed_identifier")
    return ceremony.authenticate(by=by, intent_id=intent.pk, username=who, secret=secret, code=code)


class ReadByTwoPage(Page):
    """A page with fields for a second reader, shown once an identifier turned out to be typed (templates/batches/lots/_second_reader.html)."""

    secret_fields: ClassVar[frozenset[str]] = Page.secret_fields | {"second_secret", "second_code", "code", "intent"}

    @property
    def asks_second_reader(self) -> str:
        """Empty where nobody is asked for; "and code" where the second person proves a second factor beside the PIN."""
        if not self.typed.get("second_who") and (self.refusal is None or self.refusal.code != "typed_alone"):
            return ""
        return "and code" if second_factor.is_asked_of_others(self.by) else "PIN"

    def second_reader(self, record: Container | Donation, scanned: str) -> ceremony.Proof | None:
        given = self.request.POST
        return prove(self.by, record, scanned, given.get("second_who", ""), given.get("second_secret", ""), given.get("second_code", ""))
