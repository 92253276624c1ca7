from django.db import migrations, models


class Migration(migrations.Migration):
    guarded_changes = {"trailcheck": "A column that is empty for every earlier check, which looked at no guard: those stay sealed under their own column list."}

    dependencies = [
        ("mes", "0012_refuse_a_signature_without_its_elements"),
    ]

    operations = [
        migrations.AddField(model_name="trailcheck", name="guards", field=models.JSONField(db_default=[], default=list)),
    ]
