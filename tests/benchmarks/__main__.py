"""The command line: `python -m tests.benchmarks --help`."""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

import django

from config.embedded import ensure_services
from tests.benchmarks.measuring import Table
from tests.benchmarks.scratch import scratch_database

NAMES = ("service", "http", "batch", "merge", "plans", "pages", "events", "segments", "imports", "hammer")


def main() -> None:
    options = parsed()
    os.environ["SELFSAME_ENV"] = "development"
    os.environ["LOG_LEVEL"] = "WARNING"
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    ensure_services()
    with scratch_database():
        django.setup()
        tables = [table for name in options.names or NAMES for table in run(name, options)]
    if options.json:
        options.json.write_text(json.dumps([table.as_json() for table in tables], indent=2))


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", choices=(*NAMES, []), metavar="name", help=", ".join(NAMES))
    parser.add_argument("--repetitions", type=int, default=300, help="of a single operation (300)")
    parser.add_argument("--seconds", type=float, default=4, help="of each round over HTTP (4)")
    parser.add_argument("--hammer", type=float, default=15, help="seconds of each mix of the hammer (15)")
    parser.add_argument("--activities", type=int, default=1_000_000, help="of a merged customer (1000000)")
    parser.add_argument("--customers", type=int, default=100_000, help="there are (100000)")
    parser.add_argument("--events", type=int, default=100_000, help="of each round from the inbox (100000)")
    parser.add_argument("--rows", type=int, default=100_000, help="of an imported file (100000)")
    parser.add_argument("--json", type=Path, help="a file that gets the figures as JSON")
    return parser.parse_args()


def run(name: str, options: argparse.Namespace) -> list[Table]:
    """One group of benchmarks, printed as soon as it is measured."""
    # Models can be imported only after the set-up of Django, on the scratch database.
    from tests.benchmarks import (  # noqa: PLC0415
        batches,
        events,
        hammer,
        imports,
        merges,
        over_http,
        pages,
        plans,
        recalculation,
        services,
    )

    measure = {
        "service": lambda: [services.measured(options.repetitions)],
        "http": lambda: [over_http.measured(options.seconds)],
        "batch": lambda: [batches.measured()],
        "merge": lambda: [merges.measured(options.activities)],
        "plans": lambda: [plans.explained(options.customers)],
        "pages": lambda: [pages.measured(options.customers)],
        "events": lambda: [events.measured(options.events)],
        "imports": lambda: imports.measured(options.rows, options.customers),
        "hammer": lambda: [hammer.measured(options.hammer)],
        "segments": lambda: [recalculation.measured(options.customers)],
    }
    tables = measure[name]()
    for table in tables:
        print(table, flush=True)  # noqa: T201 - it is a command
    return tables


if __name__ == "__main__":
    main()
