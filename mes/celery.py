"""Work that waits: the Celery app, its queues, and the one table of everything periodic.

Work itself is rows in the database; a message only says "look". A lost message is found by a sweep, a doubled one
changes nothing: every task asks the database what is still open.
"""

import os
from dataclasses import dataclass

from celery import Celery
from celery.schedules import crontab
from kombu import Queue
from kombu.transport import redis as transport

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mes.settings")

#: urgent: alerts and escalations; default: everything else; paper: PDFs, which take seconds and much memory.
QUEUES = ("urgent", "default", "paper")


@dataclass(frozen=True)
class Periodic:
    """One line of the table: the task's name and when it runs (seconds between runs, or a crontab in UTC)."""

    task: str
    when: float | crontab
    queue: str = "default"


#: How often the watch looks. Rehearsals and tests look more often; a deviation itself never waits for it.
SWEEP_SECONDS = float(os.environ.get("CARTULARY_SWEEP_SECONDS", "60"))

#: Everything periodic, by the name its heartbeat carries.
PERIODIC: dict[str, Periodic] = {
    "sweep": Periodic("quality.sweep", SWEEP_SECONDS, "urgent"),
    "trail_check": Periodic("quality.check_trail", SWEEP_SECONDS),
    "whole_trail_check": Periodic("quality.check_whole_trail", crontab(hour=1, minute=20)),
    "forget_answers": Periodic("batches.forget_answers", crontab(hour=2, minute=40)),
}



class CalmQoS(transport.QoS):
    """Lets a worker outlive its broker.

    kombu 5.7 gives unacknowledged messages back while it closes a lost connection, and acknowledges a task that ends later on that closed
    one. With Redis away both raise AttributeError, which Celery takes for the end of the worker. What cannot be given back or acknowledged
    then comes again or is found by the sweep, and a task that runs twice changes nothing.
    """

    def restore_unacked(self) -> list:
        try:
            return super().restore_unacked()
        except (AttributeError, OSError, *self.channel.connection_errors):
            return []

    def ack(self, delivery_tag) -> None:
        try:
            super().ack(delivery_tag)
        except AttributeError:
            if not self.channel.closed:
                raise

    def reject(self, delivery_tag, requeue: bool = False) -> None:
        try:
            super().reject(delivery_tag, requeue=requeue)
        except AttributeError:
            if not self.channel.closed:
                raise


transport.Channel.QoS = CalmQoS

app = Celery("cartulary")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.broker_connection_max_retries = None  # a worker that gave up would be a watch that fell asleep
app.conf.task_queues = [Queue(name) for name in QUEUES]
app.conf.task_default_queue = "default"
app.conf.beat_schedule = {
    name: {"task": line.task, "schedule": line.when, "options": {"queue": line.queue}}
    for name, line in PERIODIC.items()
}
app.autodiscover_tasks()
