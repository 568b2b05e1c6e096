"""The names of deleted segments stay, for the change history (R52)."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("segments", "0003_recalculation")]

    operations = [
        migrations.CreateModel(
            name="FormerSegment",
            fields=[
                ("id", models.BigIntegerField(primary_key=True, serialize=False)),
                ("segmentation", models.CharField()),
                ("segment", models.CharField()),
            ],
        ),
        migrations.RunSQL(
            [
                """
                CREATE FUNCTION segments_names_are_kept() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN
                  INSERT INTO segments_formersegment (id, segmentation, segment)
                  SELECT OLD.id, g.system_name, OLD.system_name
                    FROM segments_segmentation g WHERE g.id = OLD.segmentation_id;
                  RETURN OLD;
                END
                $$
                """,
                "CREATE TRIGGER segment_names_are_kept BEFORE DELETE ON segments_segment FOR EACH ROW"
                " EXECUTE FUNCTION segments_names_are_kept()",
            ],
            [
                "DROP TRIGGER segment_names_are_kept ON segments_segment",
                "DROP FUNCTION segments_names_are_kept()",
            ],
        ),
    ]
