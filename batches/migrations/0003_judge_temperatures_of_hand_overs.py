from django.db import migrations, models

import mes.records.fields


class Migration(migrations.Migration):

    dependencies = [
        ('batches', '0002_say_why_a_scan_was_wrong'),
    ]

    operations = [
        migrations.AddField(
            model_name='handover',
            name='temperature_low',
            field=mes.records.fields.ExactDecimalField(null=True),
        ),
        migrations.AddField(
            model_name='handover',
            name='temperature_high',
            field=mes.records.fields.ExactDecimalField(null=True),
        ),
        migrations.AddField(
            model_name='handover',
            name='temperature_level',
            field=models.CharField(default='', max_length=12),
        ),
        migrations.AddField(
            model_name='handover',
            name='temperature_sentence',
            field=models.TextField(default=''),
        ),
    ]
