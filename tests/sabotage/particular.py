"""Removals that need more than an answer or silence: what is put in the place of one control."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path


def spend_without_end(original):
    """The intent stays as it was after its signature."""

    def spending(intent_id):
        from mes.asked import Sent
        from mes.signatures.models import SigningIntent

        columns = ", ".join(column.column for column in SigningIntent._meta.concrete_fields)
        return (Sent(f"SELECT {columns} FROM {SigningIntent._meta.db_table} WHERE id = %s FOR UPDATE"), intent_id)

    return spending


def code_used_again(original):
    """A one-time code is looked at, and that it was used is not."""

    def use(factor, typed):
        from mes.people import totp
        from mes.people.models import UsedCode

        step = totp.matching_step(totp.unseal(factor.secret), typed)
        while UsedCode.objects.filter(factor=factor, time_step__gte=step).exists():
            step += 1
        used = UsedCode(site_id=factor.site_id, by_id=factor.user_id, factor=factor, time_step=step)
        used.save()
        return used

    return use


def uncovered_anyway(original):
    """The cover is lifted and the key changed, whatever became of the session meanwhile."""

    def uncover(request):
        import time

        request.session.pop("covered", None)
        request.session["touched"] = time.time()
        request.session.cycle_key()

    return uncover


def nothing_known(original):
    """A service that is not reached knows of nothing."""

    def ask(address, question=None, accept="application/json"):
        from mes.management.commands.audit_dependencies import NoAnswer

        try:
            return original(address, question, accept)
        except NoAnswer:
            return {"results": [{} for _ in question["queries"]]} if question else {"files": []}

    return ask


def held(original):
    """Whatever came holds, as far as the head says."""
    return lambda stream, arrays, begins, head: head[0] - begins[0]


def no_headers(original):
    """Answers as the view left them."""
    return lambda self, request: self.get_response(request)


def open_fetcher(original):
    """The renderer fetches what it is asked to, as it does by itself."""

    def document(html):
        import weasyprint

        return weasyprint.HTML(string=html).render()

    return document


def every_time(original):
    """The work is done as often as it is asked for."""
    return lambda request, user_id, work, **more: work()


def token_at_once(original):
    """Only the beginning of a token is looked up; the comparison is left out where nothing is found."""

    def credential_of(token):
        import hashlib

        from mes.people.models import DeviceCredential, User

        mark, _, rest = token.partition("_")
        prefix, _, secret = rest.partition("_")
        credential = DeviceCredential.objects.filter(prefix=prefix).select_related("user").first()
        if mark != "ctd" or credential is None or credential.revoked or hashlib.sha256(secret.encode()).hexdigest() != credential.token_digest:
            return None
        return credential if credential.user.is_active and credential.user.kind == User.DEVICE else None

    return credential_of


def any_token(original):
    """The beginning of a token is enough."""

    def credential_of(token):
        from mes.people.models import DeviceCredential

        prefix = token.partition("_")[2].partition("_")[0]
        return DeviceCredential.objects.filter(prefix=prefix, revoked=False).select_related("user").first()

    return credential_of


def nobody_is_nobody(original):
    """Without a person there is no hash to check."""

    def authenticate(self, request, username="", password=""):
        from django.contrib.auth.hashers import check_password

        from mes.people.models import User

        user = User.objects.filter(username__iexact=username.strip(), kind=User.PERSON).first()
        return user if user and user.password and user.is_active and check_password(password, user.password) else None

    return authenticate


def grants_without_end(original):
    """Roles are held from their beginning on, whatever their end."""

    def live_grants(user_id, site_id):
        from mes.people.models import Grant
        from mes.records.models import RecordNow

        return Grant.objects.filter(user_id=user_id, site_id=site_id, starts_at__lte=RecordNow()).select_related("role")

    return live_grants


@contextmanager
def attempts_not_kept():
    """What is no value is told, and not kept."""
    from batches.execution.models import EntryAttempt

    manager = type(EntryAttempt.objects)
    original = manager.insert

    def insert(self, rows):
        return [] if self.model is EntryAttempt else original(self, rows)

    manager.insert = insert
    try:
        yield
    finally:
        manager.insert = original


def any_bag(original):
    """Whatever is scanned is taken for the bag of this lot."""

    def identify(by, work, scanned, typed_with):
        from batches.lots.models import Container

        right = Container.objects.filter(lot=work.lot, code=work.recipe.container(work.step.touches_material).code).first()
        return original(by, work, f"CTL:C:{right.identifier}" if scanned.strip() and right else scanned, typed_with)

    return identify


def anybody_at_the_signing_view(original):
    """The view of a signature asks for rights as any other does."""
    from mes.api.views import ServiceView

    return lambda self, request: ServiceView.check_permissions(self, request)


def key_made_anew(original):
    """A sealing key that is not there is made."""
    return lambda site_code, *, sealed_before: original(site_code, sealed_before=lambda: False)


def unchecked(original):
    """What is kept is handed out as it lies there."""
    return lambda content, sha256, what: bytes(content)


def nothing_of_roles(original):
    """Roles are written without the trail."""
    return lambda facts, rows: original(facts, [row for row in rows if "mes_role" not in str(row)])


def any_deed(original):
    """Whoever saves is taken to be in a deed."""

    def require_deed(model):
        from types import SimpleNamespace

        from mes.clock import record_now
        from mes.people.setup import system_actor
        from mes.records.door import Deed, current_deed

        deed = current_deed.get()
        if deed is None:
            from mes.people.models import Site

            deed = Deed(by=system_actor(Site.objects.first().pk))
            deed.opening = SimpleNamespace(time=record_now)
        return deed

    return require_deed


def every_refusal(original):
    """Whatever is searched for, everything that was refused is found."""
    return lambda **asked: original()


def unlocked(original):
    """A demo starts whether another one runs or not."""
    return lambda self: Path(os.devnull).open()


def token_as_it_came(original):
    """A token is believed whatever time it states."""
    return lambda token, taken, now: token


def reason_left_out(original):
    """What is signed holds no reason."""
    return lambda *what, reason="", **more: original(*what, **more)


def witness_at_once(original):
    """The witness's password is tried as often as somebody likes."""

    def sign_in(request, username, password):
        from mes.people import session

        return session.prove(request, username, password)

    return sign_in


def either_sign(original):
    """Whichever sign was typed is taken for the one that the site writes."""
    return lambda written, typed, decimal_sign: original(written, typed, "," if "," in written else ".")


def as_it_is(original):
    """A signature is shown with what it has."""
    return lambda sig: sig
