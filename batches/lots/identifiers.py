"""Identifiers that tie every material and record to one patient's therapy, and what a scanned code means (COI-01, COI-03).

**Check character.** ISO/IEC 7064 MOD 37-2, as used for donation numbers (JPAC Red Book, Annex 2). It catches every single wrong
character and every swap of neighbours; it does not prove the right patient.

**Donation number (DIN).** 13 characters: facility 5, year 2, sequence 6; kept as an opaque string. ISBT 128 is licensed: nothing here
is a table of ICCBBA, and no compliance with ISBT 128 is claimed (decision 12).

**Our own identifiers.** Opaque; no part is made from anything about a person. Issuer is the site's code, the serial comes from random
bytes, the last character is the MOD 37-2 check character over issuer and serial::

    COI-BCN1-7Q3K9M2XWD-K     chain of identity: one per therapy event
    CN-BCN1-7Q3K9M2XWD-K      container: one per bag, vessel or vial

**Our own codes.** A label holds ``CTL:<letter>:<value>``, plain in a QR code or as company internal information ``(91)`` in a GS1 Data
Matrix. The letter says what the value is: C container, D donation, L lot, T therapy event, B badge, M material lot, E equipment. What a
code means comes from its content alone, never from the field it was scanned into.

**Check code.** Three characters for eyes and voice, unique among the site's open lots; never proof of identity (decision 10).
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from enum import StrEnum

from batches.lots.gs1 import OWN, Elements, ElementsRefused, elements, parse_elements
from mes.errors import UnreadableInput

CHECK_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ*"
SERIAL_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""Serials are typed when a label cannot be read: no 0 and O, no 1, I and L."""
CHECK_CODE_ALPHABET = "CFHJKMPRTWXY34679"
"""Without pairs that look alike (0O 1IL 2Z 5S 8B UV GQ6 DO) or are heard alike in a row (M alone of MN); without vowels, so no words."""
SERIAL_LENGTH = 10
SERIAL_BYTES = 16
CHECK_CODE_LENGTH = 3
CHECK_CODE_BYTES = 8
LONGEST_SCAN = 500

_DIN = re.compile(r"[A-NP-Z1-9][0-9A-Z]{4}[0-9]{8}")
_DIN_BARCODE = re.compile(r"=(?P<number>[A-NP-Z1-9][0-9A-Z]{4}[0-9]{8})(?P<flag>[0-9A-Z]{2})")
_OWN = re.compile(r"(?P<prefix>COI|CN)-(?P<issuer>[A-Z0-9]{2,8})-(?P<serial>[2-9A-HJKMNP-Z]{10})-(?P<check>[0-9A-Z*])")
_ISSUER = re.compile(r"[A-Z0-9]{2,8}")
_CTL = re.compile(r"CTL:(?P<letter>[A-Z]):(?P<value>[A-Za-z0-9*][A-Za-z0-9*._/\-]{0,79})")
_SYMBOLOGY = re.compile(r"\][A-Za-z][0-9A-Za-z]")


class IdentifierRefused(UnreadableInput):
    """An identifier that is not whole. Codes: ``not_an_identifier``, ``wrong_check_character``, ``check_character_missing``, ``case_changed``."""


class ScanKind(StrEnum):
    """What a scanned code stands for."""

    CONTAINER = "container"
    DONATION = "donation"
    LOT = "lot"
    THERAPY_EVENT = "therapy_event"
    BADGE = "badge"
    MATERIAL_LOT = "material_lot"
    EQUIPMENT = "equipment"
    UNKNOWN = "unknown"


_LETTERS = {
    "C": ScanKind.CONTAINER,
    "D": ScanKind.DONATION,
    "L": ScanKind.LOT,
    "T": ScanKind.THERAPY_EVENT,
    "B": ScanKind.BADGE,
    "M": ScanKind.MATERIAL_LOT,
    "E": ScanKind.EQUIPMENT,
}


@dataclass(frozen=True)
class Donation:
    """A donation identification number; ``flags`` are the two characters after it in a barcode, empty when typed."""

    number: str
    flags: str = ""

    @property
    def check(self) -> str:
        """Its check character."""
        return check_character(self.number)

    @property
    def eye_readable(self) -> str:
        """In groups with the check character last: ``G1234 98 654321 H``."""
        return f"{self.number[:5]} {self.number[5:7]} {self.number[7:]} {self.check}"


@dataclass(frozen=True)
class Scanned:
    """What was scanned or typed: its kind, the identifier it names, the text as it came, and GS1 parts where there are any."""

    kind: ScanKind
    value: str
    text: str
    gs1: Elements | None = field(default=None)
    for_eyes: bool = False
    """Whether it is written as people read it (``CN-...``, ``G1234 98 654321 H``): a label holds another text, so nobody scanned this."""


def check_character(text: str) -> str:
    """The ISO/IEC 7064 MOD 37-2 check character of letters A to Z and digits, computed recursively.

    Raises ``IdentifierRefused`` (``not_an_identifier``) for any other character.
    """
    remainder = 0
    for value in _values(text):
        remainder = (remainder + value) * 2 % 37
    return CHECK_ALPHABET[(38 - remainder) % 37]


def check_character_by_weights(text: str) -> str:
    """The same by the other form of the standard: the i-th character from the right weighs 2 to the power of i."""
    total = sum(value * 2**place for place, value in enumerate(reversed(_values(text)), start=1))
    return CHECK_ALPHABET[(38 - total % 37) % 37]


def _values(text: str) -> list[int]:
    if not text or any(character not in CHECK_ALPHABET[:36] for character in text):
        raise IdentifierRefused("not_an_identifier", f"{text[:40]!r} holds more than letters A to Z and digits. Scan or type it again.")
    return [CHECK_ALPHABET.index(character) for character in text]


def parse_din(text: str, *, needs_check: bool = True) -> Donation:
    """A donation number from a barcode (``=G12349865432177``) or typed (``G1234 98 654321 H``); a typed one needs its check character.

    A flag of 60 to 96 in a barcode is the check character again and must agree. Raises ``IdentifierRefused``: ``not_an_identifier``,
    ``wrong_check_character``, ``check_character_missing``.
    """
    written = text.strip()
    scanned = _DIN_BARCODE.fullmatch(written)
    if scanned:
        flags = scanned["flag"]
        if flags.isdigit() and 60 <= int(flags) <= 96 and CHECK_ALPHABET[int(flags) - 60] != check_character(scanned["number"]):
            raise _wrong_check(written)
        return Donation(scanned["number"], flags)
    compact = re.sub(r"[ -]", "", written).upper().removeprefix("=")
    number, check = compact[:13], compact[13:]
    if not _DIN.fullmatch(number) or len(check) > 1:
        raise IdentifierRefused(
            "not_an_identifier",
            f"{written[:40]!r} is not a donation number: 13 characters and the check character, such as G1234 98 654321 H.",
        )
    if not check and needs_check:
        raise IdentifierRefused("check_character_missing", "The check character is missing. Type the one in the box after the donation number.")
    if check and check != check_character(number):
        raise _wrong_check(written)
    return Donation(number)


def check_din(text: str) -> str:
    """The 13 characters of a donation number whose check character is right. Raises ``IdentifierRefused`` as ``parse_din``."""
    return parse_din(text).number


def _wrong_check(text: str) -> IdentifierRefused:
    return IdentifierRefused("wrong_check_character", f"The check character of {text[:40]!r} is wrong. Read it again character by character.")


def new_coi(issuer: str, random: bytes) -> str:
    """A chain-of-identity identifier from the issuer's code and at least 16 random bytes. Raises ``ValueError`` for fewer."""
    return _new("COI", issuer, random)


def new_container(issuer: str, random: bytes) -> str:
    """A container identifier from the issuer's code and at least 16 random bytes. Raises ``ValueError`` for fewer."""
    return _new("CN", issuer, random)


def _new(prefix: str, issuer: str, random: bytes) -> str:
    if not _ISSUER.fullmatch(issuer):
        raise IdentifierRefused("not_an_identifier", f"{issuer[:20]!r} cannot issue identifiers: 2 to 8 letters A to Z and digits are wanted.")
    serial = _drawn(random, SERIAL_ALPHABET, SERIAL_LENGTH, SERIAL_BYTES)
    return f"{prefix}-{issuer}-{serial}-{check_character(issuer + serial)}"


def _drawn(random: bytes, alphabet: str, length: int, least: int) -> str:
    if len(random) < least:
        raise ValueError(f"{least} random bytes are needed, not {len(random)}")
    number = int.from_bytes(random[:least])
    drawn = ""
    for _ in range(length):
        number, at = divmod(number, len(alphabet))
        drawn += alphabet[at]
    return drawn


def check_coi(text: str) -> str:
    """A chain-of-identity identifier that is whole. Raises ``IdentifierRefused``: ``not_an_identifier``, ``wrong_check_character``."""
    return _checked("COI", text)


def check_container(text: str) -> str:
    """A container identifier that is whole. Raises ``IdentifierRefused``: ``not_an_identifier``, ``wrong_check_character``."""
    return _checked("CN", text)


def _checked(prefix: str, text: str) -> str:
    written = text.strip()
    found = _OWN.fullmatch(written.upper())
    if found is None or found["prefix"] != prefix:
        example = f"{prefix}-BCN1-7Q3K9M2XWD-{check_character('BCN17Q3K9M2XWD')}"
        raise IdentifierRefused("not_an_identifier", f"{written[:40]!r} is not whole. It is written like {example}.")
    if check_character(found["issuer"] + found["serial"]) != found["check"]:
        raise _wrong_check(written)
    return found[0]


def new_check_code(random: bytes, taken: Collection[str]) -> str:
    """Three characters for a lot, drawn from at least 8 random bytes, not among ``taken``.

    While one exists, a code that differs from every taken one in two places is chosen, so that one misheard character does not
    name another open lot. Raises ``IdentifierRefused`` (``no_check_code_left``) when all 4913 are taken.
    """
    size = len(CHECK_CODE_ALPHABET) ** CHECK_CODE_LENGTH
    if len(random) < CHECK_CODE_BYTES:
        raise ValueError(f"{CHECK_CODE_BYTES} random bytes are needed, not {len(random)}")
    start = int.from_bytes(random[:CHECK_CODE_BYTES]) % size
    # 1009 is prime and no divisor of 17**3: the walk meets every code once.
    codes = [_code((start + step * 1009) % size) for step in range(size)]
    near = {code[:at] + other + code[at + 1 :] for code in taken for at in range(len(code)) for other in CHECK_CODE_ALPHABET}
    for refused in (near, set(taken)):
        for code in codes:
            if code not in refused:
                return code
    raise IdentifierRefused("no_check_code_left", "Every check code belongs to an open lot. Close lots that are finished.")


def _code(number: int) -> str:
    code = ""
    for _ in range(CHECK_CODE_LENGTH):
        number, at = divmod(number, len(CHECK_CODE_ALPHABET))
        code += CHECK_CODE_ALPHABET[at]
    return code


def own_code(kind: ScanKind, value: str) -> str:
    """The text of our own label: ``CTL:C:CN-BCN1-7Q3K9M2XWD-K``. Raises ``IdentifierRefused`` when the value cannot stand in it."""
    letter = next((each for each, stands_for in _LETTERS.items() if stands_for is kind), "?")
    written = f"CTL:{letter}:{value}"
    if not _CTL.fullmatch(written):
        raise IdentifierRefused("not_an_identifier", f"{value[:40]!r} cannot stand on a label: letters, digits and * . _ / - only.")
    return written


def own_elements(kind: ScanKind, value: str) -> Elements:
    """The same as GS1 elements for a Data Matrix: ``(91)CTL:C:...``. Raises ``IdentifierRefused``."""
    return elements((OWN, own_code(kind, value)))


def parse_scan(text: str) -> Scanned:
    """What a scanned or typed text stands for, by its content.

    Understood: our own codes (plain or in GS1), our identifiers as typed, donation numbers, and suppliers' GS1 labels with a lot (10 with 01 or
    alone). Anything else is ``unknown``. Raises ``IdentifierRefused`` when the code is one of ours or a donation number and not whole
    (``wrong_check_character``, ``not_an_identifier``), or the scanner changed its letters (``case_changed``).
    """
    if len(text) > LONGEST_SCAN:
        raise IdentifierRefused("not_an_identifier", f"The code has {len(text)} characters; {LONGEST_SCAN} is the most. Scan one label.")
    written = text.strip(" \t\r\n")
    body = _SYMBOLOGY.sub("", written, count=1) if _SYMBOLOGY.match(written) else written
    if body.startswith("CTL:"):
        return _own_scan(body, text)
    if body.casefold().startswith("ctl:"):
        raise IdentifierRefused("case_changed", "The scanner changed capital letters to small ones. Turn caps lock off and scan again.")
    if body.startswith("COI-"):
        return Scanned(ScanKind.THERAPY_EVENT, check_coi(body), text, for_eyes=True)
    if body.startswith("CN-"):
        return Scanned(ScanKind.CONTAINER, check_container(body), text, for_eyes=True)
    if _DIN_BARCODE.fullmatch(body):
        return Scanned(ScanKind.DONATION, parse_din(body).number, text)
    if _looks_like_typed_din(body):
        return Scanned(ScanKind.DONATION, parse_din(body).number, text, for_eyes=True)
    return _gs1_scan(body, text)


def as_typed(text: str) -> str:
    """What a person read who typed a label's code by hand: its identifier as it is written for eyes, so that typing never passes as a scan.

    A label's text can be copied from a page or from memory; only a scanner proves that the container is in hand (COI-03, decision 10).
    What names no container, donation or chain of identity comes back as it was; so does a code that cannot be read.
    """
    try:
        scanned = parse_scan(text)
    except IdentifierRefused:
        return text
    if scanned.kind is ScanKind.DONATION:
        return Donation(scanned.value).eye_readable
    return scanned.value if scanned.kind in (ScanKind.CONTAINER, ScanKind.THERAPY_EVENT) else text


def _own_scan(body: str, text: str, gs1: Elements | None = None) -> Scanned:
    found = _CTL.fullmatch(body)
    kind = _LETTERS.get(found["letter"]) if found else None
    if found is None or kind is None:
        raise IdentifierRefused("not_an_identifier", f"{body[:40]!r} is a label of this system that was not read whole. Scan it again.")
    value = found["value"]
    if kind is ScanKind.CONTAINER:
        value = check_container(value)
    elif kind is ScanKind.THERAPY_EVENT:
        value = check_coi(value)
    elif kind is ScanKind.DONATION:
        value = parse_din(value, needs_check=False).number
    return Scanned(kind, value, text, gs1)


def _looks_like_typed_din(body: str) -> bool:
    compact = re.sub(r"[ -]", "", body).upper()
    # With a letter first and the check character: bare digits are a supplier's number or GS1.
    return len(compact) == 14 and compact[0].isalpha() and bool(_DIN.fullmatch(compact[:13]))


def _gs1_scan(body: str, text: str) -> Scanned:
    try:
        gs1 = parse_elements(body)
    except ElementsRefused:
        return Scanned(ScanKind.UNKNOWN, body, text)
    own = gs1.get(OWN)
    if own is not None and own.startswith("CTL:"):
        return _own_scan(own, text, gs1)
    lot = gs1.get("10")
    if lot is not None:
        return Scanned(ScanKind.MATERIAL_LOT, lot, text, gs1)
    return Scanned(ScanKind.UNKNOWN, body, text, gs1)
