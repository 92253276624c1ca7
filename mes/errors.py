"""What a person is told when something is refused: a code and a sentence, the same in page, API and task."""

from __future__ import annotations


class RuleBroken(Exception):
    """A deed may not be done now.

    `code` is stable and machine-readable, `sentence` is for a person and says the fact, then what to do.
    `security` names the security event that the door writes after rolling back (None: not a security matter).
    """

    status = 409
    security: str | None = None

    def __init__(
        self,
        code: str,
        sentence: str,
        *,
        field: str = "",
        detail: dict | None = None,
        security: str | None = None,
    ):
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence
        self.field = field
        self.detail = detail or {}
        if security is not None:
            self.security = security


class NotAllowed(RuleBroken):
    """This person may not do it (role, training, segregation of duties). 21 CFR 11.10(g)."""

    status = 403
    security = "authority_refused"


class OutOfSequence(RuleBroken):
    """The step or event is not next. 21 CFR 11.10(f)."""

    security = "out_of_sequence"


class WrongScan(RuleBroken):
    """What was scanned is not what the step needs."""

    security = "wrong_scan"


class SigningRefused(RuleBroken):
    """The signing ceremony did not succeed. 21 CFR 11.200, 11.300(d)."""

    status = 403
    security = "signing_refused"


class StaleRecord(RuleBroken):
    """The screen showed an older version than the database holds."""

    def __init__(
        self,
        sentence: str = "Somebody changed this since your screen was drawn. Nothing was saved. Look at what is there now.",
        **kw,
    ):
        super().__init__("stale_screen", sentence, **kw)


class UnreadableInput(RuleBroken):
    """The input does not have the shape that is asked for; nothing was written."""

    status = 422


class TooManyTries(RuleBroken):
    """Too much was tried in a short time; nothing was looked at."""

    status = 429


class Missing(RuleBroken):
    """There is no such thing, or this site may not see it (the two are not told apart)."""

    status = 404


class WriteOutsideService(RuntimeError):
    """A programmer's error: a Record or Fact was written without an open Deed."""


class NoSiteContext(RuntimeError):
    """A programmer's error: a guarded read without site context. It fails loudly (decisions: silence is failure)."""
