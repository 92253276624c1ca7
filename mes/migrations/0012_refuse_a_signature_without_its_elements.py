from django.db import migrations, models


class Migration(migrations.Migration):
    guarded_changes = {"signature": "Two checks of what every signature has had from the first on: no column is added and no value of a row changes."}

    dependencies = [
        ("mes", "0011_open_access_for_an_emergency"),
    ]

    operations = [
        migrations.AddConstraint(
            model_name="signature",
            constraint=models.CheckConstraint(
                condition=~models.Q(full_name="") & ~models.Q(username="") & ~models.Q(meaning_text="") & ~models.Q(site_time_zone=""),
                name="signature_names_its_elements",
            ),
        ),
        migrations.AddConstraint(
            model_name="signature",
            constraint=models.CheckConstraint(
                condition=~models.Q(role="") | models.Q(meaning="acknowledged_accountability"), name="signature_names_its_role"
            ),
        ),
    ]
