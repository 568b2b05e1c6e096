"""The file in which `configure` hands out keys: `{"<integration point>": "<key>"}`, readable by its owner
only.

After a run the file has a working key for every point that the set-up names. A key that is in the file
already stays. The database stores digests of keys, never the keys: so where the file has a key that the
database does not know, because the database was made anew, the point gets that same key again.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from customers.models import ApiKey, IntegrationPoint
from customers.setup.file.shapes import FilePlace
from customers.setup.integration_points import KEY_MARK, PREFIX_LENGTH, digest, make_key

KEY_NAME = "Set-up file"
KEY = re.compile(rf"{KEY_MARK}_([0-9a-f]{{{PREFIX_LENGTH}}})_[\w-]{{43}}", re.ASCII)


def read_keys(path: Path, place: FilePlace) -> dict[str, str]:
    """The keys in the file; none while there is no such file. Anything that is not a key is a fault."""
    try:
        content = json.loads(path.read_text()) if path.exists() else {}
    except (OSError, ValueError) as error:
        place.fault(_("it cannot be read: %(error)s") % {"error": error})
        return {}
    if not isinstance(content, dict):
        place.fault(_("it is not a mapping of integration points to keys"))
        return {}
    for name, text in content.items():
        check_key(name, text, place.key(name))
    return content


def check_key(point: str, text: Any, place: FilePlace) -> None:
    if not isinstance(text, str) or not KEY.fullmatch(text):
        place.fault(_("this is no key; take it out and a new one is made"))
        return
    key = ApiKey.objects.filter(digest=digest(text)).select_related("point").first()
    if key and key.point.system_name != point:
        words = {"point": key.point.system_name}
        place.fault(_("this key belongs to %(point)s; take it out and a new one is made") % words)


def with_working_keys(points: Mapping[str, IntegrationPoint], keys: Mapping[str, str]) -> dict[str, str]:
    """The same keys, with a working one for each of these points, which has the scopes of the point."""
    return {**keys, **{name: working_key(point, keys.get(name)) for name, point in points.items()}}


def working_key(point: IntegrationPoint, text: str | None) -> str:
    if text is None:
        return make_key(point, KEY_NAME, point.default_scopes).text
    key = ApiKey.objects.filter(digest=digest(text)).first()
    if key is None:
        restore_key(point, text)
    elif key.revoked_at:
        return make_key(point, KEY_NAME, point.default_scopes).text
    elif list(key.scopes) != list(point.default_scopes):
        key.scopes = point.default_scopes
        key.save(update_fields=["scopes"])
    return text


def restore_key(point: IntegrationPoint, text: str) -> None:
    """Give the point again a key that was handed out for it before this database was made."""
    match = KEY.fullmatch(text)
    assert match, "read_keys has checked it"
    ApiKey.objects.create(
        point=point, name=KEY_NAME, prefix=match[1], digest=digest(text), scopes=point.default_scopes
    )


def write_keys(path: Path, keys: Mapping[str, str]) -> None:
    """Replace the file in one step, so that it is never half written. Readable by its owner only."""
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w") as file:
            json.dump(keys, file, indent=2)
            file.write("\n")
        os.replace(draft, path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise
