from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("mes", "0006_seal_signatures")]

    operations = [
        migrations.CreateModel(
            name="SignInThrottle",
            fields=[
                ("key", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("tries", models.IntegerField()),
                ("since", models.DateTimeField()),
            ],
        ),
    ]
