from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("mes", "0002_checkpoints")]

    operations = [
        migrations.RemoveField("failurecounter", "failures"),
        migrations.AddField("failurecounter", "passwords", models.IntegerField(default=0, db_default=0)),
        migrations.AddField("failurecounter", "pins", models.IntegerField(default=0, db_default=0)),
        migrations.AddField("failurecounter", "codes", models.IntegerField(default=0, db_default=0)),
    ]
