"""The command line as a whole."""

import subprocess
import sys

from biobert.core.version import __version__
from tests.cli.calling import call


def test_the_version_is_printed() -> None:
    assert call("--version").out.strip() == __version__


def test_help_names_every_verb_and_loads_nothing_heavy() -> None:
    script = (
        "import sys; from biobert.cli.main import run; sys.argv = ['biobert', '--help']\n"
        "try: run()\n"
        "except SystemExit: pass\n"
        "print({'numpy', 'torch', 'openvino', 'lxml'} & set(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    for verb in ("annotate", "convert", "data", "evaluate", "export", "train"):
        assert verb in done.stdout
    assert done.stderr.strip() == "set()"


def test_an_unknown_verb_is_a_wrong_call() -> None:
    found = call("annotat", "--json")
    assert found.code == 2
    assert found.json["error"]["code"] == "usage"
