"""Signing over the API: the same ceremony as on the page, for a person who is present. Nothing else signs. 21 CFR 11.200(a)."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from rest_framework import serializers
from rest_framework.response import Response

from mes.api.views import ServiceView
from mes.errors import SigningRefused, UnreadableInput
from mes.people.models import User
from mes.records.context import site_context
from mes.records.door import record_refusal
from mes.signatures import ceremony
from mes.signatures.meanings import Meaning
from mes.signatures.meanings import meaning as meaning_of
from mes.signatures.models import Signature


class Prepared(serializers.Serializer):
    """What will be signed, to be shown to the signer, and the intent that is bound to exactly this."""

    intent = serializers.UUIDField(help_text="Sent back with the secrets; single use, five minutes.")
    meaning = serializers.CharField(help_text="Code of the meaning.")
    meaning_text = serializers.CharField(help_text="The sentence that is signed.")
    proof = serializers.ChoiceField(
        choices=["floor", "desk", "certify"],
        help_text="floor: badge or user name and PIN; desk: user name and password; certify: desk and a one-time code or a passkey.",
    )
    record_type = serializers.CharField()
    record_id = serializers.UUIDField()
    record_version = serializers.IntegerField()
    content = serializers.JSONField(help_text="Exactly what is signed; a reason in it is empty here, and the one you send with the secrets is signed.")
    digest = serializers.CharField(help_text="SHA-256 of the bytes of this content, in hexadecimal.")
    expires_at = serializers.DateTimeField()


CODE = "One-time code: where the proof is certify, and from outside the controlled networks of a signer who is not the session's person."


class SignRequest(serializers.Serializer):
    """The signer's secrets, in full, for this one signature."""

    intent = serializers.UUIDField()
    username = serializers.CharField(max_length=150, help_text="User name, or badge where the proof is floor.")
    secret = serializers.CharField(max_length=200, trim_whitespace=False, write_only=True)
    code = serializers.CharField(max_length=12, required=False, allow_blank=True, default="", write_only=True, help_text=CODE)
    passkey = serializers.JSONField(
        required=False, default=None, write_only=True,
        help_text="In place of the one-time code: the PublicKeyCredential that the signer's device gave, as JSON.",
    )
    ask_passkey = serializers.BooleanField(
        required=False, default=False, write_only=True,
        help_text="Nothing is signed; the answer (200) holds publicKey, what the signer's device is asked: bound to intent, content and reason.",
    )
    reason = serializers.CharField(max_length=2000, required=False, allow_blank=True, default="", help_text="Where the meaning needs a reason.")


class Signed(serializers.Serializer):
    """The signature as it is printed. 21 CFR 11.50(a)."""

    id = serializers.UUIDField()
    username = serializers.CharField()
    full_name = serializers.CharField()
    role = serializers.CharField()
    meaning = serializers.CharField()
    meaning_text = serializers.CharField()
    signed_at = serializers.DateTimeField(source="recorded_at")
    time_zone = serializers.CharField(source="site_time_zone")
    record_type = serializers.CharField()
    record_id = serializers.UUIDField()
    record_version = serializers.IntegerField()
    digest = serializers.SerializerMethodField(help_text="SHA-256 of the signed bytes, in hexadecimal.")

    def get_digest(self, signature: Signature) -> str:
        return bytes(signature.payload_digest).hex()


ASKED, SIGNED = SignRequest(), Signed()
"""Bound to their fields once: they are asked for at every signature. Neither keeps anything of a request."""


class PreparingView(ServiceView):
    """GET prepares an intent and shows what will be signed, to the person who will sign it, in their own session.

    Raises SigningRefused("only_people_sign") for devices and jobs, and leaves a security event.
    """

    meaning: ClassVar[str] = ""
    answers: ClassVar[dict] = {"GET": Prepared}

    def meaning_code(self, **kwargs: Any) -> str:
        """The meaning that is signed; override where the address decides it."""
        return self.meaning

    def what(self, **kwargs: Any) -> ceremony.Subject:
        """What is signed, as it is now."""
        raise NotImplementedError(f"{type(self).__name__} does not say what is signed")

    def check_permissions(self, request) -> None:
        """Devices and programs are told what they are before they are told what they lack."""
        actor = getattr(request, "actor", None)
        if actor is not None and actor.kind != User.PERSON:
            refusal = SigningRefused("only_people_sign", "A device or a program never signs. A person has to sign in and do it.")
            record_refusal(actor, refusal, "sign")
            raise refusal
        super().check_permissions(request)

    def _answer(self, request):
        # Preparing keeps an intent, a working row: it reads inside a context of its own and writes after it.
        if request.method in {"GET", "HEAD"}:
            return self.get(request, *self.args, **self.kwargs)
        return super()._answer(request)

    def get(self, request, **kwargs):
        """What will be signed, with its meaning, bound to a single-use intent for this person and station."""
        with site_context(self.actor.site_id, snapshot=True):
            what = self.what(**kwargs)
        intent = ceremony.prepare(self.actor, what, self.meaning_code(**kwargs))
        meaning = meaning_of(intent.meaning)
        return self.reply(
            {
                "intent": intent.pk,
                "meaning": meaning.code,
                "meaning_text": meaning.text,
                "proof": meaning.proof,
                "record_type": what.record_type,
                "record_id": what.record_id,
                "record_version": what.record_version,
                "content": json.loads(what.payload)["content"],
                "digest": bytes(intent.payload_digest).hex(),
                "expires_at": intent.expires_at,
            }
        )


class SigningView(PreparingView):
    """Base of `…/sign/`: GET prepares an intent and shows what will be signed, POST signs it with full secrets.

    A subclass says the same as the page of the act (mes.signatures.pages.SigningPage):

        class SignStep(SigningView):
            permission, meaning = Permission.RECORD_VALUES, "performed"

            def what(self, step_id): ...                      inside a read context -> ceremony.Subject
            def sign(self, proof, step_id): ...               outside any: one service call; self.reason is the reason
    """

    secret_fields = ("secret", "code", "passkey")
    asks: ClassVar[dict] = {"POST": SignRequest}
    answers: ClassVar[dict] = {"GET": Prepared, "POST": Signed}

    def sign(self, proof: ceremony.Proof, **kwargs: Any) -> Any:
        """Call the service whose deed is signed."""
        raise NotImplementedError(f"{type(self).__name__} does not say what signing does")

    def with_reason(self, reason: str, **kwargs: Any) -> ceremony.Subject | None:
        """What is signed where the reason that is sent is part of it: what() and the reason. None: what() alone is signed."""
        return None

    reason: str = ""
    """The reason as sent, without blanks around it."""

    def post(self, request, **kwargs):
        """Sign: the intent with the signer's user name, secret and, where the meaning asks for it, one-time code or passkey."""
        given = ASKED.run_validation(request.data)
        self.reason = given["reason"].strip()
        meaning = meaning_of(self.meaning_code(**kwargs))
        if meaning.needs_reason and len(self.reason) < 3:
            raise UnreadableInput("reason_missing", "This needs a reason in your words. Send it as reason.", field="reason")
        if given["ask_passkey"]:
            return Response({"publicKey": self.asked(meaning, given, **kwargs)})
        proof = self.proved(meaning, given, **kwargs)
        self.sign(proof, **kwargs)
        return Response(SIGNED.to_representation(proof.signed[-1]), status=201)

    def reasoned(self, meaning: Meaning, /, **kwargs: Any) -> tuple[ceremony.Subject | None, ceremony.Subject | None]:
        """What was shown, and the same with the reason that is sent; nothing where no reason is part of what is signed."""
        if not meaning.needs_reason and not self.reason:
            return None, None
        with site_context(self.actor.site_id, snapshot=True):
            signed = self.with_reason(self.reason, **kwargs)
            return (self.what(**kwargs), signed) if signed is not None else (None, None)

    def asked(self, meaning: Meaning, given: dict, /, **kwargs: Any) -> dict:
        """What the signer's device is asked, once user name and password are right."""
        _, what = self.reasoned(meaning, **kwargs)
        return ceremony.ask_passkey(by=self.actor, intent_id=given["intent"], username=given["username"], secret=given["secret"], what=what)

    def proved(self, meaning: Meaning, given: dict, /, **kwargs: Any) -> ceremony.Proof:
        """The ceremony for what was prepared and, where it is part of what is signed, the reason that is sent with the secrets."""
        secrets = {name: given[name] for name in ("username", "secret", "code")} | {"passkey": given["passkey"] or ""}
        shown, signed = self.reasoned(meaning, **kwargs)
        if signed is not None:
            return ceremony.authenticate_with_reason(by=self.actor, intent_id=given["intent"], shown=shown, what=signed, **secrets)
        return ceremony.authenticate(by=self.actor, intent_id=given["intent"], **secrets)
