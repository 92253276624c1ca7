import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("mes", "0015_say_on_a_grant_who_lent_it")]

    operations = [
        migrations.CreateModel(
            name="UserSession",
            fields=[
                ("session_key", models.CharField(max_length=40, primary_key=True, serialize=False, verbose_name="session key")),
                ("session_data", models.TextField(verbose_name="session data")),
                ("expire_date", models.DateTimeField(db_index=True, verbose_name="expire date")),
                ("site_id", models.UUIDField(null=True)),
                ("station", models.CharField(blank=True, max_length=80)),
                ("began_at", models.DateTimeField(null=True)),
                ("touched_at", models.DateTimeField(null=True)),
                (
                    "user",
                    models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name="sessions", to=settings.AUTH_USER_MODEL),
                ),
            ],
            options={"verbose_name": "session", "verbose_name_plural": "sessions", "abstract": False},
        ),
    ]
