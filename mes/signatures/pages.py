"""The page on which something is signed. Every act that is signed derives from SigningPage.

class SignStepPage(SigningPage):
    meaning = "performed"

    def what(self, step_id):        # inside the context: exactly what is signed
        return ceremony.subject(queries.step(step_id), "step/1", content(...))

    def summary(self, step_id):     # inside the same context: how it is shown
        return {"title": "Sign step 14 of", "lot": {...}, "rows": [...], "back_url": ...}

    def sign(self, proof, step_id):  # outside any context: one service call
        return self.do(services.complete_step, step_id=step_id, proof=proof)

    def done_url(self, result, step_id):
        return reverse(...)
"""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.http import HttpResponse, JsonResponse

from mes import acts
from mes.errors import RuleBroken, StaleRecord, UnreadableInput
from mes.passkeys import webauthn
from mes.people import second_factor
from mes.records.context import site_context
from mes.records.door import record_refusal
from mes.signatures import ceremony
from mes.signatures.meanings import Meaning
from mes.signatures.meanings import meaning as meaning_of
from mes.signatures.models import SigningIntent
from mes.web.pages import Page

SECRET_WORDS = {"floor": ("Signing PIN", "pin"), "desk": ("Password", "password"), "certify": ("Password", "password")}


class SigningPage(Page):
    """Shows what is signed and takes both components of whoever signs, who need not be the session's person.

    21 CFR 11.50, 11.70, 11.200(a). What is drawn and what is bound to the intent come from one snapshot of the database.
    """

    template_name = "mes/signatures/sign.html"
    fragment_name = "mes/signatures/_sign.html"
    secret_fields: ClassVar[frozenset[str]] = Page.secret_fields | {"code", "intent", "passkey", "ask_passkey"}

    meaning: ClassVar[str] = ""
    """Code of the meaning (mes.signatures.meanings). Where the address decides it, override meaning_code()."""

    carried: ClassVar[tuple[str, ...]] = ()
    """Names of what was typed on the page before and is part of what is signed. It comes by POST and stays in the form: what people
    write never stands in an address, which servers and browsers keep."""

    # --- to be overridden ---------------------------------------------------------------------------------------------

    def what(self, **kwargs: Any) -> ceremony.Subject:
        """What is signed: a record version and the canonical content of what summary() shows."""
        raise NotImplementedError

    def summary(self, **kwargs: Any) -> dict:
        """What is shown: title, rows [{label, value, unit, state, word, sub}], back_url; and if wanted lot, facts, caption,
        recap_hint, body (path of a template drawn under the rows, may hold further fields), done [{name, at, meaning}],
        notes [{state, title, text}], ok (button), foot, back_label."""
        raise NotImplementedError

    def sign(self, proof: ceremony.Proof, **kwargs: Any):
        """The one service call that signs. `self.reason` holds the reason where the meaning needs one."""
        raise NotImplementedError

    def done_url(self, result, **kwargs: Any) -> str:
        """Where to go after signing."""
        raise NotImplementedError

    def with_reason(self, reason: str, **kwargs: Any) -> ceremony.Subject | None:
        """What is signed where the reason typed on this page is part of it: what() and the reason. None: what() alone is signed."""
        return None

    def meaning_code(self, **kwargs: Any) -> str:
        return self.meaning

    # --- how it works -------------------------------------------------------------------------------------------------

    @property
    def reason(self) -> str:
        """The reason as typed, without blanks around it."""
        return self.request.POST.get("reason", "").strip()

    def given(self, name: str) -> str:
        """What was typed on the page before, without blanks around it."""
        return self.request.POST.get(name, "").strip()

    def post(self, request, **kwargs) -> HttpResponse:
        if self.carried and "intent" not in request.POST:
            return self.show()
        meaning = meaning_of(self.meaning_code(**kwargs))
        if "ask_passkey" in request.POST:
            return self.asked(meaning, **kwargs)
        self.check_reason(meaning)
        proof = self.proved(meaning, **kwargs)
        result = self.sign(proof, **kwargs)
        self.say(f"Signed by {proof.user.full_name}: {meaning.text}")
        return self.done(self.done_url(result, **kwargs))

    def check_reason(self, meaning: Meaning) -> None:
        """Raises UnreadableInput where the meaning needs a reason and none is typed."""
        if meaning.needs_reason and len(self.reason) < 3:
            raise UnreadableInput("reason_missing", "This needs a reason in your words. Type it, then sign.", field="reason")

    def reasoned(self, meaning: Meaning, /, **kwargs: Any) -> tuple[ceremony.Subject | None, ceremony.Subject | None]:
        """What was shown, and the same with the reason typed beside the secrets; nothing where no reason is part of what is signed."""
        if not meaning.needs_reason and not self.reason:
            return None, None
        with site_context(self.by.site_id, snapshot=True):
            signed = self.with_reason(self.reason, **kwargs)
            return (self.what(**kwargs), signed) if signed is not None else (None, None)

    def asked(self, meaning: Meaning, /, **kwargs: Any) -> JsonResponse:
        """For the page's script: what the signer's device is asked, or why not, in the words of every refusal. Nothing is signed."""
        given = self.request.POST
        try:
            self.check_reason(meaning)
            _, what = self.reasoned(meaning, **kwargs)
            options = ceremony.ask_passkey(by=self.by, intent_id=self.intent_id(), username=given.get("who", ""), secret=given.get("secret", ""), what=what)
        except RuleBroken as broken:
            return JsonResponse({"code": broken.code, "detail": broken.sentence}, status=broken.status)
        return JsonResponse({"publicKey": options})

    def proved(self, meaning: Meaning, /, **kwargs: Any) -> ceremony.Proof:
        """The ceremony for what was shown and, where it is part of what is signed, the reason typed beside the secrets."""
        given = self.request.POST
        secrets = {"username": given.get("who", ""), "secret": given.get("secret", ""), "code": given.get("code", ""), "passkey": given.get("passkey", "")}
        shown, signed = self.reasoned(meaning, **kwargs)
        if signed is not None:
            return ceremony.authenticate_with_reason(by=self.by, intent_id=self.intent_id(), shown=shown, what=signed, **secrets)
        return ceremony.authenticate(by=self.by, intent_id=self.intent_id(), **secrets)

    def intent_id(self) -> str | None:
        try:
            return str(uuid.UUID(self.request.POST.get("intent", "")))
        except ValueError:
            return None

    def show(self, status: int = 200, **extra: Any) -> HttpResponse:
        """Bind what is shown now to a fresh intent and draw it, from one snapshot."""
        try:
            with site_context(self.by.site_id, writable=True, snapshot=True):
                what = self.what(**self.kwargs)
                shown = self.summary(**self.kwargs)
                meaning = meaning_of(self.meaning_code(**self.kwargs))
                before = SigningIntent.objects.filter(pk=self.intent_id()).first() if self.refusal else None
                intent = ceremony.prepare(self.by, what, meaning.code)
                changed = before is not None and bytes(before.payload_digest) != bytes(intent.payload_digest)
                return self.draw(self.dialog(meaning, intent, changed) | shown | extra, status)
        except RuleBroken as broken:
            if broken.security:
                record_refusal(self.by, broken, acts.opening(type(self)))
            raise

    def dialog(self, meaning: Meaning, intent: SigningIntent, changed: bool) -> dict:
        label, kind = SECRET_WORDS[meaning.proof]
        certifies, of_others = meaning.proof == "certify", second_factor.is_asked_of_others(self.by)
        return {
            "floor": meaning.proof == "floor",
            "base": "base_floor.html" if meaning.proof == "floor" else "base.html",
            "action": self.request.path,
            "hidden": {"intent": intent.pk} | {name: self.given(name) for name in self.carried},
            "meaning": meaning.text,
            "needs_reason": meaning.needs_reason,
            "secret_label": label,
            "secret_kind": kind,
            "second_factor": certifies or of_others,
            "factor_of_others": of_others and not certifies,
            "passkey_origin": webauthn.origin() if (certifies or of_others) and webauthn.is_on() else "",
            "who_value": self.typed.get("who", ""),
            "error": self.refusal.sentence if self.refusal else "",
            "changed": changed and not isinstance(self.broken, StaleRecord),
            "recap_body": "mes/signatures/_body.html",
        }

    broken: RuleBroken | None = None

    def refused(self, broken: RuleBroken) -> HttpResponse:
        self.broken = broken
        return super().refused(broken)
