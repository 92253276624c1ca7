"""sign(): writes the signature, the exact bytes signed and the site's seal, inside the deed of the act that is signed."""

from __future__ import annotations

from django.conf import settings

from mes.events import Event
from mes.people import accountability
from mes.people.models import Acknowledgement, Site, User
from mes.people.rules import role_for
from mes.records.actors import Actor
from mes.records.door import service
from mes.signatures import ceremony, rules, seals
from mes.signatures.accountability import subject_of
from mes.signatures.meanings import meaning as meaning_of
from mes.signatures.models import Signature, SignaturePayload


@service(Event.SIGNED)
def sign(
    *,
    by: Actor,
    proof: ceremony.Proof,
    what: ceremony.Subject,
    meaning: str,
    stream: str,
    lot_id=None,
    permission=None,
    requires=(),
) -> Signature:
    """Write one signature. `what` is rebuilt by the caller inside this deed, so that a change since showing is found.

    `permission` names the right under which the role is printed. Raises StaleRecord, SigningRefused, and RuleBroken("seal_key_missing"): a signature
    that cannot be sealed is not made.
    """
    intent = ceremony.spend(proof.intent_id)
    rules.check_can_sign(by=by, proof=proof, intent=intent, what=what, meaning=meaning)
    site = Site.objects.get(pk=by.site_id)
    signature = Signature(
        site_id=by.site_id, by_id=by.user_id, lot_id=lot_id, stream_name=stream, signer=proof.user, username=proof.user.username,
        full_name=proof.user.full_name, role=role_for(proof.user.pk, permission, by.site_id) if permission else "", meaning=meaning,
        meaning_text=meaning_of(meaning).text, record_type=what.record_type, record_id=what.record_id, record_version=what.record_version,
        payload_schema=what.schema, payload_digest=bytes(intent.payload_digest), auth_methods=list(proof.methods), station=by.station,
        site_time_zone=site.time_zone, app_version=settings.APP_VERSION, requires=[str(s) for s in requires], intent_id=proof.intent_id,
    )  # fmt: skip
    signature.save()
    SignaturePayload(
        site_id=by.site_id,
        by_id=by.user_id,
        lot_id=lot_id,
        stream_name=stream,
        signature=signature,
        content=what.payload,
    ).save()
    seals.seal_of(signature, site.code).save()
    return signature


@service(Event.ACCOUNTABILITY_ACKNOWLEDGED)
def acknowledge_accountability(*, by: Actor, proof: ceremony.Proof, text_version: str) -> Acknowledgement:
    """The owner acknowledges, with a signature, to answer for what is signed with their secrets. It enables signing (SIG-11)."""
    user = User.objects.lock(by.user_id)
    rules.check_can_acknowledge_accountability(by=by, user=proof.user, text_version=text_version)
    signature = sign(by=by, proof=proof, what=subject_of(user), meaning="acknowledged_accountability", stream=user.stream)
    acknowledgement = Acknowledgement(
        site_id=by.site_id, by_id=user.pk, user=user, text_version=accountability.CURRENT, signature_id=signature.pk
    )
    acknowledgement.save()
    return acknowledgement
