import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import mes.audit.models
import mes.keys
import mes.records.models

#: What every fact has.
GUARDED = (
    ("id", models.UUIDField(default=mes.keys.uuid7, editable=False, primary_key=True, serialize=False)),
    ("recorded_at", models.DateTimeField(db_default=mes.records.models.RecordNow(), editable=False)),
    ("tx", mes.audit.models.TxField(db_default=mes.audit.models.CurrentTx(), editable=False)),
    ("by", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL)),
    ("site", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="mes.site")),
)


class Migration(migrations.Migration):
    dependencies = [("mes", "0004_enable_signing_by_three_records")]

    operations = [
        migrations.AddField("anchorreceipt", "content", models.BinaryField(default=b"")),
        migrations.AddField("checkpoint", "next_key", models.TextField(blank=True, default="")),
        migrations.CreateModel(
            "TrailCheck",
            [
                *((name, field.clone()) for name, field in GUARDED),
                ("size", models.BigIntegerField()),
                ("streams", models.IntegerField()),
                ("entries", models.BigIntegerField()),
                ("broken", models.JSONField(default=dict)),
            ],
            options={"indexes": [models.Index(fields=["site", "recorded_at"], name="trail_check_site_at")]},
        ),
        migrations.CreateModel(
            "Witnessed",
            [
                *((name, field.clone()) for name, field in GUARDED),
                ("origin", models.CharField(max_length=100)),
                ("size", models.BigIntegerField()),
                ("root", models.BinaryField()),
                ("log_key", models.TextField()),
                ("note", models.TextField()),
            ],
            options={"constraints": [models.UniqueConstraint(fields=("site", "origin", "size"), name="witnessed_once_a_size")]},
        ),
    ]
