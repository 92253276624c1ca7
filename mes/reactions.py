"""After which event which task is sent. Both are strings; nothing is imported. A sweep finds what a lost message missed."""

from __future__ import annotations

TASKS_AFTER: dict[str, tuple[str, ...]] = {
    "quality.deviation_opened": ("quality.answer_deviation",),
    "quality.alert_raised": ("quality.deliver_alert",),
    "quality.alert_escalated": ("quality.deliver_alert",),
    "quality.owner_told": ("quality.mail_secret_change",),
    "quality.lot_certified": ("quality.render_certificate", "quality.render_record"),
    "batches.batch_record_asked": ("batches.render_batch_record",),
}
