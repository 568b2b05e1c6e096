"""The file in which `configure` hands out keys: `{"<integration point>": "<key>"}`, for its owner's eyes
only.

After a run the file has a working key for every point the set-up names. A key that is in the file already
stays; the database knows keys by their digests alone, so one that it has not seen (it was made anew since)
is taken back as it stands.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from customers.models import ApiKey, IntegrationPoint
from customers.setup.file.shapes import FilePlace
from customers.setup.integration_points import KEY_MARK, PREFIX_LENGTH, digest, make_key

KEY_NAME = "Set-up file"
KEY = re.compile(rf"{KEY_MARK}_([0-9a-f]{{{PREFIX_LENGTH}}})_[\w-]{{43}}", re.ASCII)


def read_keys(path: Path, place: FilePlace) -> dict[str, str]:
    """The keys of the file; none where there is no such file yet."""
    try:
        content = json.loads(path.read_text()) if path.exists() else {}
    except (OSError, ValueError) as error:
        place.fault(f"it cannot be read: {error}")
        return {}
    if not isinstance(content, dict):
        place.fault("it is not a mapping of integration points to keys")
        return {}
    for name, text in content.items():
        check_key(name, text, place.key(name))
    return content


def check_key(point: str, text: Any, place: FilePlace) -> None:
    if not isinstance(text, str) or not KEY.fullmatch(text):
        place.fault("this is no key; take it out and a new one is made")
        return
    known = ApiKey.objects.filter(digest=digest(text)).select_related("point").first()
    if known and known.point.system_name != point:
        place.fault(f"this key belongs to {known.point.system_name}; take it out and a new one is made")


def keep_keys(points: Mapping[str, IntegrationPoint], keys: Mapping[str, str]) -> dict[str, str]:
    """The same keys, with a working one for each of these points, and the scopes the point declares."""
    return {**keys, **{name: working_key(point, keys.get(name)) for name, point in points.items()}}


def working_key(point: IntegrationPoint, text: str | None) -> str:
    if text is None:
        return make_key(point, KEY_NAME, point.default_scopes).text
    known = ApiKey.objects.filter(digest=digest(text)).first()
    if known is None:
        take_back(point, text)
    elif known.revoked_at:
        return make_key(point, KEY_NAME, point.default_scopes).text
    elif list(known.scopes) != list(point.default_scopes):
        known.scopes = point.default_scopes
        known.save(update_fields=["scopes"])
    return text


def take_back(point: IntegrationPoint, text: str) -> None:
    """Give the point a key that was handed out for it before this database was made."""
    match = KEY.fullmatch(text)
    assert match, "read_keys has looked at it"
    ApiKey.objects.create(
        point=point, name=KEY_NAME, prefix=match[1], digest=digest(text), scopes=point.default_scopes
    )


def write_keys(path: Path, keys: Mapping[str, str]) -> None:
    """Replace the file at once, readable by its owner only."""
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w") as file:
            json.dump(keys, file, indent=2)
            file.write("\n")
        os.replace(draft, path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise
