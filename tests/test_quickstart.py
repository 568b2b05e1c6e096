"""The demo shop, played by the real operations, and quickstart with its real processes."""

import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any
from uuid import uuid4

import psutil
import pytest
from django.conf import settings
from django.contrib.auth.models import Group, User
from django.core.management import CommandError, call_command

from config.management.commands.quickstart import STAFF, make_staff
from customers.models import Change, Customer, IntegrationPoint
from customers.presentation.customer import present
from customers.privacy.erasure import erase
from customers.profile import MAESTRA_ID
from customers.queries.search import find_hits
from customers.setup.project_config import project_config
from customers.storage.loading import load_profiles, primary_ids_of
from dedup.demo import story
from dedup.models import Merge

POINTS = {"website", "landing_page", "app", "point_of_sale", "call_centre", "crm_import", "admin"}


@pytest.fixture
def shop(db: None) -> None:
    call_command("configure", str(story.SETUP), verbosity=0)
    assert story.play()


def customer(text: str) -> dict[str, Any]:
    """The one customer that an identifier leads to, as the API shows it."""
    # A MaestraID may happen to be the same number.
    (primary_id,) = {
        found.primary_id for found in find_hits(text, project_config()) if found.kind != MAESTRA_ID
    }
    return present(load_profiles([primary_id])[primary_id], project_config())


def values(contacts: list[dict[str, Any]]) -> list[str]:
    return [contact["value"] for contact in contacts]


@pytest.mark.usefixtures("shop")
def test_the_demo_shop_has_every_kind_of_point() -> None:
    names = set(IntegrationPoint.objects.values_list("system_name", flat=True))
    assert names == POINTS | {"loyalty_website"}


@pytest.mark.usefixtures("shop")
def test_played_again_nothing_happens() -> None:
    before = list(Change.objects.values_list("id"))
    assert not story.play()
    assert list(Change.objects.values_list("id")) == before


@pytest.mark.usefixtures("shop")
def test_it_starts_again_once_its_people_are_erased() -> None:
    """R54"""
    for name in (story.PAUL, story.LINDA, story.EVAN):
        erase(customer(name)["maestra_id"], actor="system")
    call_command("configure", str(story.SETUP), verbosity=0)
    assert not story.play()


@pytest.mark.usefixtures("shop")
def test_paul_is_one_profile_with_both_browsers_and_all_his_orders() -> None:
    paul = customer("535")
    assert paul["personal"] == {"last_name": "Peterson", "first_name": "Paul", "gender": "male"}
    assert values(paul["emails"]) == [story.PAUL]
    assert values(paul["mobile_phones"]) == ["+14155550122"]
    assert set(paul["devices"]) == {story.HOME, story.OFFICE}
    assert paul["facts"]["orders_count"] == 2
    assert [(s["segmentation"], s["segment"]) for s in paul["segments"]] == [("loyalty", "gold")]


@pytest.mark.usefixtures("shop")
def test_linda_is_a_customer_of_her_own() -> None:
    linda = customer(story.LINDA)
    assert (linda["ids"], linda["devices"]) == ({"website_id": "536"}, [story.LINDAS_MOBILE])
    assert linda["facts"]["orders_count"] == 1


@pytest.mark.usefixtures("shop")
def test_evan_gets_a_note_for_pauls_phone_and_keeps_his_own() -> None:
    evan, imported = customer(story.EVAN), customer("somebody.else@example.com")
    assert values(evan["mobile_phones"]) == ["+14155550144"]
    assert [note["related_maestra_id"] for note in evan["notes"]] == [customer("535")["maestra_id"]]
    assert imported["mobile_phones"] == []
    assert [note["related_maestra_id"] for note in imported["notes"]] == [evan["maestra_id"]]


@pytest.mark.usefixtures("shop")
def test_scotts_two_profiles_became_one() -> None:
    scott, merge = customer(story.SCOTT), Merge.objects.get()
    assert scott["former_maestra_ids"] == [merge.absorbed_id]
    assert (scott["devices"], scott["mobile_devices"]) == (["desktop-of-scott"], ["phone-of-scott"])
    assert scott["facts"]["orders_count"] == 1


@pytest.mark.usefixtures("shop")
def test_nina_is_found_by_both_her_ids() -> None:
    nina = customer("301")
    assert (nina["ids"], nina["former_ids"]) == ({"crm_id": "103"}, {"crm_id": ["301"]})
    assert nina == customer("103")


@pytest.mark.usefixtures("shop")
def test_the_loyalty_accounts_stay_two() -> None:
    till, site = customer("7001"), customer("7002")
    assert till["maestra_id"] != site["maestra_id"]
    assert (values(till["emails"]), values(site["emails"])) == ([], [story.ANN])
    assert (till["facts"]["points_balance"], site["facts"]["points_balance"]) == (100, 50)


@pytest.mark.usefixtures("shop")
def test_a_phone_on_file_becomes_an_account_and_an_account_is_left_alone() -> None:
    carl, clara = customer("410"), customer(story.CLARA)
    assert [phone["gives_account_access"] for phone in carl["mobile_phones"]] == [True]
    assert carl["personal"]["first_name"] == "Carl"
    assert [email["gives_account_access"] for email in clara["emails"]] == [True]
    assert [s["status"] for s in clara["subscriptions"]] == ["subscribed"]


@pytest.mark.usefixtures("shop")
def test_nobody_else_came() -> None:
    heads = set(primary_ids_of(list(Customer.objects.values_list("id", flat=True))).values())
    assert len(heads) == 11


@pytest.mark.django_db
def test_staff_get_a_role_each_and_keep_their_passwords(tmp_path: Path) -> None:
    file = tmp_path / "logins.json"
    logins = make_staff(file)
    assert make_staff(file) == logins
    assert file.stat().st_mode & 0o777 == 0o600
    assert len(set(logins.values())) == len(STAFF)
    roles = {user.username: {group.name for group in user.groups.all()} for user in User.objects.all()}
    known = set(Group.objects.values_list("name", flat=True))
    assert roles == {name: {role} & known for name, role in STAFF.items() if role} | {"admin": set()}
    assert all(User.objects.get(username=name).check_password(word) for name, word in logins.items())
    assert list(User.objects.filter(is_superuser=True).values_list("username", flat=True)) == ["admin"]


def test_production_is_refused(settings: Any) -> None:
    settings.PRODUCTION = True
    with pytest.raises(CommandError, match="quickstart is for development"):
        call_command("quickstart")


# --- Real processes


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def on_a_new_machine(data: Path) -> dict[str, str]:
    """The environment of somebody who has set nothing."""
    ours = ("DATABASE_", "REDIS_", "SELFSAME_", "DJANGO_", "PYTEST_", "PUBLIC_")
    return {k: v for k, v in os.environ.items() if not k.startswith(ours)} | {"DATA_DIR": str(data)}


def quickstart(port: int, environment: Mapping[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "manage.py", "quickstart", "--port", str(port)],
        cwd=settings.BASE_DIR,
        env={**environment, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def until(output: IO[str] | None, mark: str) -> str:
    """What a program says, up to a line with the mark."""
    said = []
    for line in output or ():
        said.append(line)
        if mark in line:
            return "".join(said)
    raise AssertionError("".join(said))


def running(data: Path) -> Iterator[str]:
    """The command lines of processes that have to do with a DATA_DIR."""
    for process in psutil.process_iter():
        try:
            known = [*process.cmdline(), process.environ().get("DATA_DIR", "")]
        except psutil.Error:
            continue
        if any(str(data) in part for part in known):
            yield shlex.join(known)


@pytest.mark.slow
@pytest.mark.xdist_group("quickstart")
def test_quickstart_serves_and_stops_and_goes_on(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    data, port = tmp_path / "data", free_port()
    environment = on_a_new_machine(data)
    first = quickstart(port, environment)
    try:
        said = until(first.stdout, "Logs, with")
        answer = asked(said)
        assert answer["customer"]["personal"]["first_name"] == "Paul"
        assert json.loads((data / "keys.json").read_text())["website"] in said
        assert {name for name in STAFF if name in said} == set(STAFF)
        assert visited(f"http://127.0.0.1:{port}") == 202

        second = subprocess.run(
            [sys.executable, "manage.py", "quickstart"],
            cwd=settings.BASE_DIR,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert "running already" in second.stderr
        assert asked(said) == answer
    finally:
        first.send_signal(signal.SIGTERM)
        first.wait(60)
    assert gone(data)

    with socket.socket() as taken:
        # Connections of the first one may still be in their last moments.
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", port))
        taken.listen()
        third = quickstart(port, environment)
        until(third.stdout, f"Port {port} cannot be used")
        assert third.wait(60) == 1
    assert gone(data)

    fourth = quickstart(port, environment)
    try:
        again = until(fourth.stdout, "Logs, with")
        assert asked(again) == answer
        assert again.split("Selfsame is running")[1] == said.split("Selfsame is running")[1]
    finally:
        fourth.send_signal(signal.SIGINT)
        fourth.wait(60)
    assert gone(data)


def asked(said: str) -> Any:
    """The answer to the command that quickstart suggests, run as it stands. Without the segments: calculated
    ones come once the worker has recalculated them.
    """
    match = re.search(r"^curl .*?\n\n", said, re.DOTALL | re.MULTILINE)
    assert match
    done = subprocess.run(["bash", "-c", match[0]], capture_output=True, text=True, check=True)
    answer = json.loads(done.stdout)
    del answer["customer"]["segments"]
    return answer


def visited(server: str) -> int:
    """The status of what the demo shop's page sends with the key that stands in it."""
    with urllib.request.urlopen(f"{server}/static/demo/shop.html") as page:
        key = re.search(r'data-key="(.+?)"', page.read().decode())
    assert key
    body = {"device_id": str(uuid4()), "events": [{"kind": "page_view"}]}
    sent = urllib.request.Request(
        f"{server}/track/?key={key[1]}", json.dumps(body).encode(), {"Origin": server}, method="POST"
    )
    with urllib.request.urlopen(sent) as answer:
        return int(answer.status)


def gone(data: Path) -> bool:
    """Whether nothing runs any more, within a minute, most often at once."""
    deadline = time.monotonic() + 60
    while (left := list(running(data))) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert left == []
    return True
