"""What `deploy/` says fits the service: settings, paths, metric names, times; and it is valid."""

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from shutil import which
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from biobert.core.settings import from_mapping
from biobert.data.formats._pdf import PdfLimits
from biobert.serving.keys import create_key
from biobert.serving.settings import ServiceSettings
from tests.serving.browser import address_of
from tests.serving.conftest import serving
from tests.serving.texts import TEXTS

yaml = pytest.importorskip("yaml")
kubernetes_validate = pytest.importorskip("kubernetes_validate")
promql_parser = pytest.importorskip("promql_parser")

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
MANIFESTS = DEPLOY / "kubernetes"
OWN_KINDS = {"kustomization.yaml", "prometheus-adapter.yaml", "pod-monitor.yaml"}
KUBERNETES = "1.34"
ADDED_BY_PROMETHEUS = {"job", "instance", "namespace", "pod"}
ADDED_BY_OPERATOR = {*ADDED_BY_PROMETHEUS, "container", "endpoint"}
"""Of a PodMonitor's targets. A label of the service's own with such a name becomes another one."""
BUILT_IN = {"up": ADDED_BY_PROMETHEUS}
SELECTOR = promql_parser.VectorSelector


def load(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def manifest(name: str) -> Any:
    return load(MANIFESTS / f"{name}.yaml")


def container() -> Any:
    (found,) = manifest("deployment")["spec"]["template"]["spec"]["containers"]
    return found


@pytest.fixture(scope="module")
def metrics(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """The names of the series that a service really has, and the labels of each."""
    keys = tmp_path_factory.mktemp("deploy") / "keys.json"
    _, key = create_key(keys, "admin", role="admin")
    with serving(security={"keys": keys}, drift={"documents": 50, "window": 50}) as client:
        client.headers["x-api-key"] = key
        for text in TEXTS[:2]:
            found = client.post("/v1/annotate", json={"documents": [{"text": text}] * 50})
            assert found.status_code == 200
        assert client.post("/v1/annotate", json={}).status_code == 422
        assert client.post("/v1/models/reload", json={"model": "entities"}).status_code == 200
        text = client.get("/metrics").text
    found = {
        sample.name: ADDED_BY_PROMETHEUS | set(sample.labels)
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    return {**found, **BUILT_IN}


def panels() -> list[Any]:
    found = json.loads((DEPLOY / "grafana/dashboards/biobert.json").read_text(encoding="utf-8"))
    return list(found["panels"])


def expressions() -> Iterator[tuple[str, str]]:
    """Every expression in the dashboard, the alerts and the adapter, as Prometheus gets it."""
    for panel in panels():
        for target in panel["targets"]:
            text = target["expr"].replace("$__rate_interval", "5m").replace("$job", ".*")
            yield f"panel {panel['title']}", text
    for group in load(DEPLOY / "prometheus/alerts.yml")["groups"]:
        for rule in group["rules"]:
            yield rule["alert"], rule["expr"]
    for rule in manifest("prometheus-adapter")["rules"]["custom"]:
        query = rule["metricsQuery"].replace("<<.GroupBy>>", "pod")
        yield "adapter", query.replace("<<.LabelMatchers>>", 'namespace="a",pod=~"b|c"')
        yield "adapter", rule["seriesQuery"]


def selectors(expression: Any) -> Iterator[Any]:
    """The selectors of series in a parsed expression, however deep."""
    if isinstance(expression, SELECTOR):
        yield expression
    for name in ("expr", "lhs", "rhs", "vector_selector", "args"):
        inner = getattr(expression, name, None)
        for one in inner if isinstance(inner, list) else [inner]:
            if one is not None:
                yield from selectors(one)


@pytest.mark.parametrize(
    ("place", "text"), [pytest.param(*one, id=one[0]) for one in expressions()]
)
def test_expressions_ask_for_what_is_there(
    place: str, text: str, metrics: dict[str, set[str]]
) -> None:
    found = list(selectors(promql_parser.parse(text)))
    assert len(found) == len(re.findall(r"\b(?:biobert_\w+|up)\b", text)) > 0, text
    for one in found:
        assert one.name in metrics, f"{place}: the service has no {one.name}"
        for matcher in one.matchers.matchers:
            assert matcher.name in metrics[one.name], f"{place}: {one.name} has no {matcher.name}"
    known = {label for one in found for label in metrics[one.name]}
    for labels in re.findall(r"by \(([^)]*)\)", text):
        assert {one.strip() for one in labels.split(",")} <= known, f"{place}: {labels}"


def test_no_label_is_taken_by_the_operator(client: TestClient) -> None:
    """`metrics` adds labels of Prometheus: here are those that the service gives its figures."""
    assert client.post("/v1/annotate", json={"text": "Aspirin"}).status_code == 200
    families = text_string_to_metric_families(client.get("/metrics").text)
    own = {label for family in families for one in family.samples for label in one.labels}
    (scraped,) = manifest("pod-monitor")["spec"]["podMetricsEndpoints"]
    dropped = [one["regex"] for one in scraped["relabelings"] if one["action"] == "labeldrop"]
    kept = {one for one in ADDED_BY_OPERATOR if not any(re.fullmatch(d, one) for d in dropped)}
    assert "endpoint" in own and own & kept == set()
    assert kept >= ADDED_BY_PROMETHEUS


def test_every_figure_of_the_service_is_shown(metrics: dict[str, set[str]]) -> None:
    shown = "".join(text for _, text in expressions())
    families = {re.sub(r"_(bucket|sum|count|created)$", "", name) for name in metrics}
    assert [one for one in families if one.removesuffix("_total") not in shown] == []


def test_codes_that_alerts_name_are_given(metrics: dict[str, set[str]]) -> None:
    (rule,) = (text for place, text in expressions() if place == "BiobertRefuses")
    codes = re.search(r'code=~"([^"]*)"', rule)[1].split("|")  # type: ignore[index]
    sources = "".join(
        path.read_text(encoding="utf-8") for path in (ROOT / "src/biobert/serving").rglob("*.py")
    )
    assert [code for code in codes if f'"{code}"' not in sources] == []


def test_the_autoscaler_asks_what_the_adapter_gives(metrics: dict[str, set[str]]) -> None:
    given = [one["name"]["as"] for one in manifest("prometheus-adapter")["rules"]["custom"]]
    autoscaler = manifest("autoscaler")["spec"]
    assert [one["pods"]["metric"]["name"] for one in autoscaler["metrics"]] == given
    assert set(given) <= metrics.keys()
    assert autoscaler["scaleTargetRef"]["name"] == manifest("deployment")["metadata"]["name"]
    target = autoscaler["metrics"][0]["pods"]["target"]["averageValue"]
    (alert,) = (text for place, text in expressions() if place == "BiobertQueueFills")
    # In thousandths. More pods come before the alert does, and this before anyone is refused.
    assert 0.0 < int(target.removesuffix("m")) / 1000 < float(alert.rpartition(">")[2]) < 1.0


def test_the_first_reload_that_is_refused_is_an_increase(client: TestClient) -> None:
    """Of a series that is not there before, Prometheus sees none."""
    lines = client.get("/metrics").text.splitlines()
    for outcome in ("done", "refused"):
        assert f'biobert_model_reloads_total{{model="entities",outcome="{outcome}"}} 0.0' in lines


def test_a_service_that_nobody_asks_is_not_ready() -> None:
    (text,) = (text for place, text in expressions() if place == "BiobertNotReady")
    assert promql_parser.parse(text).rhs.func.name == "absent"


def test_alerts_on_requests_leave_out_probes() -> None:
    """They are asked more often than all else where little is asked, and seldom fail."""
    for place in ("BiobertFails", "BiobertIsSlow"):
        (text,) = (text for found, text in expressions() if found == place)
        for one in selectors(promql_parser.parse(text)):
            asked = {matcher.name: matcher.value for matcher in one.matchers.matchers}
            assert re.fullmatch(asked["endpoint"], "/v1/annotate")
            assert not any(map(re.compile(asked["endpoint"]).fullmatch, ("/livez", "/metrics")))


def test_alerts_say_what_to_do() -> None:
    rules = [
        one for group in load(DEPLOY / "prometheus/alerts.yml")["groups"] for one in group["rules"]
    ]
    assert len({one["alert"] for one in rules}) == len(rules) == 9
    for one in rules:
        assert one["labels"]["severity"] in ("warning", "critical")
        assert {"summary", "action"} <= one["annotations"].keys()
        assert re.fullmatch(r"\d+[smh]", one.get("for", "0s"))


@pytest.mark.parametrize("path", sorted(MANIFESTS.glob("*.yaml")), ids=lambda one: one.name)
def test_manifests_are_valid(path: Path) -> None:
    if path.name in OWN_KINDS:
        pytest.skip("kinds that the API itself does not have")
    kubernetes_validate.validate(load(path), KUBERNETES, strict=True)


def test_manifests_fit_together() -> None:
    assert (
        set(manifest("kustomization")["resources"])
        == {path.name for path in MANIFESTS.glob("*.yaml")} - OWN_KINDS
    )
    pod = manifest("deployment")["spec"]["template"]
    labels = pod["metadata"]["labels"]
    for chosen in (
        manifest("deployment")["spec"]["selector"]["matchLabels"],
        manifest("service")["spec"]["selector"],
        manifest("disruption")["spec"]["selector"]["matchLabels"],
        manifest("network")["spec"]["podSelector"]["matchLabels"],
        manifest("pod-monitor")["spec"]["selector"]["matchLabels"],
    ):
        assert chosen.items() <= labels.items()
    ports = {one["name"]: one["containerPort"] for one in container()["ports"]}
    assert ports == {"http": container_settings().port}
    assert {one["targetPort"] for one in manifest("service")["spec"]["ports"]} <= ports.keys()
    mounts = {one["name"] for one in container()["volumeMounts"]}
    assert mounts == {one["name"] for one in pod["spec"]["volumes"]}


def container_settings() -> ServiceSettings:
    """The settings of the ConfigMap."""
    text = manifest("configmap")["data"]["service.toml"]
    return from_mapping(ServiceSettings, tomllib.loads(text), place="configmap.yaml")


def test_settings_are_settings() -> None:
    text = (DEPLOY / "service.toml").read_text(encoding="utf-8")
    settings = from_mapping(ServiceSettings, tomllib.loads(text), place="service.toml")
    of_pod = container_settings()
    most = manifest("autoscaler")["spec"]["maxReplicas"]
    assert of_pod.security == replace(settings.security, replicas=most, reload="nobody")
    assert replace(of_pod, security=settings.security) == settings
    assert settings.security.keys is not None
    mounted = {one["mountPath"] for one in container()["volumeMounts"]}
    assert str(settings.security.keys.parent) in mounted
    # A key file is replaced, never changed: a container that mounts the file keeps the old one.
    volumes = load(DEPLOY / "compose.yaml")["services"]["biobert"]["volumes"]
    targets = {volume.split(":")[1] for volume in volumes}
    assert str(settings.security.keys.parent) in targets
    assert str(settings.security.keys) not in targets
    assert str(settings.runtime.threads) == container()["resources"]["requests"]["cpu"]
    assert settings.runtime.threads == load(DEPLOY / "compose.yaml")["services"]["biobert"]["cpus"]


def test_pdfs_that_are_read_at_once_fit_into_the_memory() -> None:
    resources = container()["resources"]
    own, most = (
        int(resources[one]["memory"].removesuffix("Gi")) << 30 for one in ("requests", "limits")
    )
    pdfs = container_settings().limits.pdfs * PdfLimits().memory_bytes
    assert own + pdfs <= most
    assert load(DEPLOY / "compose.yaml")["services"]["biobert"]["mem_limit"] == f"{most >> 30}g"


def test_what_may_be_written_in_compose_is_the_audit_log() -> None:
    volumes = load(DEPLOY / "compose.yaml")["services"]["biobert"]["volumes"]
    (writable,) = (one.split(":")[1] for one in volumes if not one.endswith(":ro"))
    guide = (ROOT / "docs/how-to/deploy.md").read_text(encoding="utf-8")
    assert f'file = "{writable}/' in guide


def health(folder: Path, port: int, lines: str = "") -> int:
    """The exit status of the image's health check for settings with this port."""
    (folder / "service.toml").write_text(f"port = {port}\n{lines}")
    command = [sys.executable, DEPLOY / "healthcheck.py", folder / "service.toml"]
    return subprocess.run(command, capture_output=True, check=False).returncode


def test_the_health_check_asks_where_the_service_listens(tmp_path: Path) -> None:
    with address_of() as address:
        port = int(address.rstrip("/").rpartition(":")[2])
        assert health(tmp_path, port) == 0
        assert health(tmp_path, port, 'certificate = "a.pem"') != 0
    assert health(tmp_path, port) != 0


@pytest.mark.skipif(which("openssl") is None, reason="no openssl to make a certificate with")
def test_the_health_check_knows_tls(tmp_path: Path) -> None:
    pair = [tmp_path / "key.pem", tmp_path / "certificate.pem"]
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=lab.example"]
    subprocess.run([*made, "-keyout", pair[0], "-out", pair[1]], check=True, capture_output=True)
    with address_of(certificate=str(pair[1]), private_key=str(pair[0])) as address:
        port = int(address.rstrip("/").rpartition(":")[2])
        assert health(tmp_path, port, f'certificate = "{pair[1]}"') == 0
        assert health(tmp_path, port) != 0


def test_probes_ask_what_is_answered_without_a_key(client: TestClient) -> None:
    probes = [container()[f"{name}Probe"] for name in ("startup", "readiness", "liveness")]
    assert {one["httpGet"]["path"] for one in probes} == {"/livez", "/readyz"}
    for one in probes:
        assert client.get(one["httpGet"]["path"]).status_code == 200
    assert manifest("pod-monitor")["spec"]["podMetricsEndpoints"][0]["path"] == "/metrics"


def test_what_was_taken_has_the_time_to_be_answered() -> None:
    from biobert.serving.server import SHUTDOWN_MARGIN_SECONDS

    limits = container_settings().limits
    drain = limits.body_seconds + limits.request_seconds + SHUTDOWN_MARGIN_SECONDS
    pod = manifest("deployment")["spec"]["template"]["spec"]
    waits = container()["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert pod["terminationGracePeriodSeconds"] >= drain + waits
    grace = load(DEPLOY / "compose.yaml")["services"]["biobert"]["stop_grace_period"]
    assert int(grace.removesuffix("s")) >= drain


def test_nothing_runs_with_more_rights_than_it_needs() -> None:
    pod = manifest("deployment")["spec"]["template"]["spec"]
    rights = container()["securityContext"]
    assert pod["securityContext"]["runAsNonRoot"] and rights["readOnlyRootFilesystem"]
    assert rights["capabilities"]["drop"] == ["ALL"] and not rights["allowPrivilegeEscalation"]
    assert not pod["automountServiceAccountToken"]
    own = load(DEPLOY / "compose.yaml")["services"]["biobert"]
    assert own["read_only"] and own["cap_drop"] == ["ALL"]
    services = load(DEPLOY / "compose.yaml")["services"].values()
    assert all(port.startswith("127.0.0.1:") for one in services for port in one["ports"])


def test_the_image_is_built_from_what_is_here() -> None:
    lines = (DEPLOY / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", "").splitlines()
    steps = [line.split(maxsplit=1) for line in lines if line and not line.startswith("#")]
    user = f"{manifest('deployment')['spec']['template']['spec']['securityContext']['runAsUser']}"
    assert ["USER", f"{user}:{user}"] in steps
    (check,) = (words.split("CMD ")[1] for step, words in steps if step == "HEALTHCHECK")
    assert ["COPY", f"deploy/healthcheck.py {json.loads(check)[1]}"] in steps
    copied = [
        words.split()[:-1] for step, words in steps if step == "COPY" and "--from" not in words
    ]
    sources = [source for one in copied for source in one]
    allowed = (DEPLOY / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    for source in sources:
        assert (ROOT / source).exists() and f"!{source}" in allowed
    (extras,) = (words for step, words in steps if words.startswith("EXTRAS="))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    known = project["optional-dependencies"]
    packages = [one for name in extras.removeprefix("EXTRAS=").split(",") for one in known[name]]
    assert packages and not any("torch" in one for one in packages)
    entry = next(json.loads(words) for step, words in steps if step == "ENTRYPOINT")
    assert entry[0] in project["scripts"] and entry[1:] == ["serve"]
    assert next(json.loads(words) for step, words in steps if step == "CMD") == container()["args"]


def test_compose_mounts_what_is_here() -> None:
    for one in load(DEPLOY / "compose.yaml")["services"].values():
        for volume in one["volumes"]:
            source = volume.partition(":")[0]
            if source.startswith("./") and not source.startswith("./secrets/"):
                assert (DEPLOY / source).exists(), source
