"""Sites, people, what they may do, and what they prove themselves with."""

from __future__ import annotations

from importlib import import_module
from typing import ClassVar

from django.conf import settings
from django.contrib.auth.hashers import check_password, is_password_usable
from django.contrib.auth.models import BaseUserManager
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.db.models import Q
from django.utils.crypto import salted_hmac

from mes.records.models import Fact, GuardedQuerySet, Record


class Site(Record):
    """A place with a licence: hospital, regional or contract site. Its own register is the stream `site:<id>`."""

    stream_kind = "site"

    code = models.CharField(max_length=20, unique=True)
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=30, default="point_of_care")
    time_zone = models.CharField(max_length=60, default="UTC")
    jurisdiction = models.CharField(max_length=8, default="EU")
    decimal_sign = models.CharField(max_length=1, default=".", db_default=".")
    """How people here write decimals, "." or ",": the other sign before three digits is no value (batches.recipes.quantities)."""
    demo = models.BooleanField(default=False)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(decimal_sign__in=[".", ","]), name="site_decimal_sign")]

    def __str__(self) -> str:
        return self.name


class UserManager(BaseUserManager.from_queryset(GuardedQuerySet)):
    """Finds people by user name; people are made by `people.services`, never here."""

    def get_by_natural_key(self, username):
        return self.get(username__iexact=username)


class User(Record):
    """One natural person with one account, or a named device or job. User names are never used again.

    21 CFR 11.100(a), 11.300(a).
    """

    stream_kind = "person"

    PERSON, DEVICE, SYSTEM = "person", "device", "system"

    username = models.CharField(max_length=150, unique=True)
    full_name = models.CharField(max_length=200)
    kind = models.CharField(max_length=10, default=PERSON)
    email = models.EmailField(blank=True)
    password = models.CharField(max_length=200, blank=True)
    pin = models.CharField(max_length=200, blank=True)
    badge = models.CharField(max_length=60, blank=True)
    is_active = models.BooleanField(default=True)

    objects = UserManager()

    USERNAME_FIELD: ClassVar[str] = "username"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    is_authenticated: ClassVar[bool] = True
    is_anonymous: ClassVar[bool] = False

    class Meta:
        constraints = [
            models.UniqueConstraint("badge", condition=~Q(badge=""), name="user_badge_one_person"),
            models.CheckConstraint(
                condition=Q(kind__in=["person", "device", "system"]),
                name="user_kind_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.full_name} ({self.username})"

    def get_username(self) -> str:
        return self.username

    def check_password(self, raw: str) -> bool:
        """Constant-time check; never upgrades the hash in passing (a change of it goes through the door)."""
        return check_password(raw, self.password)

    def check_pin(self, raw: str) -> bool:
        return bool(self.pin) and check_password(raw, self.pin)

    def has_usable_password(self) -> bool:
        return is_password_usable(self.password)

    def get_session_auth_hash(self) -> str:
        return salted_hmac("cartulary.session", self.password, algorithm="sha256").hexdigest()

    def get_session_auth_fallback_hash(self):
        return iter(())


class Role(Record):
    """A named list of permissions at one site. Printed beside every signature."""

    stream_kind = "site"
    stream_field = "site_id"

    code = models.CharField(max_length=40)
    name = models.CharField(max_length=80)
    permissions = models.JSONField(default=list)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["site", "code"], name="role_one_code_per_site")]

    def __str__(self) -> str:
        return self.name


class Grant(Record):
    """A role given to a person at a site, from a time to a time. Ending one is a new version, never a deletion."""

    stream_kind = "person"
    stream_field = "user_id"

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="grants")
    role = models.ForeignKey(Role, on_delete=models.PROTECT, related_name="grants")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True)
    given_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    lent_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", null=True)
    """For whom a deputy holds it. The authority says it too and is seen at its own site only; this is seen wherever the person's roles are."""

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "role"],
                condition=Q(ends_at=None),
                name="grant_once_at_a_time",
            ),
            models.CheckConstraint(
                condition=Q(ends_at=None) | Q(ends_at__gte=models.F("starts_at")),
                name="grant_ends_after_start",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} {self.role_id}"


class Qualification(Record):
    """Training: who is qualified for what (a recipe version, an assay), until when. 21 CFR 211.25, 11.10(i)."""

    stream_kind = "person"
    stream_field = "user_id"

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="qualifications")
    subject = models.CharField(max_length=120)
    """What for, by value: "recipe_version:<id>"."""
    title = models.CharField(max_length=200)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True)
    trainer = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")

    class Meta:
        indexes = [models.Index(fields=["user", "subject"], name="qualification_user_subject")]

    def __str__(self) -> str:
        return f"{self.user_id}: {self.title}"


class SecondFactor(Record):
    """A person's TOTP generator (RFC 6238). The secret is encrypted under a key outside the database."""

    stream_kind = "person"
    stream_field = "user_id"

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="second_factors")
    secret = models.BinaryField()
    confirmed = models.BooleanField(default=False)
    active = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user"],
                condition=Q(active=True),
                name="second_factor_one_active",
            )
        ]

    def __str__(self) -> str:
        return f"TOTP of {self.user_id}"


class UsedCode(Fact):
    """A one-time code that was accepted: its time step can never be used again."""

    stream_kind = "person"
    stream_field = "by_id"

    factor = models.ForeignKey(SecondFactor, on_delete=models.PROTECT, related_name="used_codes")
    time_step = models.BigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["factor", "time_step"], name="used_code_once")]

    def __str__(self) -> str:
        return f"{self.factor_id} step {self.time_step}"


class DeviceCredential(Record):
    """An equipment's token: SHA-256 kept, never the token. It may post readings; it can never sign."""

    stream_kind = "person"
    stream_field = "user_id"

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="device_credentials")
    equipment_id = models.UUIDField()
    prefix = models.CharField(max_length=12, unique=True)
    token_digest = models.CharField(max_length=64)
    revoked = models.BooleanField(default=False)

    def __str__(self) -> str:
        return self.prefix


class AccessEvent(Fact):
    """Signing in and out: the access log. 21 CFR 11.300(d)."""

    stream_kind = "security"
    stream_field = "site_id"

    kind = models.CharField(max_length=20)
    station = models.CharField(max_length=80, blank=True)

    def __str__(self) -> str:
        return f"{self.kind} {self.by_id}"


class FailureCounter(models.Model):
    """Working row: wrong tries in a row, counted per person and secret; the locking itself is a PersonLock.

    Each secret has its own count, so that who knows one cannot use it to wipe out the guesses at another.
    """

    user = models.OneToOneField(User, on_delete=models.PROTECT, primary_key=True, related_name="failure_counter")
    passwords = models.IntegerField(default=0, db_default=0)
    pins = models.IntegerField(default=0, db_default=0)
    codes = models.IntegerField(default=0, db_default=0)
    last_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.user_id}: {self.passwords}, {self.pins}, {self.codes}"


class SignInThrottle(models.Model):
    """Working row: tries to sign in of one name or from one address since a window began. The key is a keyed digest: no name or address is kept."""

    key = models.CharField(max_length=64, primary_key=True)
    tries = models.IntegerField()
    since = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.tries} since {self.since}"


class UserSession(AbstractBaseSession):
    """Working row: a session of a browser, and whose it is. It ends by sign-out, after its longest time, or by whoever may end it."""

    user = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="sessions")
    site_id = models.UUIDField(null=True)
    station = models.CharField(max_length=80, blank=True)
    began_at = models.DateTimeField(null=True)
    touched_at = models.DateTimeField(null=True)

    @property
    def ref(self) -> str:
        """What it is called on pages: who reads it there has no key to it."""
        return salted_hmac("cartulary.session_ref", self.session_key, algorithm="sha256").hexdigest()[:24]

    @classmethod
    def get_session_store_class(cls):
        return import_module(settings.SESSION_ENGINE).SessionStore


class PersonLock(Record):
    """A person is locked out after wrong secrets. It locks the person, never a step (decisions 24)."""

    stream_kind = "person"
    stream_field = "user_id"

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="locks")
    reason = models.CharField(max_length=200)
    open = models.BooleanField(default=True)
    unlocked_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user"], condition=Q(open=True), name="person_lock_one_open"),
            models.CheckConstraint(
                condition=Q(open=True) | Q(unlocked_by__isnull=False),
                name="person_lock_ended_by_someone",
            ),
            models.CheckConstraint(
                condition=Q(unlocked_by=None) | ~Q(unlocked_by=models.F("user")),
                name="person_lock_not_own_key",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} {'locked' if self.open else 'unlocked'}"


class IdentityCheck(Fact):
    """Somebody else checked who a person is before that person signs. `by` checked it. 21 CFR 11.100(b)."""

    stream_kind = "person"
    stream_field = "user_id"

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="identity_checks")
    means = models.CharField(max_length=200)
    """How it was checked, in words; no number of a paper is kept."""

    class Meta:
        constraints = [models.CheckConstraint(condition=~Q(by=models.F("user")), name="identity_check_by_another")]

    def __str__(self) -> str:
        return f"{self.user_id}: {self.means}"


class Acknowledgement(Fact):
    """A person acknowledged, with a signature, that they answer for what is signed with their secrets. 21 CFR 11.10(j)."""

    stream_kind = "person"
    stream_field = "user_id"

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="acknowledgements")
    text_version = models.CharField(max_length=20)
    signature_id = models.UUIDField(unique=True)
    """The signature, by value: signatures stand above people."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "text_version"], name="acknowledgement_once_a_version"),
            models.CheckConstraint(condition=Q(by=models.F("user")), name="acknowledgement_by_owner"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id}: text {self.text_version}"


class AuthorityNotice(Fact):
    """The organisation told an authority that electronic signatures bind it: when, and under which reference. 21 CFR 11.100(c)."""

    stream_kind = "site"
    stream_field = "site_id"

    authority = models.CharField(max_length=40)
    sent_on = models.DateField()
    reference = models.CharField(max_length=200)

    def __str__(self) -> str:
        return f"{self.authority} {self.sent_on}: {self.reference}"


class SimulatedClock(models.Model):
    """Working row of demo and rehearsal deployments only: how far record time runs ahead. Production refuses it."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    offset = models.DurationField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="simulated_clock_one_row")]

    def __str__(self) -> str:
        return str(self.offset)
