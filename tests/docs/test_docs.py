"""What the documentation says is run.

`console` blocks are run in a shell, `python` blocks in one namespace a page (`no-run` ones are
only compiled), `toml` blocks with a file name are written, and commands in `bash` blocks, which
need real corpora or time, must at least name verbs and options that exist.
"""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer

from biobert.cli.main import build_app
from biobert.tasks import SHELF as TASKS
from docs.generate import REFERENCE, pages
from tests.tiny import tiny_tokenizer, write_tiny_encoder_folder

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
BLOCK = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def blocks(page: Path) -> list[tuple[str, str, str]]:
    """Language, remark and text of every code block."""
    return [match.groups() for match in BLOCK.finditer(page.read_text(encoding="utf-8"))]  # type: ignore[misc]


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", [one for one in PAGES if blocks(one)], ids=name_of)
def test_the_code_of_a_page_runs(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for language, remark, text in blocks(page):
        if language == "console":
            run_console(text)
        elif language == "python":
            code = compile(text, name_of(page), "exec")
            if "no-run" not in remark:
                exec(code, names)
        elif language == "toml" and "file=" in remark:
            Path(remark.split("file=")[1].strip()).write_text(text, encoding="utf-8")
        elif language == "bash":
            check_commands(text)


def run_console(text: str) -> None:
    """Run the lines that begin with `$`, with this interpreter's `biobert` first on the path."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    script = "\n".join(line[2:] for line in text.splitlines() if line.startswith("$ "))
    done = subprocess.run(
        ["sh", "-e", "-c", script],
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{script}\n{done.stderr}"


def check_commands(text: str) -> None:
    """Every `biobert` command names a verb and options that exist, and recipes that are there."""
    for line in text.replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True)
        if "biobert" not in words:
            continue
        command = typer.main.get_command(build_app())
        for word in words[words.index("biobert") + 1 :]:
            if hasattr(command, "commands") and word in command.commands:
                command = command.commands[word]
            elif word.startswith("-") and word != "-":
                known = [option for one in command.params for option in one.opts]
                assert word in known, f"{line}: no option {word}"
            elif word.startswith("recipes/"):
                assert (ROOT / word).is_file(), f"{line}: no {word}"
        assert not hasattr(command, "commands"), f"{line}: no such verb"


@pytest.mark.parametrize("name", sorted(pages()))
def test_generated_pages_are_up_to_date(name: str) -> None:
    written = (REFERENCE / name).read_text(encoding="utf-8")
    assert written.rstrip() == pages()[name].rstrip(), "run: python docs/generate.py"


def test_every_task_has_its_settings_in_the_reference() -> None:
    page = pages()["recipes.md"]
    for name in TASKS.names():
        assert f'## [task] of name = "{name}"' in page, name


def test_every_page_stands_in_the_menu() -> None:
    menu = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    for page in (ROOT / "docs").rglob("*.md"):
        name = str(page.relative_to(ROOT / "docs"))
        assert name in menu, f"{name} is missing under nav of mkdocs.yml"


def test_the_tutorials_recipe_is_a_recipe(tmp_path: Path) -> None:
    from biobert.core.settings import read_toml
    from biobert.training.recipe import read_recipe

    text = next(text for kind, _, text in blocks(ROOT / "docs/tutorial.md") if kind == "toml")
    (tmp_path / "drugs.toml").write_text(text)
    assert read_recipe(read_toml(tmp_path / "drugs.toml"), place="drugs.toml").run.epochs == 30


def test_the_vocabulary_of_an_encoder_is_changed_as_the_page_says(tmp_path: Path) -> None:
    page = ROOT / "docs/how-to/own-vocabulary.md"
    names: dict[str, Any] = {}
    exec(next(text for kind, _, text in blocks(page) if kind == "python"), names)
    base = write_tiny_encoder_folder(tmp_path / "base")
    tiny_tokenizer().save(tmp_path)
    names["adapted"](base, tmp_path, tmp_path / "new")
    assert (tmp_path / "new" / "model.safetensors").is_file()
    assert (tmp_path / "new" / "tokenizer_config.json").is_file()
