"""What is deleted with time: activity of anonymous visitors, and the UUIDs the inbox remembers.

An old month of activity is rewritten without what still belongs to nobody identified, and the old partition
is dropped. A partition for anonymous activity would be wrong: a customer can stop being anonymous later
(R48). So each month is read once, when it is old enough, and identified activity is never moved again.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from django.conf import settings
from django.db import OperationalError, transaction
from django.utils import timezone
from structlog.stdlib import get_logger

from customers.storage.sql import execute, fetch
from dedup.models import FailedEvent, ForgottenMonth, SeenEvent

REPEATED_WITHIN = timedelta(days=30)
"""How long a repeated event is recognised by its UUID alone, whatever time its sender gives it."""
FAILED_KEPT = timedelta(days=90)
PATIENCE = "5s"
"""How long writers may have to wait for the swap; else it is tried again the next night."""

MONTHS = """
SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
 WHERE i.inhparent = 'customers_activity'::regclass AND c.relname ~ '_[0-9]{4}_[0-9]{2}$' ORDER BY 1
"""
IS_SOMEBODYS = """
EXISTS (
  SELECT FROM customers_customer c JOIN customers_customer h ON h.id = c.profile_id
   WHERE c.id = a.maestra_id AND h.is_identified AND h.erased_at IS NULL)
"""
LOCK = "LOCK TABLE {old} IN SHARE MODE"  # no row is added or changed until the swap
COPY = """
CREATE TABLE {new} (LIKE customers_activity INCLUDING DEFAULTS INCLUDING CONSTRAINTS);
INSERT INTO {new} SELECT a.* FROM {old} a WHERE {is_somebodys} ORDER BY a.maestra_id, a.occurred_at
"""
COUNT = "SELECT (SELECT count(*) FROM {old}), (SELECT count(*) FROM {new})"
SWAP = """
ALTER TABLE customers_activity DETACH PARTITION {old};
DROP TABLE {old};
ALTER TABLE {new} RENAME TO {old};
ALTER TABLE customers_activity ATTACH PARTITION {old} FOR VALUES FROM ('{begins}') TO ('{ends}')
"""
FORGET_STRAY = f"""
DELETE FROM customers_activity_default a WHERE a.occurred_at < %s AND NOT {IS_SOMEBODYS}
"""

log = get_logger(__name__)


def purge() -> None:
    """Delete the UUIDs of events resolved long ago, and old failures that nobody looked at."""
    now = timezone.now()
    SeenEvent.objects.filter(seen_on__lt=now.date() - REPEATED_WITHIN).delete()
    FailedEvent.objects.filter(failed_at__lt=now - FAILED_KEPT).delete()


def forget_months() -> int:
    """Delete anonymous activity of months that ended `ANONYMOUS_ACTIVITY_MONTHS` ago; how many activities."""
    months: int = settings.ANONYMOUS_ACTIVITY_MONTHS
    if not months:
        return 0
    end = first_day_kept(timezone.now().date(), months)
    execute(FORGET_STRAY, [end])
    return sum(forget(month) for month in months_before(end))


def first_day_kept(today: date, months: int) -> date:
    index = today.year * 12 + today.month - 1 - months
    return date(index // 12, index % 12 + 1, 1)


def months_before(end: date) -> Iterator[date]:
    """Months that have a partition, ended by then, and were not forgotten yet."""
    names = [name for (name,) in fetch(MONTHS)]
    done = set(ForgottenMonth.objects.values_list("month", flat=True))
    months = [date(int(name[-7:-3]), int(name[-2:]), 1) for name in names]
    return (month for month in months if month < end and month not in done)


def forget(month: date) -> int:
    """Delete the anonymous activity of a month; how many activities. 0 where others are writing to it."""
    old = f"customers_activity_{month:%Y_%m}"
    names = {"old": old, "new": f"{old}_kept", "is_somebodys": IS_SOMEBODYS}
    begins, ends = f"{month} 00:00+00", f"{next_month(month)} 00:00+00"
    try:
        with transaction.atomic():
            execute(f"SET LOCAL lock_timeout = '{PATIENCE}'")
            execute(LOCK.format(**names))
            execute(COPY.format(**names))
            ((total, kept),) = fetch(COUNT.format(**names))
            execute(SWAP.format(**names, begins=begins, ends=ends))
            ForgottenMonth.objects.create(month=month, dropped=total - kept, kept=kept)
    except OperationalError as error:
        log.warning("month_not_forgotten", month=str(month), error=type(error.__cause__).__name__)
        return 0
    return int(total - kept)


def next_month(month: date) -> date:
    return first_day_kept(month, -1)
