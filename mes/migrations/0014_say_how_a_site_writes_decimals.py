from django.db import migrations, models


class Migration(migrations.Migration):
    guarded_changes = {
        "site": "A column with one constant for every site there was; versions sealed before stay sealed under their own column list.",
        "sitehistory": "The same column of its versions.",
    }

    dependencies = [
        ("mes", "0013_keep_what_was_found_of_guards"),
    ]

    operations = [
        migrations.AddField(model_name="site", name="decimal_sign", field=models.CharField(db_default=".", default=".", max_length=1)),
        migrations.AddField(model_name="sitehistory", name="decimal_sign", field=models.CharField(db_default=".", default=".", max_length=1)),
        migrations.AddConstraint(
            model_name="site", constraint=models.CheckConstraint(condition=models.Q(("decimal_sign__in", [".", ","])), name="site_decimal_sign")
        ),
    ]
