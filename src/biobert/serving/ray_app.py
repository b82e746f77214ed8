"""The service on a Ray cluster: `serve run biobert.serving.ray_app:build settings=service.toml`.

Ray Serve starts as many replicas as what waits needs, on whichever machine has room, and passes
requests to the least busy. Each replica is a whole service.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from fastapi import FastAPI
from ray import serve

from biobert.core.errors import BadInputError
from biobert.core.settings import from_mapping, override, read_toml
from biobert.serving.http import build_service
from biobert.serving.logs import configure
from biobert.serving.settings import ServiceSettings


@dataclass(frozen=True, slots=True)
class RaySettings:
    """How many replicas there are, and what each takes.

    There are between `replicas` and `most_replicas`, so many that each has about `ongoing` requests
    at work; None keeps `replicas`. `cores` and `gpus` are those of one replica.
    """

    settings: Path
    replicas: int = 1
    most_replicas: int | None = None
    ongoing: int = 16
    cores: float = 1.0
    gpus: float = 0.0

    def __post_init__(self) -> None:
        most = self.replicas if self.most_replicas is None else self.most_replicas
        if not 1 <= self.replicas <= most or min(self.ongoing, self.cores) <= 0 or self.gpus < 0:
            raise BadInputError(
                f"replicas = {self.replicas}, most_replicas = {self.most_replicas}, ongoing = "
                f"{self.ongoing}, cores = {self.cores}, gpus = {self.gpus}: each more than 0, and "
                "most_replicas no fewer than replicas"
            )


def build(arguments: Mapping[str, object]) -> serve.Application:
    """The application, from the fields of RaySettings as `serve run` or a `serve` file gives them.

    The settings' file, models and keys are found at the same paths on every machine. Raises
    BadInputError for settings that do not fit, such as none that say who may ask.
    """
    # `serve run` gives words, a `serve` file gives values.
    values = override({}, [f"{name}={value}" for name, value in arguments.items()])
    wanted = from_mapping(RaySettings, values, place="serve run")
    tables = read_toml(wanted.settings)
    return application(from_mapping(ServiceSettings, tables, place=str(wanted.settings)), wanted)


def application(settings: ServiceSettings, wanted: RaySettings) -> serve.Application:
    """The application of a service's settings."""
    _check(settings)
    settings = of_replica(settings, wanted)

    def make() -> FastAPI:
        configure()
        return build_service(settings)

    options = {
        "name": "biobert",
        "ray_actor_options": {"num_cpus": wanted.cores, "num_gpus": wanted.gpus},
        # The service itself refuses what is too much, and says when to come back.
        "max_ongoing_requests": settings.limits.connections,
        "graceful_shutdown_timeout_s": settings.limits.request_seconds,
        **_scaling(wanted),
    }
    return serve.deployment(**options)(serve.ingress(make)()).bind()


def of_replica(settings: ServiceSettings, wanted: RaySettings) -> ServiceSettings:
    """The settings of one replica among all there may be."""
    # Ray counts a replica's cores, and so must the model.
    threads = settings.runtime.threads or max(1, int(wanted.cores))
    most = wanted.most_replicas or wanted.replicas
    security = replace(settings.security, replicas=max(most, settings.security.replicas))
    if most > 1:
        # Ray passes a request to whichever replica it likes, and to no other.
        security = replace(security, reload="nobody")
    return replace(settings, runtime=replace(settings.runtime, threads=threads), security=security)


def _scaling(wanted: RaySettings) -> dict[str, object]:
    if wanted.most_replicas is None:
        return {"num_replicas": wanted.replicas}
    return {
        "autoscaling_config": {
            "min_replicas": wanted.replicas,
            "max_replicas": wanted.most_replicas,
            "target_ongoing_requests": wanted.ongoing,
        }
    }


def _check(settings: ServiceSettings) -> None:
    """Refuse what a service under Ray would overlook."""
    if settings.security.keys is None and settings.security.without_keys != "anywhere":
        raise BadInputError(
            "Ray decides who reaches the service, and there are no keys: name a file as "
            "security.keys, or set security.without_keys = 'anywhere'",
            code="usage",
        )
    if settings.workers > 1 or settings.certificate is not None:
        raise BadInputError(
            "under Ray leave out workers (say replicas), and certificate and private_key (put a "
            "proxy in front)"
        )
