"""The audit log: who asked what, in lines of which none can be removed unseen."""

import json
import secrets
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from biobert.core.errors import BadInputError
from biobert.serving.audit import AuditError, AuditLog, Event, check_log
from biobert.serving.keys import create_key
from biobert.serving.settings import AuditSettings
from tests.cli.calling import call
from tests.serving.conftest import figure, serving

FULL = Path("/dev/full")
EVENT = Event("r", "k", "/v1/annotate", "m 1 abc", 1, 7, 1.5, "00", 200, "answered")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "audit.jsonl"


def write_events(file: Path, count: int) -> None:
    log = AuditLog(AuditSettings(file=file))
    for _ in range(count):
        log.write(EVENT)
    log.close()


def test_lines_are_chained_over_restarts_and_processes(file: Path) -> None:
    write_events(file, 3)
    processes = [get_context("spawn").Process(target=write_events, args=(file, 40)) for _ in "ab"]
    for one in processes:
        one.start()
    write_events(file, 40)
    for one in processes:
        one.join()
    assert check_log(file) == 123
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.with_name("audit.jsonl.secret").stat().st_mode & 0o777 == 0o600
    assert "123 lines" in call("audit", "check", file).out


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda lines: [*lines[:2], *lines[3:]], "line 3: it is record 4"),
        (lambda lines: lines[1:], "line 1: it is record 2"),
        (lambda lines: [lines[1], lines[0], *lines[2:]], "line 1"),
        (lambda lines: [*lines, lines[-1]], "line 6"),
        (lambda lines: [lines[0].replace('"k"', '"K"'), *lines[1:]], "line 1: it was changed"),
        (lambda lines: [*lines, "nonsense"], "line 6: not a line"),
        (lambda lines: [*lines, "[]"], "line 6: not a line"),
        (lambda lines: [*lines, lines[-1].replace('"k"', '"\\ud800"')], "line 6: not a line"),
    ],
)
def test_what_was_done_to_it_shows(file: Path, change: object, words: str) -> None:
    write_events(file, 5)
    lines = change(file.read_text().splitlines())  # type: ignore[operator]
    file.write_text("".join(f"{line}\n" for line in lines))
    with pytest.raises(BadInputError, match=words):
        check_log(file)
    assert call("audit", "check", file).code == 1


def test_a_broken_end_is_not_hidden_by_what_follows(file: Path) -> None:
    write_events(file, 2)
    with file.open("a") as stream:
        stream.write('{"number": 3, "hal')
    write_events(file, 1)
    with pytest.raises(BadInputError, match="line 3"):
        check_log(file)


def renamed(file: Path, number: int) -> Path:
    return file.rename(file.with_name(f"{file.name}.{number}"))


def test_a_renamed_log_goes_on_in_a_new_file(file: Path) -> None:
    log = AuditLog(AuditSettings(file=file))
    for number in (1, 2):
        log.write(EVENT)
        log.write(EVENT)
        renamed(file, number)
    log.write(EVENT)
    log.close()
    first, second = (file.with_name(f"{file.name}.{number}") for number in (1, 2))
    lines = [json.loads(line) for line in second.read_text().splitlines()]
    assert [(one["event"], one["number"]) for one in lines[:2]] == [("rotated", 3), ("request", 4)]
    assert (check_log(first), check_log(second), check_log(file)) == (2, 3, 2)
    assert "7 lines" in call("audit", "check", first, second, file).out
    assert file.stat().st_mode & 0o777 == 0o600
    # Each alone is whole, and what lies between them is missed.
    with pytest.raises(BadInputError, match=r"jsonl line 1: it is record 6; a line before it"):
        check_log(first, file)
    first.write_text(first.read_text().splitlines(keepends=True)[0])
    with pytest.raises(BadInputError, match=r"jsonl\.2 line 1: it is record 3"):
        check_log(first, second, file)


def test_a_log_that_was_renamed_before_a_restart_goes_on(file: Path) -> None:
    log = AuditLog(AuditSettings(file=file))
    log.write(EVENT)
    older = renamed(file, 1)
    file.touch(0o600)
    log.close()
    write_events(file, 2)
    assert check_log(older, file) == 4


def test_a_line_that_was_removed_after_a_renaming_shows(file: Path) -> None:
    write_events(file, 1)
    log = AuditLog(AuditSettings(file=file))
    renamed(file, 1)
    log.write(EVENT)
    log.close()
    file.write_text(file.read_text().splitlines(keepends=True)[1])
    with pytest.raises(BadInputError, match="line 1: it is record 3"):
        check_log(file)


def write_slowly(file: Path, key: str) -> None:
    log = AuditLog(AuditSettings(file=file))
    for _ in range(100):
        log.write(replace(EVENT, key=key))
        time.sleep(0.01)
    log.close()


def test_processes_go_on_together_in_a_new_file(file: Path) -> None:
    idle = AuditLog(AuditSettings(file=file))
    processes = [
        get_context("spawn").Process(target=write_slowly, args=(file, key)) for key in "ab"
    ]
    for one in processes:
        one.start()
    older: list[Path] = []
    while any(one.is_alive() for one in processes):
        content = file.read_text() if file.exists() else ""
        if len(older) < 5 and all(f'"key":"{key}"' in content for key in "ab"):
            older.append(renamed(file, len(older)))
        idle.follow()
        time.sleep(0.02)
    idle.write(EVENT)
    idle.close()
    assert [one.exitcode for one in processes] == [0, 0] and older
    assert check_log(*older, file) == 201 + len(older)


def test_logs_that_others_may_read_are_refused(file: Path) -> None:
    write_events(file, 1)
    file.chmod(0o640)
    with pytest.raises(BadInputError, match="chmod 600"):
        AuditLog(AuditSettings(file=file))
    file.chmod(0o600)
    log = AuditLog(AuditSettings(file=file))
    older = renamed(file, 1)
    file.touch(0o644)
    file.chmod(0o644)
    log.follow()
    with pytest.raises(AuditError, match="chmod 600"):
        log.write(EVENT)
    assert file.read_text() == ""
    file.chmod(0o600)
    log.write(EVENT)
    log.close()
    assert check_log(older, file) == 4 and '"resumed"' in file.read_text()


def test_secrets_that_others_may_read_are_refused(file: Path) -> None:
    write_events(file, 1)
    file.with_name("audit.jsonl.secret").chmod(0o644)
    with pytest.raises(BadInputError, match="chmod 600"):
        AuditLog(AuditSettings(file=file))


def test_a_secret_is_made_anew_where_the_first_was_not_written(file: Path) -> None:
    secret = file.with_name("audit.jsonl.secret")
    secret.touch(0o600)
    one, other = (AuditLog(AuditSettings(file=file)) for _ in range(2))
    assert one.digest(b"x") == other.digest(b"x") and len(secret.read_bytes()) == 64
    one.close()
    other.close()


def test_workers_that_start_together_have_one_secret(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slowly(bytes: int) -> str:
        time.sleep(0.2)
        return random_hex(bytes)

    random_hex = secrets.token_hex
    monkeypatch.setattr(secrets, "token_hex", slowly)
    with ThreadPoolExecutor(4) as workers:
        logs = list(workers.map(lambda _: AuditLog(AuditSettings(file=file)), range(4)))
    assert len({one.digest(b"x") for one in logs}) == 1
    for one in logs:
        one.close()


@pytest.fixture
def audited(file: Path) -> Iterator[TestClient]:
    with serving(audit={"file": file}, limits={"characters": 50}) as client:
        yield client


def test_every_request_is_written_down(audited: TestClient, file: Path) -> None:
    for _ in range(2):
        audited.post("/v1/annotate", json={"text": "Aspirin helps."})
    audited.post("/v1/annotate", json={"text": "Aspirin helps." * 9})
    audited.post("/v1/annotate", json={"txt": "Aspirin"})
    audited.post("/v1/annotate?model=entities", content="Aspirin", headers={"content-type": "a/b"})
    audited.post("/v1/classify", content="Aspirin", headers={"content-type": "a/b"})
    audited.post("/v1/models/reload", json={"model": "entities"})
    audited.get("/v1/models")
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert [(one["status"], one["outcome"]) for one in lines] == [
        (200, "answered"),
        (200, "answered"),
        (413, "too-large"),
        (422, "invalid"),
        (415, "unsupported-media-type"),
        (415, "unsupported-media-type"),
        (403, "forbidden"),
    ]
    assert lines[-1]["endpoint"] == "/v1/models/reload" and lines[-1]["input_hmac"] == ""
    first = lines[0]
    assert first["key"] == "anonymous" and first["endpoint"] == "/v1/annotate"
    assert first["model"].startswith("entities 1 ") and len(first["model"].split()[2]) == 16
    assert (first["documents"], first["characters"]) == (1, 14) and first["milliseconds"] > 0
    assert first["input_hmac"] == lines[1]["input_hmac"] != lines[2]["input_hmac"]
    assert "Aspirin" not in file.read_text() and check_log(file) == 7


def test_models_are_named_where_there_is_no_answer(file: Path, folders: dict[str, Path]) -> None:
    names = {"entities": "embedded", "relations": str(folders["relations"])}
    with serving(
        audit={"file": file},
        models=[{"name": name, "folder": folder} for name, folder in names.items()],
        limits={"request_seconds": 0.3},
        batching={"wait_milliseconds": 900.0},
    ) as client:
        for path in ("/v1/annotate", "/v1/relations"):
            assert client.post(path, json={"text": "Aspirin helps."}).status_code == 504
    models = [json.loads(line)["model"] for line in file.read_text().splitlines()]
    named = [[one.split()[0] for one in asked.split(" + ")] for asked in models]
    assert named == [["entities"], ["relations", "entities"]]


def test_a_key_is_named_and_cannot_fill_the_disk(tmp_path: Path, file: Path) -> None:
    key, text = create_key(tmp_path / "keys.json", "slow", requests_per_minute=2)
    with serving(audit={"file": file}, security={"keys": tmp_path / "keys.json"}) as client:
        for given, path, status in (
            ("no key", "/v1/annotate", 401),
            (text, "/v1/annotate", 200),
            (text, "/v1/models/reload", 403),
            (text, "/v1/annotate", 429),
            (text, "/v1/models/reload", 429),
        ):
            found = client.post(path, json={"text": "Aspirin"}, headers={"x-api-key": given})
            assert found.status_code == status
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert [(one["key"], one["status"]) for one in lines] == [(key.id, 200), (key.id, 403)]


def test_a_reload_says_what_was_loaded(tmp_path: Path, file: Path) -> None:
    _, text = create_key(tmp_path / "keys.json", "admin", role="admin")
    with serving(audit={"file": file}, security={"keys": tmp_path / "keys.json"}) as client:
        headers = {"x-api-key": text}
        found = client.post("/v1/models/reload", json={"model": "entities"}, headers=headers)
    now = found.json()["now"]
    assert json.loads(file.read_text())["model"] == f"entities {now['version']} {now['digest']}"


@pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize(("when_full", "status"), [("refuse", 503), ("continue", 200)])
def test_a_full_disk(tmp_path: Path, when_full: str, status: int) -> None:
    audit = {"file": FULL, "secret": tmp_path / "secret", "when_full": when_full}
    with serving(audit=audit) as client:
        for _ in range(2):
            found = client.post("/v1/annotate", json={"text": "Aspirin helps."})
            assert found.status_code == status, found.text
            assert ("Aspirin" in found.text) is (status == 200)
        if status == 503:
            assert found.json()["error"]["code"] == "audit-failed"
            assert int(found.headers["retry-after"]) > 0
        assert figure(client, "biobert_audit_failures_total") == 2


def test_a_disk_with_room_again_says_that_lines_are_missing(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import resource
    import signal

    write_events(file, 2)
    log = AuditLog(AuditSettings(file=file))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    size = file.stat().st_size
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        # The next line fits in part only: none of it may stay.
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + 100, before[1]))
        with pytest.raises(AuditError):
            log.write(EVENT)
        assert file.stat().st_size == size
        with pytest.raises(AuditError):
            log.check()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    log.check()
    log.write(EVENT)
    log.close()
    assert check_log(file) == 4 and '"resumed"' in file.read_text()
