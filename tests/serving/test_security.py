"""Who may do what, and what every answer carries."""

import asyncio
import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from shutil import which
from typing import Any

import pytest
from starlette.datastructures import Headers
from starlette.testclient import TestClient

from biobert.core.errors import BadInputError
from biobert.core.settings import from_mapping
from biobert.runtime.settings import RuntimeSettings
from biobert.serving import keys as keys_module
from biobert.serving.keys import create_key
from biobert.serving.logs import LOGGER, JsonLines
from biobert.serving.refusals import Refusal
from biobert.serving.security import Doorkeeper
from biobert.serving.settings import SecuritySettings, ServiceSettings
from tests.cli.calling import call
from tests.serving.conftest import serving

TEXT = {"text": "Aspirin helps."}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("guarded")


@pytest.fixture(scope="module")
def keys(folder: Path) -> dict[str, str]:
    file = folder / "keys.json"
    return {
        "reader": create_key(file, "reader")[1],
        "admin": create_key(file, "admin", role="admin")[1],
        "slow": create_key(file, "slow", requests_per_minute=2)[1],
    }


@pytest.fixture(scope="module")
def guarded(folder: Path, keys: dict[str, str]) -> Iterator[TestClient]:
    security = {
        "keys": folder / "keys.json",
        "origins": ["https://lab.example.org"],
        "metrics": "admin",
    }
    audit = {"file": folder / "audit.jsonl"}
    with serving(security=security, audit=audit) as client:
        yield client


def bearer(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}


def test_a_key_is_needed(guarded: TestClient, keys: dict[str, str]) -> None:
    for headers in ({}, bearer("x"), bearer(keys["reader"] + "x"), {"x-api-key": ""}):
        found = guarded.post("/v1/annotate", json=TEXT, headers=headers)
        assert found.status_code == 401 and found.headers["www-authenticate"] == "Bearer"
        assert guarded.get("/v1/models", headers=headers).status_code == 401
    for headers in (bearer(keys["reader"]), {"x-api-key": keys["admin"]}):
        assert guarded.post("/v1/annotate", json=TEXT, headers=headers).status_code == 200
    assert guarded.get("/livez").status_code == guarded.get("/readyz").status_code == 200


def test_without_keys_no_other_name_is_answered() -> None:
    with serving() as client:
        for host in ("localhost", "127.0.0.1:8000", "[::1]:8000"):
            assert client.get("/v1/models", headers={"host": host}).status_code == 200
        found = client.get("/v1/models", headers={"host": "evil.example:8000"})
        assert found.status_code == 403 and "--no-keys" in found.json()["error"]["message"]
        assert client.get("/livez", headers={"host": "evil.example"}).status_code == 200
        for host in ("LOCALHOST:80", "localhost.", "localhost.:8000", "[::1]"):
            assert client.get("/v1/models", headers={"host": host}).status_code == 200
        for host in ("[::1", "[", "a]b", "evil.com@localhost", "localhost:80/x", "localhost:x"):
            found = client.get("/v1/models", headers={"host": host})
            assert (found.status_code, found.json()["error"]["code"]) == (400, "bad-host")
    with serving(security={"without_keys": "anywhere"}) as client:
        assert client.get("/v1/models", headers={"host": "lab.example"}).status_code == 200


def test_it_is_not_ready_while_nobody_can_be_let_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys_module, "LOOK_AGAIN_SECONDS", 0.0)
    file = tmp_path / "keys.json"
    create_key(file, "one")
    with serving(security={"keys": file}) as client:
        for path in ("/livez", "/readyz", "/health"):
            assert client.get(path).status_code == 200
        assert client.head("/readyz").status_code == client.head("/livez").status_code == 200
        file.chmod(0o644)
        assert client.get("/livez").status_code == 200
        assert client.get("/readyz").json()["error"]["code"] == "keys-unreadable"
        assert client.get("/v1/models").status_code == 503


def test_a_body_is_not_read_for_who_has_no_key(guarded: TestClient) -> None:
    async def receive() -> Any:
        raise AssertionError("the body was asked for")

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/v1/annotate",
        "query_string": b"",
        "headers": [(b"content-type", b"application/json"), (b"content-length", b"10000000")],
    }
    asyncio.run(guarded.app(scope, receive, send))  # type: ignore[arg-type]
    assert sent[0]["status"] == 401


def test_the_document_says_what_needs_a_key(guarded: TestClient, client: TestClient) -> None:
    found = guarded.get("/openapi.json").json()
    schemes = found["components"]["securitySchemes"]
    assert {one["type"] for one in schemes.values()} == {"http", "apiKey"}
    needed = found["paths"]["/v1/annotate"]["post"]["security"]
    assert needed == [{name: []} for name in schemes]
    assert "security" not in found["paths"]["/livez"]["get"]
    assert "securitySchemes" not in client.get("/openapi.json").json()["components"]


def test_roles(guarded: TestClient, keys: dict[str, str]) -> None:
    for role, status in (("reader", 403), ("admin", 200)):
        headers = bearer(keys[role])
        asked = {"model": "entities"}
        found = guarded.post("/v1/models/reload", json=asked, headers=headers)
        assert found.status_code == status
        assert guarded.get("/metrics", headers=headers).status_code == status


def test_each_key_has_its_rate(guarded: TestClient, keys: dict[str, str]) -> None:
    headers = bearer(keys["slow"])
    found = [guarded.post("/v1/annotate", json=TEXT, headers=headers) for _ in range(3)]
    assert [one.status_code for one in found] == [200, 200, 429]
    assert 1 <= int(found[2].headers["retry-after"]) <= 30
    assert found[2].json()["error"]["code"] == "too-many-requests"
    assert guarded.post("/v1/annotate", json=TEXT, headers=bearer(keys["reader"])).is_success


def test_replicas_share_the_rate_of_a_key(tmp_path: Path) -> None:
    """Two replicas of two workers: of 8 requests at once each worker takes 2."""
    _, key = create_key(tmp_path / "keys.json", "lab")
    settings = SecuritySettings(keys=tmp_path / "keys.json", burst=8, replicas=2)
    gate = Doorkeeper(settings, workers=2)
    caller = gate.recognise(Headers({"x-api-key": key}), "reader")
    for _ in range(2):
        gate.count(caller)
    with pytest.raises(Refusal, match="150 times a minute"):
        gate.count(caller)


def test_every_answer_protects(guarded: TestClient, keys: dict[str, str]) -> None:
    for path in ("/livez", "/nowhere", "/v1/models", "/openapi.json"):
        found = guarded.get(path, headers=bearer(keys["reader"]) | {"x-request-id": "mine-1"})
        assert "default-src 'none'" in found.headers["content-security-policy"]
        assert found.headers["x-content-type-options"] == "nosniff"
        assert found.headers["x-frame-options"] == "DENY"
        assert found.headers["cache-control"] == "no-store"
        assert found.headers["x-request-id"] == "mine-1"
        assert "server" not in found.headers
    forged = guarded.get("/livez", headers={"x-request-id": 'a" level="error'})
    assert forged.headers["x-request-id"].isalnum()


def test_other_pages_may_ask_where_they_are_named(guarded: TestClient) -> None:
    for origin, allowed in (("https://lab.example.org", True), ("https://evil.example", False)):
        headers = {"origin": origin, "access-control-request-method": "POST"}
        found = guarded.options("/v1/annotate", headers=headers)
        assert ("access-control-allow-origin" in found.headers) is allowed


def test_no_page_may_ask_by_default(client: TestClient) -> None:
    found = client.get("/livez", headers={"origin": "https://lab.example.org"})
    assert "access-control-allow-origin" not in found.headers


def test_logs_hold_no_text_and_no_key(
    guarded: TestClient,
    keys: dict[str, str],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(logging.getLogger(LOGGER), "propagate", True)
    with caplog.at_level("INFO"):
        guarded.post("/v1/annotate?format=json", json=TEXT, headers=bearer(keys["reader"]))
        guarded.get("/Quetiapine", headers=bearer(keys["reader"]))
    # The client of the test has a log of its own.
    own = [one for one in caplog.records if not one.name.startswith("http")]
    written = "\n".join(map(JsonLines().format, own))
    assert '"endpoint": "/v1/annotate"' in written and '"status": 200' in written
    assert "Aspirin" not in written and "Quetiapine" not in written
    assert not any(key in written for key in keys.values())


@pytest.mark.parametrize(
    ("tables", "words"),
    [
        ({"host": "0.0.0.0"}, "--no-keys"),
        ({"host": "example.org"}, "--no-keys"),
        ({"host": "::"}, "--no-keys"),
        ({"security": {"origins": ["*"]}}, "every web page"),
        ({"security": {"origins": ["https://*.example.org"]}}, "every web page"),
        ({"certificate": "a.pem"}, "both"),
        ({"models": []}, "at least one"),
        ({"models": [{"name": "a", "folder": "x"}] * 2}, "of its own"),
        ({"limits": {"documents": 0}}, "more than 0"),
        ({"limits": {"request_seconds": float("inf")}}, "more than 0"),
        ({"limits": {"documnts": 1}}, "did you mean"),
        ({"port": 70000}, "65535"),
    ],
)
def test_settings_that_are_not_meant(tables: dict[str, Any], words: str) -> None:
    with pytest.raises(BadInputError, match=words):
        from_mapping(ServiceSettings, tables, place="test")


def test_what_is_meant_is_allowed(folder: Path, keys: dict[str, str]) -> None:
    for security in ({"keys": folder / "keys.json"}, {"without_keys": "anywhere"}):
        from_mapping(ServiceSettings, {"host": "0.0.0.0", "security": security}, place="test")
    for host in ("127.0.0.1", "::1", "localhost", "127.9.9.9"):
        from_mapping(ServiceSettings, {"host": host}, place="test")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--host", "0.0.0.0"], "--no-keys"),
        (["--keys", "none.json"], "none.json"),
        (["--model", "nowhere"], "nowhere"),
        (["--set", "limits.documents=no"], "documents"),
        (["--tls-certificate", "none.pem", "--tls-key", "none.pem"], "none.pem"),
    ],
)
def test_a_service_that_cannot_start_says_why(arguments: list[str], words: str) -> None:
    found = call("serve", *arguments, "--port", 0, "--json")
    assert found.code in (1, 2) and words in found.json["error"]["message"]


@pytest.mark.skipif(which("openssl") is None, reason="no openssl to make a certificate with")
def test_a_key_with_a_pass_phrase_is_refused_and_none_is_asked_for(tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-passout", "pass:secret"]
    named = ["-subj", "/CN=lab.example", "-keyout", key, "-out", certificate]
    subprocess.run([*made, *named], check=True, capture_output=True)
    command = [sys.executable, "-m", "biobert", "serve", "--port", "0", "--json"]
    # Without a terminal, which OpenSSL would ask, it asks on standard error.
    done = subprocess.run(
        [*command, "--tls-certificate", certificate, "--tls-key", key],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        start_new_session=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 1 and "without a password" in done.stdout
    assert "pass phrase" not in done.stderr


def test_options_change_what_they_name_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[ServiceSettings] = []
    monkeypatch.setattr(
        "biobert.serving.server.run_service", lambda settings, _: started.append(settings)
    )
    file = tmp_path / "service.toml"
    file.write_text('[runtime]\nthreads = 2\nstreams = 1\nprecision = "bf16"\n')
    assert call("serve", "--settings", file, "--precision", "float32").code == 0
    assert call("serve", "--settings", file, "--engine", "torch", "--device", "cpu").code == 0
    assert [one.runtime for one in started] == [
        RuntimeSettings(precision="float32", threads=2, streams=1),
        RuntimeSettings("torch", "bf16", "cpu", threads=2, streams=1),
    ]
    started.clear()
    file.write_text('[runtime]\nengine = "torch"\n[security]\nkeys = "keys.json"\nburst = 7\n')
    assert call("serve", "--settings", file, "--engine", "auto", "--no-keys").code == 0
    assert call("serve", "--settings", file).code == 0
    everyone, guarded = started
    assert (everyone.runtime.engine, guarded.runtime.engine) == ("auto", "torch")
    assert everyone.security == SecuritySettings(without_keys="anywhere", burst=7)
    assert guarded.security == SecuritySettings(keys=Path("keys.json"), burst=7)
