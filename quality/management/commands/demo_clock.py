"""manage.py demo_clock: show or move forward the record clock of a demo."""

from __future__ import annotations

from django.core.management.base import BaseCommand, CommandError

from mes.errors import RuleBroken
from quality.demo import clock


class Command(BaseCommand):
    help = (
        'Shows the record clock of a demo, or moves it forward: demo_clock advance "2 d". It stops at every moment at which something becomes '
        "due and runs the sweeps there. Production has no such clock."
    )

    def add_arguments(self, parser):
        parser.add_argument("act", nargs="?", choices=["show", "advance"], default="show")
        parser.add_argument("span", nargs="?", default="", help='how far, such as "2 d", "90 min", "1 d 4 h"')

    def handle(self, *args, act: str, span: str, **options):
        try:
            if act == "advance":
                stops = clock.advance(clock.read_span(span), tell=self.tell)
                self.stdout.write(f"Stopped at {stops} due moment{'s' * (stops != 1)}.")
            self.stdout.write(f"Record time is {clock.shown_now()}.")
        except RuleBroken as refusal:
            raise CommandError(refusal.sentence) from refusal

    def tell(self, moment, found: dict[str, int]) -> None:
        words = ", ".join(f"{name.replace('_', ' ')}: {number}" for name, number in found.items() if number)
        self.stdout.write(f"  {clock.shown(moment)}  {words or 'nothing found'}")
