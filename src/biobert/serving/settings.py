"""What a service serves, to whom, and within which limits: a TOML file, or options."""

import math
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Literal

from biobert.core.errors import BadInputError
from biobert.pipeline.load import EMBEDDED, EMBEDDED_NAMES
from biobert.runtime.settings import RuntimeSettings

Role = Literal["reader", "admin"]


@dataclass(frozen=True, slots=True)
class ServedModel:
    """A model by the name under which it is asked for.

    `use` is needed for a folder that is a mere encoder: `embed` gives vectors of texts, `fill-mask`
    fills gaps. `task` answers what the folder was trained for.
    """

    name: str
    folder: str
    use: Literal["task", "embed", "fill-mask"] = "task"

    def __post_init__(self) -> None:
        if not self.name.strip() or len(self.name) > 100:
            raise BadInputError(f"[[models]] name = {self.name!r}: 1 to 100 characters")


@dataclass(frozen=True, slots=True)
class LimitSettings:
    """How much one request may bring, and how long things may take.

    `body_bytes` bound a request's body and `all_bodies_bytes` those of all requests at once.
    `characters` bound one text, `documents` the texts of a request, and `pairs` the pairs of given
    entities that are to be related. `body_seconds` is how long a body may take to arrive,
    `request_seconds` how long its answer, and `idle_seconds` how long a connection may stay without
    a whole request head, or with an answer that is not read. More than `connections` are refused.
    `pdfs` are read at once in a worker, each with up to 1 GiB of memory.
    """

    body_bytes: int = 10_000_000
    all_bodies_bytes: int = 200_000_000
    characters: int = 1_000_000
    documents: int = 1_000
    pairs: int = 5_000
    body_seconds: float = 30.0
    request_seconds: float = 60.0
    idle_seconds: int = 10
    head_bytes: int = 16_384
    connections: int = 512
    pdfs: int = 2

    def __post_init__(self) -> None:
        _need_positive("[limits]", self, tuple(self.__dataclass_fields__))
        if self.all_bodies_bytes < self.body_bytes:
            raise BadInputError(
                f"[limits] all_bodies_bytes = {self.all_bodies_bytes} is less than one body's "
                f"{self.body_bytes}"
            )


@dataclass(frozen=True, slots=True)
class BatchingSettings:
    """How requests share the model.

    A batch is run when `tokens` wait, or when the first has waited for `wait_milliseconds`. At
    most `threads` requests are prepared and read out at once, and what all unanswered requests
    bring is bounded by `queued_documents` and `queued_characters`: no more than the machine
    answers within `limits.request_seconds`, or requests wait for nothing.
    """

    tokens: int = 8_192
    wait_milliseconds: float = 3.0
    threads: int = 16
    queued_documents: int = 4_000
    queued_characters: int = 2_000_000

    def __post_init__(self) -> None:
        _need_positive(
            "[batching]", self, ("tokens", "threads", "queued_documents", "queued_characters")
        )
        if not 0.0 <= self.wait_milliseconds <= 1000.0:
            raise BadInputError(
                f"[batching] wait_milliseconds = {self.wait_milliseconds}: between 0 and 1000"
            )


@dataclass(frozen=True, slots=True)
class SecuritySettings:
    """Who may ask.

    `keys` is the file that `biobert keys` writes. Without one the service answers everyone, and
    therefore listens on this machine only, unless `without_keys` says `anywhere`. A key without a
    rate of its own may ask `requests_per_minute` times, `burst` of them at once; `replicas` says
    how many services share these rates, each letting its part pass. `origins` are the web pages of
    other hosts that may ask (none by default). `metrics` says who reads /metrics, `reload` who may
    load a model anew: `nobody` where of several replicas one alone would be reached.
    """

    keys: Path | None = None
    without_keys: Literal["loopback", "anywhere"] = "loopback"
    requests_per_minute: int = 600
    burst: int = 60
    replicas: int = 1
    origins: tuple[str, ...] = ()
    metrics: Literal["anyone", "reader", "admin"] = "reader"
    reload: Literal["admin", "nobody"] = "admin"

    def __post_init__(self) -> None:
        _need_positive("[security]", self, ("requests_per_minute", "burst", "replicas"))
        for origin in self.origins:
            scheme, _, host = origin.partition("://")
            if scheme not in ("http", "https") or not host or "*" in host or "/" in host:
                raise BadInputError(
                    f"[security] origins: {origin!r} is not one origin; write each in full, such "
                    "as https://lab.example.org (`*` would let every web page ask)"
                )


@dataclass(frozen=True, slots=True)
class AuditSettings:
    """Where it is written down who asked what and when; without `file` it is not.

    Where the line cannot be written, the request is refused, or answered all the same. `secret`
    holds the key of the inputs' digests; by default it stands beside the log.
    """

    file: Path | None = None
    when_full: Literal["refuse", "continue"] = "refuse"
    secret: Path | None = None


@dataclass(frozen=True, slots=True)
class DriftSettings:
    """How the inputs are watched: the last `window` documents are compared with the first ones.

    The first are the first `documents` that a model of a worker answers, after a start or a reload.
    """

    documents: int = 500
    window: int = 500

    def __post_init__(self) -> None:
        _need_positive("[drift]", self, ("documents", "window"))


@dataclass(frozen=True, slots=True)
class TracingSettings:
    """Where traces go: the address of a collector that reads OTLP over HTTP; without it nowhere.

    `share` of the requests is traced, but one whose caller says so in `traceparent` as the caller
    says. `name` is what the service is called in traces.
    """

    endpoint: str | None = None
    share: float = 1.0
    name: str = "biobert"

    def __post_init__(self) -> None:
        if self.endpoint is not None and not self.endpoint.startswith(("http://", "https://")):
            raise BadInputError(
                f"[tracing] endpoint = {self.endpoint!r}: write the whole address, such as "
                "http://127.0.0.1:4318/v1/traces"
            )
        if not 0.0 <= self.share <= 1.0:
            raise BadInputError(f"[tracing] share = {self.share}: between 0 and 1")


@dataclass(frozen=True, slots=True)
class DeidentificationSettings:
    """What stands in the place of identifiers, where a request asks for it: tags or surrogates.

    Surrogates are other ones in each request: if they stayed the same, who sends a date of his own
    would learn by how many days those of all others were moved. `names` is the folder of a model
    that finds identifiers besides the rules; "none" leaves it to these.
    """

    replacement: Literal["tags", "surrogates"] = "tags"
    names: str = EMBEDDED_NAMES


@dataclass(frozen=True, slots=True)
class ServiceSettings:
    """A whole service; `certificate` and `private_key` are PEM files for TLS."""

    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 1
    certificate: Path | None = None
    private_key: Path | None = None
    models: tuple[ServedModel, ...] = (ServedModel("entities", EMBEDDED),)
    runtime: RuntimeSettings = RuntimeSettings()
    limits: LimitSettings = field(default_factory=LimitSettings)
    batching: BatchingSettings = field(default_factory=BatchingSettings)
    security: SecuritySettings = field(default_factory=SecuritySettings)
    audit: AuditSettings = field(default_factory=AuditSettings)
    drift: DriftSettings = field(default_factory=DriftSettings)
    deidentification: DeidentificationSettings = field(default_factory=DeidentificationSettings)
    tracing: TracingSettings = field(default_factory=TracingSettings)

    def __post_init__(self) -> None:
        if not 0 <= self.port <= 65535 or self.workers < 1:
            raise BadInputError(
                f"port = {self.port}, workers = {self.workers}: a port up to 65535, a worker at "
                "least"
            )
        names = [one.name for one in self.models]
        if not names or len(set(names)) < len(names):
            raise BadInputError(f"[[models]] {names}: at least one, each with a name of its own")
        if (self.certificate is None) != (self.private_key is None):
            raise BadInputError("TLS needs both: certificate and private_key")
        self._check_access()

    def _check_access(self) -> None:
        guarded = self.security.keys is not None or self.security.without_keys == "anywhere"
        if not guarded and not is_loopback(self.host):
            raise BadInputError(
                f"host = {self.host!r} can be reached from other machines, and there are no keys: "
                "make one with `biobert keys create NAME --file keys.json` and start with "
                "--keys keys.json, or say --no-keys to let everyone ask",
                code="usage",
            )


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches the address."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _need_positive(place: str, settings: object, names: tuple[str, ...]) -> None:
    for name in names:
        value = getattr(settings, name)
        if not 0 < value < math.inf:
            raise BadInputError(f"{place} {name} = {value}: a number, more than 0")
