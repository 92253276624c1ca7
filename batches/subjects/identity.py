"""Who a patient is, as plain values that never print themselves: not in a traceback, a log line or a task's argument."""

from __future__ import annotations

import json
import re
import unicodedata
from dataclasses import asdict, dataclass, fields

from batches.recipes.quantities import read_value
from mes.errors import UnreadableInput

LONGEST = 120
_BLANKS = re.compile(r"\s+")


@dataclass(frozen=True, slots=True, repr=False)
class Identity:
    """A patient's identity as the vault holds it. `born` is the date of birth, YYYY-MM-DD; `hospital_number` the
    patient's number at the treatment centre."""

    family_name: str
    given_name: str
    born: str
    hospital_number: str

    def __repr__(self) -> str:
        return "<identity of a patient>"

    __str__ = __repr__

    @property
    def full_name(self) -> str:
        """As labels print it: family name, given name."""
        return f"{self.family_name}, {self.given_name}"

    def to_bytes(self) -> bytes:
        """The plain bytes that are encrypted; nothing else may be done with them."""
        return json.dumps(asdict(self), sort_keys=True, ensure_ascii=False).encode()

    @classmethod
    def from_bytes(cls, plain: bytes) -> Identity:
        return cls(**json.loads(plain))


def read_identity_fields(*, family_name: str, given_name: str, born: str, hospital_number: str) -> Identity:
    """An identity from typed fields. Raises UnreadableInput: `identity_incomplete`, `identity_too_long`, ValueRefused of a date.

    No sentence repeats what was typed: refusals are kept and shown.
    """
    typed = {"family_name": family_name, "given_name": given_name, "hospital_number": hospital_number}
    kept = {name: _BLANKS.sub(" ", unicodedata.normalize("NFC", text)).strip() for name, text in typed.items()}
    for name, text in kept.items():
        words = name.replace("_", " ")
        if not text:
            raise UnreadableInput("identity_incomplete", f"The {words} is missing. Type it as the patient's document shows it.", field=name)
        if len(text) > LONGEST or not text.isprintable():
            raise UnreadableInput("identity_too_long", f"The {words} has at most {LONGEST} printable characters.", field=name)
    return Identity(**kept, born=_born(born))


def _born(text: str) -> str:
    try:
        return read_value(text, "date").content.isoformat()
    except UnreadableInput as refused:
        raise UnreadableInput("born_not_a_date", "The date of birth is no date. Type it as year-month-day, such as 1961-04-23.", field="born") from refused


def folded(text: str) -> str:
    """A name or number as it is compared: without accents, case, blanks or signs."""
    plain = unicodedata.normalize("NFKD", text).casefold()
    return "".join(character for character in plain if character.isalnum())


FIELD_NAMES = tuple(each.name for each in fields(Identity))
