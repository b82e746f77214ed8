"""What the service's OpenAPI document promises, asked by Schemathesis over the wire.

    python benchmarks/service_contract.py                  # 500 requests for each operation
    python benchmarks/service_contract.py --examples 20

A service with a model for every endpoint, tiny ones but for entities, is asked with what its
document allows and with what it forbids. `tests/serving/test_contract.py` asks the same in less
breadth.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from machine import record
from service_process import RunningService, running_service

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.serving.served import models_of, write_folders

EXCLUDED = (
    # What is allowed may be refused too: an empty text, a model that is not loaded.
    "positive_data_acceptance",
)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--examples", type=int, default=500, help="requests for each operation")
    examples = parser.parse_args().examples
    with tempfile.TemporaryDirectory() as folder:
        settings = Path(folder) / "service.toml"
        settings.write_text(_settings(Path(folder)))
        with running_service("--settings", settings) as service:
            began = time.monotonic()
            report, said = _ask(service, examples, Path(folder) / "report.json")
            defects = service.log.read_text().count('"status": 500')
            figures: dict[str, Any] = {
                "examples": examples,
                "seconds": round(time.monotonic() - began),
                "megabytes": round(service.megabytes()),
                "defects_in_log": defects,
                "schemathesis": report["schemathesis_version"],
                "seed": report["seed"],
                "operations": report["operations"]["tested"],
                "requests": report["test_cases"]["generated"],
                "failures": len(report["failures"]) + len(report["errors"]),
            }
    print(figures)
    if figures["failures"] or defects:
        raise SystemExit(said)
    record("service-contract", figures)


def _settings(folder: Path) -> str:
    tables = [
        "\n".join(f"{name} = {json.dumps(value)}" for name, value in model.items())
        for model in models_of(write_folders(folder))
    ]
    return "".join(f"[[models]]\n{table}\n" for table in tables)


def _ask(service: RunningService, examples: int, file: Path) -> tuple[dict[str, Any], str]:
    """The report of a run, and what it said."""
    command: list[str | Path] = [
        *(Path(sys.executable).with_name("schemathesis"), "run"),
        f"{service.address}/openapi.json",
        *("--max-examples", str(examples), "--exclude-checks", ",".join(EXCLUDED)),
        *(
            "--generation-database",
            "none",
            "--continue-on-failure",
            "--request-timeout",
            "120",
            "--warnings",
            "off",
        ),
        *("--report", "json", "--report-json-path", str(file)),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=file.parent)
    return json.loads(file.read_text()), done.stdout


if __name__ == "__main__":
    main()
