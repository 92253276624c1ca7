"""The label as PDF: what it says, and the symbol that our own scan reads back."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from django.conf import settings
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from batches.custody.barcodes import data_matrix
from batches.custody.queries import Wording
from batches.custody.wording import IDENTITY_WORDS
from batches.lots.gs1 import OWN, Elements, elements
from batches.lots.identifiers import ScanKind, own_code
from batches.lots.models import Container
from batches.subjects.identity import Identity
from mes.web.pdf import render_pdf

SERIAL = "20"
"""Product variant, two digits: of fixed length, so that a scanner that drops separators still sends the code whole."""


def label_elements(container: Container, serial: int) -> Elements:
    """What the symbol holds: the container's full identifier and the label's own serial."""
    return elements((SERIAL, f"{serial:02d}"), (OWN, own_code(ScanKind.CONTAINER, container.identifier)))


def label_pdf(container: Container, serial: int, wording: Wording, identity: Identity | None, at: dt.datetime) -> bytes:
    """One label, 100 by 80 mm. `identity` only where the wording asks for it."""
    symbol = data_matrix(label_elements(container, serial))
    site = container.site
    patient = [(IDENTITY_WORDS[name], getattr(identity, name)) for name in wording.identity] if identity else []
    html = render_to_string(
        "batches/custody/label.pdf.html",
        {
            "container": container,
            "lot": container.lot,
            "serial": serial,
            "wording": wording,
            "patient": patient,
            "site": site,
            "symbol": SafeString(symbol.svg(f"Code of {container.identifier}")),
            "printed_at": at,
            "zone": site.time_zone,
            "sheet": SafeString((Path(settings.ROOT) / "static/css/label.css").read_text(encoding="utf-8")),
        },
    )
    return render_pdf(html)
