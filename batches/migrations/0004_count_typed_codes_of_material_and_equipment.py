from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('batches', '0003_judge_temperatures_of_hand_overs'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='scanevent',
            name='scan_typed_with_second_person',
        ),
        migrations.AddConstraint(
            model_name='scanevent',
            constraint=models.CheckConstraint(
                condition=models.Q(('typed', False), ('matched', False), ('with_person__isnull', False), ('purpose__in', ['material', 'equipment']), _connector='OR'),
                name='scan_typed_with_second_person',
            ),
        ),
    ]
