"""What every process of an installation agrees on before the settings load: where its data live, whether it
is production, and the secrets it keeps.
"""

import contextlib
import os
import secrets
from pathlib import Path
from urllib.parse import urlsplit

BASE_DIR = Path(__file__).resolve().parent.parent


def data_dir() -> Path:
    """Where the embedded services and the kept secrets live (DATA_DIR, default `.data`)."""
    return Path(os.environ.get("DATA_DIR") or BASE_DIR / ".data").absolute()


def environment() -> str:
    """`development` or `production`: SELFSAME_ENV, else production as soon as a server elsewhere is named."""
    named = (os.environ.get(name, "") for name in ("DATABASE_URL", "REDIS_URL"))
    guess = "development" if all(map(is_here, named)) else "production"
    return os.environ.get("SELFSAME_ENV") or guess


def is_here(url: str) -> bool:
    """Whether a server, if one is named, runs on this very machine."""
    return urlsplit(url).hostname in (None, "localhost", "127.0.0.1", "::1")


def kept_secret(name: str) -> str:
    """A random text, created by the first call and kept under DATA_DIR, where only its owner can read it."""
    path = data_dir() / name
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f"{name}.{os.getpid()}")
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(64))
        # Of several processes, the secret of the first one stays.
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
        draft.unlink()
    return path.read_text()
