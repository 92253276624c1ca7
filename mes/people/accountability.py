"""What everybody who signs has acknowledged before: versioned texts, each kept for ever. 21 CFR 11.10(j), 11.100(c)(2)."""

from __future__ import annotations

TEXTS: dict[str, tuple[str, ...]] = {
    "1": (
        "My electronic signature is the legally binding equivalent of my handwritten signature.",
        "I am accountable and responsible for everything done under my electronic signature.",
        "My password, PIN and authenticator are mine alone. I sign for nobody else, and nobody signs for me.",
        "I report a secret, badge or authenticator that is lost, stolen or may be known to somebody else at once.",
    ),
}
"""Version to sentences. A changed text is a new version, and everybody acknowledges it anew; an old one is never edited."""

CURRENT = "1"
