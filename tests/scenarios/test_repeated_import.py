"""A file of customers with all that is wrong with such files, sent again and again: the rules decide the same
every time, and tell of any two why they are one customer, or are not.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile

from dedup import tasks
from dedup.storage.integrity import faults
from tests.scenarios.api import NO_MERGE, Api, Project

SSN = {"system_name": "ssn", "name": "SSN", "unique": True, **NO_MERGE}
CRM_ID = {"system_name": "crm_id", "name": "CRM ID", "unique": True}
FAMILY, TEAM = "family@example.com", "team@example.com"
HEADER = "CrmID,SSN,Email,Phone,LastName,FirstName,BirthDate"
# Each row with what becomes of it at first, and whenever the file comes again.
ROWS = [
    ("101,,,702-919-1300,Smith,Robert,1978-12-11", "created", "changed"),
    ("102,,,(702) 919 1300,Smith,Bob,1978-11-12", "joined", "changed"),
    (f"103,294-66-1111,{FAMILY},,Kerr,Edward,1970-03-01", "created", "unchanged"),
    (f"104,293-90-2222,{FAMILY},,Kerr,Mary,1976-10-27", "created", "changed"),
    ("105,293-90-2222,,,Kerr,Mary,", "changed", "unchanged"),
    (f"106,,{FAMILY},,Kerr,Mark,1997-09-28", "joined", "changed"),
    ("107,,ellie@example.com,801 555 0101,Squire,Ellie,1991-02-19", "created", "unchanged"),
    ("108,,o.hare@example.com,+1 801 555 0101,O'Hare,Ellie,1967-08-15", "created", "unchanged"),
    (f"109,,{TEAM},,Swarm,Jorg,", "created", "changed"),
    (f"110,,{TEAM},,Barge,Jorge,", "joined", "changed"),
    ("111,521-21-3333,,,Moon,Susan,", "created", "unchanged"),
    ("112,521213333,,,Moon,Susan,", "created", "unchanged"),
    ('113,,"Ann <ann@example.com>",,Lee,Ann,', "created", "unchanged"),
]


def imported(point: Api) -> list[str]:
    """What became of the rows of the file, once it was worked."""
    text = "\n".join([HEADER, *(row for row, *_ in ROWS)])
    data = {
        "file": SimpleUploadedFile("customers.csv", text.encode()),
        "kind": "customers",
        "options": json.dumps({"drop_invalid": True}),
    }
    answer = point.client.post("/api/v1/imports/", data)
    assert answer.status_code == 202, answer.content
    tasks.work_imports()
    report = point.client.get(f"/api/v1/imports/{answer.json()['id']}/report/")
    rows = json.loads(b"".join(report))["results"]
    return [row["outcome"] for row in rows]


def explained(shop: Project, left: str, right: str) -> dict[str, Any]:
    pair = {"customers": [{"crm_id": left}, {"crm_id": right}]}
    return dict(shop.website.post("customers/explain/", pair).body)


def kept_apart(shop: Project, left: str, right: str) -> tuple[list[Any], list[Any], list[str]]:
    """What two who are not one share, what vetoes, and what would have to change."""
    body = explained(shop, left, right)
    assert (body["is_one_customer"], body["became_one"]) == (False, [])
    return (
        [(s["value"], s["standing"]) for s in body["shared"]],
        [(v["name"], v["values"]) for v in body["vetoes"]],
        [remedy["name"] for remedy in body["remedies"]],
    )


def test_every_pass_comes_out_as_the_rules_say_and_is_explained(project: Callable[..., Project]) -> None:
    """R2, R11, R17, R22, R30, R34, R42: names that contradict each other under one ID alternate, and all else
    is settled by the first pass.
    """
    shop = project(identifier_kinds=[CRM_ID, SSN])
    first, again = [outcome for _, outcome, _ in ROWS], [outcome for *_, outcome in ROWS]
    assert [imported(shop.crm_import) for _ in range(3)] == [first, again, again]
    assert faults() == []
    for left, right, value in [("101", "102", "+17029191300"), ("105", "106", FAMILY), ("109", "110", TEAM)]:
        [joined] = explained(shop, left, right)["became_one"]
        assert (joined["kind"], joined["reason"]) == ("joined", "matched_exactly")
        assert value in joined["sentence"]
    ids = [("different_unique_ids", [["294-66-1111"], ["293-90-2222"]])]
    assert kept_apart(shop, "103", "104") == ([(FAMILY, ["lost", "held"])], ids, ["allow_different_ids"])
    phone, emails = "+18015550101", [["ellie@example.com"], ["o.hare@example.com"]]
    assert kept_apart(shop, "107", "108") == (
        [(phone, ["lost", "held"])],
        [("different_emails", emails)],
        ["name_resulting_customer"],
    )
    ids = [("different_unique_ids", [["521-21-3333"], ["521213333"]])]
    assert kept_apart(shop, "111", "112") == ([], ids, ["allow_different_ids", "share_a_value"])
    assert kept_apart(shop, "101", "113") == ([], [], ["share_a_value"])
