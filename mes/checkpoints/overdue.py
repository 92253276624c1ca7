"""Whether anchors keep up with what is written: an overdue one is told by readiness and by an alert, never passed over. AUD-08.

Machines are watched by the wall clock of the database: a demo's record clock may run ahead and would cry wolf.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.core import checks
from django.db import DatabaseError, connection

from mes.audit.models import AuditEntry, AuditRow
from mes.checkpoints import anchors, witnessing
from mes.checkpoints.models import Checkpoint
from mes.clock import moment_words
from mes.people.models import Site
from mes.records.context import site_context

ALLOWED = 3 * anchors.EVERY
"""How long what was written may stay without an anchor of each kind that is set up."""

WORDS = {anchors.FOLDER: "the write-once folder", anchors.TIMESTAMP: "a time-stamp", witnessing.COSIGNED: "a co-signature of another site"}


@dataclass(frozen=True)
class Overdue:
    """One kind of anchor that is late: since when something waits, and which checkpoint was anchored last (0: none)."""

    site: Site
    kind: str
    since: dt.datetime
    last: int

    @property
    def cause(self) -> str:
        """The same for as long as the last anchored checkpoint is: one alert for each time that anchors fall behind."""
        return f"anchor_overdue:{self.kind}:{self.last}"

    def __str__(self) -> str:
        last = f"checkpoint {self.last} was the last" if self.last else "none was ever made"
        return f"{self.site.code}: nothing written since {moment_words(self.since, self.site.time_zone)} is anchored in {WORDS[self.kind]}; {last}"


def overdue(site: Site) -> list[Overdue]:
    """The kinds of anchor of a site that are late. Opens the site's context."""
    with site_context(site.pk):
        found = [(kind, last_anchored(site.pk, kind)) for kind in anchors.kinds()]
        waiting = [(kind, last, _waiting_since(site, last)) for kind, last in found]
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        now = cursor.fetchone()[0]
    return [
        Overdue(site, kind, since.astimezone(dt.UTC), last.size if last else 0) for kind, last, since in waiting if since is not None and now - since > ALLOWED
    ]


def last_anchored(site_id, kind: str) -> Checkpoint | None:
    """The newest checkpoint of a site that has this kind of anchor. Called inside the site's context."""
    return Checkpoint.objects.filter(site_id=site_id, anchors__kind=kind).order_by("-size").first()


def _waiting_since(site: Site, last: Checkpoint | None) -> dt.datetime | None:
    """When the first thing after the last anchored checkpoint was written; the log vouches for everything before it.

    What only the site's own stream says does not count: taking and anchoring a checkpoint writes there.
    """
    entries = AuditEntry.objects.filter(site_id=site.pk).exclude(stream=f"site:{site.pk}")
    if last is not None:
        taken = AuditRow.objects.filter(row_id=last.pk).values_list("entry_id", flat=True).first()
        entries = entries.filter(pk__gt=taken)
    return entries.order_by("pk").values_list("wall", flat=True).first()


@checks.register("cartulary", deploy=True)
def anchors_keep_up(app_configs, **kwargs):
    """Warning for each kind of anchor that is late: asked by readiness, outside Celery."""
    try:
        late = [each for site in Site.objects.all() for each in overdue(site)]
    except DatabaseError:  # readiness names a missing database itself
        return []
    return [checks.Warning(str(each), hint="look whether the place of anchors can be written to and worker and beat run", id="cartulary.W002") for each in late]
