"""`biobert serve`: models behind HTTP."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from biobert.cli.answer import JsonFlag, VerbAnswer, answering
from biobert.cli.engine import ENGINES, PRECISIONS, DeviceOption, runtime_settings

if TYPE_CHECKING:
    from biobert.serving.settings import ServiceSettings


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("serve")(serve)


@answering("serve")
def serve(
    settings: Annotated[
        Path | None, typer.Option(help="A TOML file; the options below win over it.")
    ] = None,
    model: Annotated[
        list[str] | None, typer.Option(help="NAME=FOLDER or FOLDER; may come several times.")
    ] = None,
    host: Annotated[str | None, typer.Option(help="The address; 127.0.0.1 by default.")] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="The port; 8000 by default, 0 finds one.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes, each with all models.")
    ] = None,
    keys: Annotated[
        Path | None, typer.Option(help="The file that `biobert keys create` writes.")
    ] = None,
    no_keys: Annotated[
        bool, typer.Option("--no-keys", help="Let everyone ask, from other machines too.")
    ] = False,
    audit_log: Annotated[Path | None, typer.Option(help="Write down who asks what.")] = None,
    tls_certificate: Annotated[Path | None, typer.Option(help="A PEM file.")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="A PEM file.")] = None,
    assignments: Annotated[
        list[str] | None, typer.Option("--set", help="limits.documents=100; see the guide.")
    ] = None,
    engine: Annotated[str | None, typer.Option(help=f"{ENGINES}; auto by default.")] = None,
    precision: Annotated[str | None, typer.Option(help=f"{PRECISIONS}; auto by default.")] = None,
    device: DeviceOption = None,
    as_json: JsonFlag = False,
) -> VerbAnswer:
    """Serve models over HTTP until interrupted; the log is JSON lines on standard error.

    Without --model the built-in tagger is served under the name `entities`.
    """
    from biobert.cli.extras import need_extra

    need_extra("fastapi", "uvicorn", "prometheus_client", extra="serve")
    options: dict[str, Any] = {
        "host": host,
        "port": port,
        "workers": workers,
        "certificate": tls_certificate,
        "private_key": tls_key,
    }
    tables = _tables(settings, assignments or [])
    tables |= {name: value for name, value in options.items() if value is not None}
    if model:
        tables["models"] = [_model(one) for one in model]
    _enter(tables, "security", "keys", keys)
    if no_keys:
        tables["security"] = _for_everyone(tables.get("security", {}), keys)
    _enter(tables, "audit", "file", audit_log)
    runtime_settings(engine or "auto", precision or "auto", device)  # an unknown word is an error
    for name, value in {"engine": engine, "precision": precision, "device": device}.items():
        _enter(tables, "runtime", name, value)
    found = _run(tables, place=str(settings or "options"))
    data = {"host": found.host, "port": found.port, "stopped": True}
    return VerbAnswer(data, lambda: None)


def _run(tables: dict[str, Any], *, place: str) -> "ServiceSettings":
    """Serve; several workers share a folder for their figures."""
    from tempfile import TemporaryDirectory

    from biobert.cli.extras import need_extra
    from biobert.cli.places import share_metrics
    from biobert.core.settings import from_mapping
    from biobert.serving.settings import ServiceSettings

    settings = from_mapping(ServiceSettings, tables, place=place)
    if settings.tracing.endpoint is not None:
        need_extra("opentelemetry.sdk", "opentelemetry.exporter", extra="trace")
    with TemporaryDirectory(prefix="biobert-serve-") as shared:
        if settings.workers > 1:
            share_metrics(Path(shared))
        # After the environment is set: what counts for all workers is decided at import.
        from biobert.serving.server import run_service

        run_service(settings, Path(shared))
    return settings


def _tables(file: Path | None, assignments: list[str]) -> dict[str, Any]:
    from biobert.core.settings import override, read_toml

    return override({} if file is None else read_toml(file), assignments)


def _enter(tables: dict[str, Any], table: str, key: str, value: Any) -> None:
    if value is not None:
        tables[table] = {**tables.get(table, {}), key: value}


def _for_everyone(security: dict[str, Any], keys: Path | None) -> dict[str, Any]:
    """The settings without the keys of a file, whose holders were the only ones to ask."""
    from biobert.core.errors import BadInputError

    if keys is not None:
        raise BadInputError("--no-keys and --keys: leave one out", code="usage")
    open_to_all = {name: value for name, value in security.items() if name != "keys"}
    return {**open_to_all, "without_keys": "anywhere"}


def _model(option: str) -> dict[str, str]:
    """`NAME=FOLDER`; a folder alone is called as it is."""
    name, sign, folder = option.partition("=")
    if sign:
        return {"name": name, "folder": folder}
    return {"name": Path(option).name or option, "folder": option}
