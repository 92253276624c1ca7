"""The page on which a person acknowledges accountability, before anything else is signed. 21 CFR 11.10(j)."""

from __future__ import annotations

from mes.people import accountability
from mes.people.models import User
from mes.signatures import services
from mes.signatures.accountability import subject_of
from mes.signatures.pages import SigningPage


class AccountabilityPage(SigningPage):
    """The text in force, sentence by sentence, and one's own user name and password under it."""

    meaning = "acknowledged_accountability"
    title = "Accountability"

    def what(self):
        return subject_of(User.objects.one(pk=self.by.user_id))

    def summary(self) -> dict:
        sentences = accountability.TEXTS[accountability.CURRENT]
        return {
            "title": "Accountability for signatures",
            "caption": f"What you acknowledge, text {accountability.CURRENT}",
            "rows": [{"label": f"{number}", "value": sentence} for number, sentence in enumerate(sentences, start=1)],
            "foot": "It is signed by its owner alone, once for each version of the text.",
            "back_url": "/me/",
            "back_label": "Back to your account",
        }

    def sign(self, proof):
        return self.do(services.acknowledge_accountability, proof=proof, text_version=accountability.CURRENT)

    def done_url(self, result) -> str:
        return "/me/"
