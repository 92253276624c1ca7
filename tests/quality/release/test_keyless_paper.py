"""The process that draws PDFs holds neither keys nor anchors (docker/compose.yml): it works where there are none."""

import pytest

from batches.dossier.rendering import render_batch_record
from batches.subjects import vault
from mes.people.setup import system_actor
from quality.release.rendering import render_certificate, render_record


def test_certificate_and_records_are_drawn_where_no_key_and_no_anchor_is(judged, settings, tmp_path):
    lot = judged.ready()
    decision, jobs = judged.certify(lot), system_actor(judged.place.site.pk)
    nowhere = tmp_path / "a file"
    nowhere.write_text("no folder can be made in it, and nothing read")
    settings.KEYS_FOLDER = settings.ANCHORS_FOLDER = nowhere
    assert render_certificate(jobs, decision.pk) is not None
    render_record(jobs, decision.pk)
    assert render_batch_record(jobs, lot.pk) is not None
    with pytest.raises(OSError, match="a file"):
        vault.make_key(lot.pk)
