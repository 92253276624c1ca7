"""Proofs over the API: what an inspector takes along and checks without us."""

from __future__ import annotations

from typing import ClassVar

from django.urls import path
from rest_framework import serializers

from mes.api.views import ServiceView
from mes.checkpoints import proofs
from mes.errors import UnreadableInput
from mes.permissions import Permission


class PartOut(serializers.Serializer):
    """An audit path as of RFC 6962, 2.1.1: hashes as hexadecimal, from the leaf to the root."""

    index = serializers.IntegerField()
    size = serializers.IntegerField()
    proof = serializers.ListField(child=serializers.CharField())


class InclusionOut(serializers.Serializer):
    """A stream's head in a snapshot, and the snapshot in the site's signed log."""

    format = serializers.CharField()
    origin = serializers.CharField()
    stream = serializers.CharField()
    seq = serializers.CharField(help_text="Number of the stream's last entry at that moment.")
    hash = serializers.CharField(help_text="Hash of that entry; leaf of the snapshot is the text: stream, seq, hash, with blanks between.")
    snapshot = PartOut()
    leaf = serializers.CharField(help_text="The snapshot's leaf in the site's log.")
    log = PartOut()
    note = serializers.CharField(help_text="The newest signed checkpoint (C2SP tlog-checkpoint).")


class GrowthOut(serializers.Serializer):
    """The newest signed checkpoint and the proof that the log only grew since an earlier size (RFC 6962, 2.1.2)."""

    origin = serializers.CharField()
    since = serializers.IntegerField()
    size = serializers.IntegerField()
    proof = serializers.ListField(child=serializers.CharField())
    note = serializers.CharField()


def number(request, name: str) -> int | None:
    """A count from the query, or None. Raises UnreadableInput for anything else than digits."""
    typed = request.query_params.get(name, "")
    if typed and not (typed.isascii() and typed.isdecimal() and len(typed) < 18):
        raise UnreadableInput("not_a_size", f"Give {name} as the size of the log, in digits.", field=name)
    return int(typed) if typed else None


class InclusionProof(ServiceView):
    """The proof that a stream's head was in a signed checkpoint."""

    permission = Permission.READ_AUDIT
    answers: ClassVar[dict] = {"GET": InclusionOut}

    def get(self, request, kind, stream_id):
        """In the newest checkpoint; `at`: in that of this size."""
        return self.reply(proofs.inclusion(self.actor.site_id, f"{kind}:{stream_id}", number(request, "at")))


class LogGrowth(ServiceView):
    """The newest signed checkpoint of the site, and that its log only grew."""

    permission = Permission.READ_AUDIT
    answers: ClassVar[dict] = {"GET": GrowthOut}

    def get(self, request):
        """`since`: the size that the caller saw last; else the first."""
        return self.reply(proofs.growth(self.actor.site_id, number(request, "since") or 1))


api_urls = [
    path("audit/streams/<slug:kind>/<uuid:stream_id>/inclusion-proof/", InclusionProof.as_view()),
    path("audit/checkpoint/", LogGrowth.as_view()),
]
