"""Keys: kept as digests, compared in constant time, known again when the file changes."""

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from biobert.core.errors import BadInputError
from biobert.serving import keys as keys_module
from biobert.serving.keys import (
    KeyRing,
    check_private,
    create_key,
    is_private,
    read_keys,
    revoke_key,
)
from biobert.serving.security import TokenBucket
from tests.cli.calling import call


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "private" / "keys.json"


def test_only_a_digest_is_kept(file: Path) -> None:
    key, text = create_key(file, "lab", role="admin", days=30, requests_per_minute=7)
    content = file.read_text()
    secret = text.split("_", 2)[2]
    assert secret not in content and len(secret) >= 43
    assert file.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in file.parent.iterdir() if one.suffix == ".part"] == []
    (kept,) = read_keys(file).values()
    assert kept == key and kept.role == "admin" and kept.requests_per_minute == 7


def test_a_ring_knows_what_was_presented(file: Path) -> None:
    key, text = create_key(file, "lab")
    other, _ = create_key(file, "ward")
    ring = KeyRing(file)
    assert ring.find(text) == key
    for wrong in ("", "x", text[:-1], text + "a", text.replace(key.id, other.id), key.sha256, "é"):
        assert ring.find(wrong) is None


def test_expired_keys_are_unknown(file: Path) -> None:
    _, text = create_key(file, "lab", days=1)
    values = json.loads(file.read_text())
    values["keys"][0]["expires"] = (datetime.now(UTC) - timedelta(seconds=1)).isoformat()
    file.write_text(json.dumps(values))
    assert KeyRing(file).find(text) is None


def test_revoked_keys_are_refused_at_once(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys_module, "LOOK_AGAIN_SECONDS", 0.0)
    key, text = create_key(file, "lab")
    _, kept = create_key(file, "ward")
    ring = KeyRing(file)
    assert ring.find(text) is not None
    revoke_key(file, key.id)
    assert ring.find(text) is None and ring.find(kept) is not None
    file.unlink()
    with pytest.raises(BadInputError):
        ring.find(kept)


def test_files_that_others_may_read_are_refused(file: Path) -> None:
    create_key(file, "lab")
    file.chmod(0o644)
    with pytest.raises(BadInputError, match="chmod 600"):
        read_keys(file)


def test_a_file_that_cannot_be_read_is_said_to_be(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here a folder stands in its place: whose it is does not keep root from reading a file."""
    monkeypatch.setattr(keys_module, "LOOK_AGAIN_SECONDS", 0.0)
    _, text = create_key(file, "lab")
    ring = KeyRing(file)
    file.unlink()
    file.mkdir(mode=0o700)
    with pytest.raises(BadInputError, match=r"keys\.json: Is a directory"):
        ring.find(text)
    with pytest.raises(BadInputError, match="No such file"):
        check_private(file / "none")


def test_a_link_to_the_file_stays_one(file: Path) -> None:
    """Replaced by a file of its own, it would revoke keys that a service goes on to know."""
    key, text = create_key(file, "lab")
    link = file.with_name("link.json")
    link.symlink_to(file.name)
    revoke_key(link, key.id)
    assert link.is_symlink() and KeyRing(file).find(text) is None
    other, _ = create_key(link, "ward")
    assert list(read_keys(file).values()) == [other]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_file_that_root_changes_keeps_its_owner(file: Path) -> None:
    create_key(file, "lab")
    os.chown(file, 65534, -1)
    key, _ = create_key(file, "ward")
    revoke_key(file, key.id)
    assert file.stat().st_uid == 65534 and list(file.parent.iterdir()) == [file]


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{}", '{"keys": [1]}', '{"keys": [{"id": "a"}]}', '{"keys": [{"no": 1}]}'],
)
def test_files_that_hold_no_keys(file: Path, content: str) -> None:
    file.parent.mkdir()
    file.write_text(content)
    file.chmod(0o600)
    with pytest.raises(BadInputError, match=r"keys\.json"):
        read_keys(file)


def test_a_key_that_lets_nobody_ask_is_refused(file: Path) -> None:
    made = call("keys", "create", "lab", "--file", file, "--requests-per-minute", 0, "--json")
    assert made.code in (1, 2) and "requests_per_minute = 0" in made.json["error"]["message"]
    create_key(file, "lab", requests_per_minute=1)
    file.write_text(
        file.read_text().replace('"requests_per_minute": 1', '"requests_per_minute": -1')
    )
    with pytest.raises(BadInputError, match="'lab': requests_per_minute = -1"):
        read_keys(file)


@pytest.mark.parametrize("days", [0, -1, 99_999_999, 1e12, float("nan")])
def test_days_that_no_key_has(file: Path, days: float) -> None:
    made = call("keys", "create", "lab", "--file", file, f"--days={days}", "--json")
    assert made.code in (1, 2) and "days = " in made.json["error"]["message"]
    assert not file.exists()


def test_a_bucket_fills_with_time() -> None:
    now = 0.0
    bucket = TokenBucket(60.0, 2.0, clock=lambda: now)
    assert [bucket.take() for _ in range(3)] == [0.0, 0.0, 1.0]
    now = 0.5
    assert bucket.take() == pytest.approx(0.5)
    now = 1.0
    assert bucket.take() == 0.0
    now = 1000.0
    assert [bucket.take() for _ in range(3)] == [0.0, 0.0, 1.0]


def test_verbs(file: Path) -> None:
    made = call("keys", "create", "lab", "--file", file, "--role", "admin", "--days", 2, "--json")
    assert made.code == 0, made.err
    data = made.json["data"]
    assert KeyRing(file).find(data["key"]) is not None and "sha256" not in data
    plain = call("keys", "create", "ward", "--file", file)
    assert plain.out.startswith("biobert_") and len(plain.out.splitlines()) == 1
    listed = call("keys", "list", "--file", file, "--json").json["data"]["keys"]
    assert [one["name"] for one in listed] == ["lab", "ward"]
    assert "sha256" not in listed[0] and "lab" in call("keys", "list", "--file", file).out
    assert call("keys", "revoke", data["id"], "--file", file).code == 0
    assert call("keys", "revoke", data["id"], "--file", file).code == 2
    assert call("keys", "create", "x", "--file", file, "--role", "king").code == 2
    assert call("keys", "list", "--file", file.with_name("none.json")).code == 1


@pytest.mark.parametrize(
    ("mode", "owner", "user", "expected"),
    [
        (0o600, 7, 7, True),
        (0o400, 0, 7, True),
        (0o640, 7, 7, False),
        (0o604, 7, 7, False),
        # As Kubernetes mounts a secret for a user of a group.
        (0o440, 0, 7, True),
        (0o460, 0, 7, False),
        (0o444, 0, 7, False),
        (0o440, 0, 0, False),
    ],
)
def test_who_may_read_a_file_of_secrets(mode: int, owner: int, user: int, expected: bool) -> None:
    found = os.stat_result((0o100000 | mode, 1, 1, 1, owner, 7, 10, 0, 0, 0))
    assert is_private(found, user) is expected
