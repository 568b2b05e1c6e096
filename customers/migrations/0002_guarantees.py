"""What Django cannot say of the tables, said in SQL: deferred references, exclusions, triggers, shipped rows.

Every statement has its reverse.
"""

import json

from django.db import migrations

from customers.block_list import SHIPPED


def sql(forwards: str, backwards: str = migrations.RunSQL.noop) -> migrations.RunSQL:
    return migrations.RunSQL([forwards], [backwards] if backwards else backwards)


def constraint(table: str, name: str, definition: str) -> migrations.RunSQL:
    return sql(
        f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}",
        f"ALTER TABLE {table} DROP CONSTRAINT {name}",
    )


def reference(table: str, columns: str, to: str, name: str) -> migrations.RunSQL:
    return constraint(table, name, f"FOREIGN KEY ({columns}) REFERENCES {to} DEFERRABLE INITIALLY DEFERRED")


def function(name: str, body: str) -> migrations.RunSQL:
    return sql(
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $body$ BEGIN {body} END $body$",
        f"DROP FUNCTION {name}()",
    )


def trigger(table: str, name: str, when: str, does: str) -> migrations.RunSQL:
    return sql(
        f"CREATE TRIGGER {name} {when.replace('TABLE', table)} EXECUTE FUNCTION {does}()",
        f"DROP TRIGGER {name} ON {table}",
    )


# Pointers are flat: a MaestraID, and whatever follows a profile, points at a primary MaestraID and at nothing else (R1).
REFERENCES = [
    reference(
        "customers_customer",
        "profile_id, points_at_head",
        "customers_customer (id, is_head)",
        "customer_flat",
    ),
    *(
        reference(
            f"customers_{model}",
            "customer_id, at_head",
            "customers_customer (id, is_head)",
            f"{model}_of_head",
        )
        for model in ("identifier", "claim", "paymentcard")
    ),
    reference(
        "customers_identifier",
        "kind_id, is_unique_kind",
        "customers_identifierkind (id, is_unique)",
        "identifier_kind",
    ),
]

# Partial unique indexes would do, could they wait for the commit: the middle of a merge breaks both (R2, R7).
EXCLUSIONS = [
    constraint(
        "customers_identifier",
        name,
        f"EXCLUDE USING btree (customer_id WITH =, kind_id WITH =) WHERE ({condition}) DEFERRABLE INITIALLY DEFERRED",
    )
    for name, condition in (
        ("identifier_one_primary", "is_primary"),
        ("identifier_one_current", "is_unique_kind AND NOT is_former"),
    )
]

# History only grows. An update may set `erased_at` and take away entries, or facts of entries (R54); nothing else. An
# operation is given its position once, and forgets a user account that is deleted.
APPEND_ONLY = [
    function(
        "customers_change_is_append_only",
        """
        IF TG_OP = 'UPDATE' AND NEW.erased_at IS NOT NULL AND OLD.data @> NEW.data
            AND (NEW.id, NEW.operation_id, NEW.maestra_id, NEW.at) = (OLD.id, OLD.operation_id, OLD.maestra_id, OLD.at)
        THEN
            RETURN NEW;
        END IF;
        RAISE EXCEPTION 'The change history is append-only' USING ERRCODE = 'restrict_violation';
        """,
    ),
    trigger(
        "customers_change",
        "change_is_append_only",
        "BEFORE UPDATE OR DELETE ON TABLE FOR EACH ROW",
        "customers_change_is_append_only",
    ),
    constraint("customers_change", "change_is_a_list", "CHECK (jsonb_typeof(data) = 'array')"),
    function(
        "customers_operation_is_append_only",
        """
        IF TG_OP = 'UPDATE' AND (OLD.position IS NULL OR OLD.position IS NOT DISTINCT FROM NEW.position)
            AND (NEW.actor_user_id IS NULL OR NEW.actor_user_id IS NOT DISTINCT FROM OLD.actor_user_id)
            AND (NEW.id, NEW.kind, NEW.actor, NEW.at, NEW.xid) = (OLD.id, OLD.kind, OLD.actor, OLD.at, OLD.xid)
            AND NEW.point_id IS NOT DISTINCT FROM OLD.point_id
        THEN
            RETURN NEW;
        END IF;
        RAISE EXCEPTION 'Operations are append-only' USING ERRCODE = 'restrict_violation';
        """,
    ),
    trigger(
        "customers_operation",
        "operation_is_append_only",
        "BEFORE UPDATE OR DELETE ON TABLE FOR EACH ROW",
        "customers_operation_is_append_only",
    ),
]

# Stored data bears system names: values of custom fields, notes, the history.
FIXED_NAMES = [
    function(
        "customers_name_is_fixed",
        "RAISE EXCEPTION 'A system name can never be changed' USING ERRCODE = 'restrict_violation';",
    ),
    *(
        trigger(
            f"customers_{model}",
            f"{model}_name_is_fixed",
            "BEFORE UPDATE ON TABLE FOR EACH ROW WHEN (OLD.system_name <> NEW.system_name)",
            "customers_name_is_fixed",
        )
        for model in ("identifierkind", "customfield", "integrationpoint")
    ),
]

# A sequence never gives a number twice, not even after a rollback: no two states of the set-up bear the same version.
VERSION = [
    sql("CREATE SEQUENCE customers_setup_version", "DROP SEQUENCE customers_setup_version"),
    function(
        "customers_settings_get_version",
        "NEW.version := nextval('customers_setup_version'); RETURN NEW;",
    ),
    trigger(
        "customers_projectsettings",
        "settings_get_version",
        "BEFORE INSERT OR UPDATE ON TABLE FOR EACH ROW",
        "customers_settings_get_version",
    ),
    function(
        "customers_setup_changed",
        "UPDATE customers_projectsettings SET version = version WHERE id = 1; RETURN NULL;",
    ),
    *(
        trigger(
            f"customers_{model}",
            f"{model}_setup_changed",
            "AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON TABLE FOR EACH STATEMENT",
            "customers_setup_changed",
        )
        for model in ("identifierkind", "customfield", "blockedvalue")
    ),
]

SHIPPED_BLOCK_LIST = json.dumps([{"type": e.type, "value": e.value, "pattern": e.pattern} for e in SHIPPED])

# The system's own kinds and the settings row belong to the schema, and the block list comes with it (R12): emptying the
# tables, as tests do, puts all of them back.
SHIPPED_ROWS = [
    sql("ALTER TABLE customers_identifierkind ALTER COLUMN id SET START WITH 100 RESTART"),
    function(
        "customers_ship_rows",
        f"""
        INSERT INTO customers_projectsettings (id) VALUES (1) ON CONFLICT DO NOTHING;
        INSERT INTO customers_identifierkind (id, system_name, name, category) VALUES
            (1, 'email', 'E-mail', 'email'),
            (2, 'mobile_phone', 'Mobile phone', 'mobile_phone'),
            (3, 'discount_card', 'Discount card', 'discount_card'),
            (4, 'device_id', 'Device', 'device'),
            (5, 'mobile_device_id', 'Mobile device', 'mobile_device')
        ON CONFLICT DO NOTHING;
        INSERT INTO customers_blockedvalue (type, value, pattern)
        SELECT type, value, pattern
        FROM jsonb_to_recordset($shipped${SHIPPED_BLOCK_LIST}$shipped$)
            AS shipped (type text, value text, pattern text)
        ON CONFLICT DO NOTHING;
        RETURN NULL;
        """,
    ),
    trigger(
        "customers_projectsettings",
        "settings_ship_rows",
        "AFTER TRUNCATE ON TABLE FOR EACH STATEMENT",
        "customers_ship_rows",
    ),
    sql("TRUNCATE customers_projectsettings, customers_blockedvalue"),
]


class Migration(migrations.Migration):
    dependencies = [("customers", "0001_initial")]

    operations = [*REFERENCES, *EXCLUSIONS, *APPEND_ONLY, *FIXED_NAMES, *VERSION, *SHIPPED_ROWS]
