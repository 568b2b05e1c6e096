"""What Django cannot say of the tables: the segment of a membership is one of its segmentation (R51); names stay."""

from django.db import migrations


def name_is_fixed(model: str, names: str) -> migrations.RunSQL:
    return migrations.RunSQL(
        [
            f"CREATE TRIGGER {model}_name_is_fixed BEFORE UPDATE ON segments_{model} FOR EACH ROW"
            f" WHEN ({names}) EXECUTE FUNCTION customers_name_is_fixed()"
        ],
        [f"DROP TRIGGER {model}_name_is_fixed ON segments_{model}"],
    )


class Migration(migrations.Migration):
    dependencies = [("segments", "0001_initial"), ("customers", "0002_guarantees")]

    operations = [
        migrations.RunSQL(
            [
                "ALTER TABLE segments_membership ADD CONSTRAINT membership_segment_of_segmentation"
                " FOREIGN KEY (segment_id, segmentation_id) REFERENCES segments_segment (id, segmentation_id)"
                " DEFERRABLE INITIALLY DEFERRED"
            ],
            ["ALTER TABLE segments_membership DROP CONSTRAINT membership_segment_of_segmentation"],
        ),
        name_is_fixed("segmentation", "OLD.system_name <> NEW.system_name"),
        name_is_fixed(
            "segment",
            "(OLD.system_name, OLD.segmentation_id) <> (NEW.system_name, NEW.segmentation_id)",
        ),
    ]
