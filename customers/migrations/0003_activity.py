"""The activity table, partitioned by month from the first day.

Rows of months without a partition go to the default one; `customers_activity_months` makes months and brings such rows home.
"""

from django.db import migrations

TABLE = """
CREATE SEQUENCE customers_activity_id_seq;
CREATE TABLE customers_activity (
    id bigint NOT NULL DEFAULT nextval('customers_activity_id_seq'),
    uuid uuid NOT NULL,
    maestra_id bigint NOT NULL,
    kind varchar NOT NULL,
    occurred_at timestamptz NOT NULL,
    device_id bigint,
    url varchar NOT NULL DEFAULT '',
    title varchar NOT NULL DEFAULT '',
    properties jsonb NOT NULL DEFAULT '{}',
    PRIMARY KEY (id, occurred_at),
    CONSTRAINT activity_exactly_once UNIQUE (uuid, occurred_at),
    CONSTRAINT activity_kind CHECK (kind <> '')
) PARTITION BY RANGE (occurred_at);
ALTER SEQUENCE customers_activity_id_seq OWNED BY customers_activity.id;
CREATE INDEX activity_of_customer ON customers_activity (maestra_id, occurred_at DESC, id DESC);
CREATE TABLE customers_activity_default PARTITION OF customers_activity DEFAULT;
"""

MONTHS = """
CREATE FUNCTION customers_activity_months(first date, last date) RETURNS integer LANGUAGE plpgsql AS $body$
DECLARE
    month timestamp;
    name text;
    begins timestamptz;
    ends timestamptz;
    made integer := 0;
BEGIN
    FOR month IN SELECT generate_series(date_trunc('month', first::timestamp), last::timestamp, interval '1 month') LOOP
        name := 'customers_activity_' || to_char(month, 'YYYY_MM');
        CONTINUE WHEN to_regclass(name) IS NOT NULL;
        begins := month AT TIME ZONE 'UTC';
        ends := (month + interval '1 month') AT TIME ZONE 'UTC';
        LOCK TABLE customers_activity_default IN ACCESS EXCLUSIVE MODE;
        EXECUTE format('CREATE TABLE %I (LIKE customers_activity INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', name);
        EXECUTE format(
            'WITH home AS (DELETE FROM customers_activity_default WHERE occurred_at >= %L AND occurred_at < %L RETURNING *)'
            ' INSERT INTO %I SELECT * FROM home', begins, ends, name);
        EXECUTE format(
            'ALTER TABLE customers_activity ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', name, begins, ends);
        made := made + 1;
    END LOOP;
    RETURN made;
END $body$
"""

DROP_TABLE = "DROP TABLE customers_activity"
DROP_MONTHS = "DROP FUNCTION customers_activity_months(date, date)"
MAKE_MONTHS = "SELECT customers_activity_months((now() - interval '2 months')::date, (now() + interval '6 months')::date)"


class Migration(migrations.Migration):
    dependencies = [("customers", "0002_guarantees")]

    operations = [
        migrations.RunSQL([TABLE], [DROP_TABLE]),
        migrations.RunSQL([MONTHS], [DROP_MONTHS]),
        migrations.RunSQL([MAKE_MONTHS], migrations.RunSQL.noop),
    ]
