"""manage.py demo_code USER: the one-time code of a demo person, in a demo only."""

from __future__ import annotations

import time

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from mes.people import totp
from mes.people.models import SecondFactor, User


class Command(BaseCommand):
    help = "Shows the present one-time code of a demo person whose authenticator is enrolled. Exists in a demo only."

    def add_arguments(self, parser):
        parser.add_argument("username")

    def handle(self, *args, username: str, **options):
        if settings.CARTULARY_MODE != "demo":
            raise CommandError("One-time codes are shown in a demo deployment only.")
        user = User.objects.filter(username__iexact=username).first()
        factor = SecondFactor.objects.filter(user=user, active=True, confirmed=True).first() if user else None
        if factor is None:
            raise CommandError(f"{username} has no authenticator yet. Sign in as {username} and enrol one under the name, top right.")
        left = totp.STEP_SECONDS - int(time.time()) % totp.STEP_SECONDS
        self.stdout.write(f"{totp.code_at(totp.unseal(factor.secret), totp.step_now())}  ({left} s left)")
