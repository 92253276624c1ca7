"""sign(): writes the signature, the exact bytes signed and the site's seal, inside the deed of the act that is signed."""

from __future__ import annotations

from django.conf import settings

from mes.asked import together
from mes.events import Event
from mes.people import accountability
from mes.people.models import Acknowledgement, Grant, Role, User
from mes.people.standing import Standing, standing_of
from mes.permissions import Permission
from mes.records.actors import Actor
from mes.records.door import deed_now, service
from mes.records.together import together as writes_together
from mes.signatures import ceremony, passkeys, rules, seals
from mes.signatures.accountability import subject_of
from mes.signatures.deputies import subject_of as authority_subject
from mes.signatures.meanings import meaning as meaning_of
from mes.signatures.models import DeputyAuthority, Signature, SignatureAssertion, SignaturePayload, SignatureSeal
from mes.signatures.shown import role_as_signed


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
    standing: Standing | None = None,
    spent: list[tuple] | None = None,
) -> Signature:
    """Write one signature. `what` is rebuilt by the caller inside this deed, so that a change since showing is found.

    `permission` names the right under which it is signed, one of those the meaning takes; without one, any of them. The role that holds it
    is printed, of a deputy with the authority. `standing` is the signer's, where the calling deed has read it, and `spent` the answer to
    ceremony.spending() of this proof's intent, where it has asked it. Raises StaleRecord, OutOfSequence, SigningRefused, and RuleBroken("seal_key_missing"): a signature that cannot be sealed is not made.
    """
    meant = meaning_of(meaning)
    rules.check_meaning_and_role(meant, permission)
    intent = ceremony.spent(together(ceremony.spending(proof.intent_id))[0] if spent is None else spent)
    rules.check_is_of_proof(intent, proof)
    if standing is None or not standing.is_of(proof.user.pk, by.site_id):
        standing = standing_of(proof.user.pk, by.site_id)
    rules.check_can_sign(by=by, proof=proof, intent=intent, what=what, meaning=meaning, standing=standing)
    if proof.asserted is not None:
        passkeys.check_still_in_use(proof.asserted, bytes(intent.payload_digest))
    capacity = rules.capacity_to_sign(standing, meant, permission)
    rules.check_order(meant, what.record_id)
    signature = Signature(
        site_id=by.site_id, by_id=by.user_id, lot_id=lot_id, stream_name=stream, signer=proof.user, username=proof.user.username,
        full_name=proof.user.full_name, role=role_as_signed(capacity, standing.site_zone), meaning=meaning,
        authority_id=capacity.authority.pk if capacity.authority else None,
        meaning_text=meant.text, record_type=what.record_type, record_id=what.record_id, record_version=what.record_version,
        payload_schema=what.schema, payload_digest=bytes(intent.payload_digest), auth_methods=list(proof.methods), station=by.station,
        site_time_zone=standing.site_zone, app_version=settings.APP_VERSION, requires=[str(s) for s in requires], intent_id=proof.intent_id,
    )  # fmt: skip
    kept = SignaturePayload(site_id=by.site_id, by_id=by.user_id, lot_id=lot_id, stream_name=stream, signature=signature, content=what.payload)
    assertion = None if proof.asserted is None else passkeys.assertion_of(signature, proof.asserted)
    with writes_together():
        Signature.objects.insert([signature])
        SignaturePayload.objects.insert([kept])
        if assertion is not None:
            SignatureAssertion.objects.insert([assertion])
    SignatureSeal.objects.insert([seals.seal_of(signature, standing.site_code, assertion)])
    proof.signed.append(signature)
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


@service(Event.DEPUTY_PROPOSED)
def propose_deputy(*, by: Actor, deputy: User, principal: User, role: Role, starts_at, ends_at, reason: str) -> DeputyAuthority:
    """Propose that one person takes another one's place in a role, from a time to a time. It gives nothing before it is approved."""
    rules.check_can_propose_deputy(by=by, deputy=deputy, principal=principal, role=role, starts_at=starts_at, ends_at=ends_at, now=deed_now().at)
    authority = DeputyAuthority(
        site_id=by.site_id, deputy=deputy, principal=principal, role=role, starts_at=starts_at, ends_at=ends_at, why=reason.strip(),
        proposed_by_id=by.user_id,
    )  # fmt: skip
    authority.save()
    return authority


@service(Event.DEPUTY_APPROVED)
def approve_deputy(*, by: Actor, authority_id, proof: ceremony.Proof) -> DeputyAuthority:
    """A second person approves, by signature: the deputy holds the role within the window and signs in the own name (SIG-14)."""
    authority = DeputyAuthority.objects.lock(authority_id)
    now = deed_now().at
    rules.check_can_approve_deputy(by=by, signer=proof.user, authority=authority, now=now)
    what = authority_subject(authority)
    signature = sign(by=by, proof=proof, what=what, meaning="approved_authority", stream=authority.stream, permission=Permission.APPROVE_ACCESS)
    grant = Grant(
        site_id=authority.role.site_id, user_id=authority.deputy_id, role_id=authority.role_id, starts_at=max(authority.starts_at, now),
        ends_at=authority.ends_at, given_by_id=authority.proposed_by_id, lent_by_id=authority.principal_id,
    )  # fmt: skip
    grant.save()
    authority.grant, authority.approved_by, authority.signature_id = grant, proof.user, signature.pk
    authority.save()
    return authority
