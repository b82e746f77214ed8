"""The options that say what runs a model, shared by the verbs that run one."""

from typing import TYPE_CHECKING, Annotated

import typer

from biobert.cli.choices import of_options

if TYPE_CHECKING:
    from biobert.runtime.settings import RuntimeSettings

ModelOption = Annotated[str, typer.Option(help="A model folder, or `embedded`.")]
ENGINES, PRECISIONS = "auto, openvino, onnxruntime or torch", "auto, float32 or bf16"
EngineOption = Annotated[str, typer.Option(help=f"{ENGINES}.")]
PrecisionOption = Annotated[str, typer.Option(help=f"{PRECISIONS}.")]
DeviceOption = Annotated[
    str | None, typer.Option(help="For torch: cpu, cuda, cuda:1; by default a GPU if there is one.")
]
ThreadsOption = Annotated[
    int | None, typer.Option(min=1, help="Threads that compute; by default one for each core.")
]


def runtime_settings(
    engine: str, precision: str, device: str | None, threads: int | None = None
) -> "RuntimeSettings":
    """The settings from the options; an unknown word names the ones there are."""
    from biobert.core.settings import from_mapping
    from biobert.runtime.settings import RuntimeSettings

    values = {"engine": engine, "precision": precision, "device": device, "threads": threads}
    given = {name: value for name, value in values.items() if value is not None}
    with of_options():
        return from_mapping(RuntimeSettings, given, place="--engine, --precision, --device")
