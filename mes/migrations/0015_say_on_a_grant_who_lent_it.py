import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    guarded_changes = {
        "grant": "A column that is empty for every grant there was; who lent one of those stands in its authority.",
        "granthistory": "The same column of its versions.",
    }

    dependencies = [
        ("mes", "0014_say_how_a_site_writes_decimals"),
    ]

    operations = [
        migrations.AddField(
            model_name="grant",
            name="lent_by",
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name="granthistory",
            name="lent_by",
            field=models.ForeignKey(
                blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
    ]
