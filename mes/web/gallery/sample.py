"""What all sample pages share: a moment, a site, a person, lots. All made up."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal as D

from mes.web.countdown import Countdown
from mes.web.gauge import Limits
from mes.web.panels import placed

NOW = datetime(2026, 11, 19, 13, 32, 8, tzinfo=UTC)


ZONE = "Europe/Amsterdam"


SAID = "Sample data. People, patients and lots here are made up."


NAV = [{"label": label, "url": "#"} for label in ("Floor", "Lots", "QC", "Review", "Deviations", "Alerts", "Recipes", "Materials", "Equipment", "Audit trail")]


MAYA = {"name": "Maya Okafor", "role": "Operator", "site": "Utrecht"}


LOT_STEP = {"check": "7K4", "number": "CT-26-0147", "product": "NX-119, anti-CD19 CAR-T"}


LOT_QA = {"check": "C8R", "number": "CT-26-0139", "product": "NX-119, anti-CD19 CAR-T · MBR-014 v3"}


VIABILITY = Limits(low=D("70.0"), high=D("100.0"), alert_low=D("75.0"), window_low=D("58"), window_high=D("104"))


def ago(**parts: float) -> datetime:
    return NOW - timedelta(**parts)


def count(label: str, used: timedelta, limit: timedelta, beside: str = "", **more: bool) -> Countdown:
    return Countdown(label, NOW - used, NOW - used + limit, NOW, beside=beside, **more)


def hours(number: float) -> timedelta:
    return timedelta(hours=number)


def page(name: str, role: str, current: str = "") -> dict:
    nav = placed([item | {"current": item["label"] == current} for item in NAV])
    return {"nav": nav, "person": {"name": name, "role": role, "site": "Utrecht"}, "site_zone": ZONE, "demo": SAID}
