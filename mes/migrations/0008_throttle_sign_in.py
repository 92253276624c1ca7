from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("mes", "0003_count_each_secret_by_itself")]

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
