"""The command line as a whole."""

import subprocess
import sys
from pathlib import Path

import pytest

from biobert.cli.choices import listed_names
from biobert.cli.evaluated_on import asked_test_set
from biobert.core.version import __version__
from tests.cli.calling import call


def test_the_version_is_printed() -> None:
    assert call("--version").out.strip() == __version__


def test_the_package_itself_is_the_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "biobert", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == __version__


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


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("annotate - --min-score 2", "--min-score"),
        ("annotate - --min-relation-score nan", "--min-relation-score"),
        ("annotate - --workers 0", "--workers"),
        ("annotate - --engine foo", "foo"),
        ("label suggest - -o x.jsonl --by foo", "--by foo: one of uncertainty, diversity, both"),
        ("label suggest - -o x.jsonl --count 0", "--count 0"),
        ("data augment NCBI-disease -o x.jsonl --copies 0", "copies = 0"),
        ("data augment NCBI-disease -o x.jsonl --mention-rate 2", "mention_rate"),
        ("embed - --model m -o x.npy --window-tokens 2", "windows of 2 tokens"),
        ("corpus build a.txt -o x --near-duplicates foo", "--near-duplicates foo: one of minhash"),
        (
            "corpus build {here} --from text -o x --test-splits foo",
            "--test-splits foo: one of exclude, keep",
        ),
        ("ensemble a b -o x --rule foo", "--rule foo: one of mean, vote"),
        ("serve --engine foo", "foo"),
        ("serve --no-keys --keys keys.json", "--no-keys and --keys"),
        ("keys create me --days -1", "days"),
        ("keys create me --role writer", "one of reader, admin"),
        ("serve --port 99999999", "--port"),
        ("compare-speed embedded --split test", "--split needs --corpus"),
        ("compare-speed embedded --part names", "--part needs --corpus"),
        ("annotate - --cores 2", "--cores needs --workers"),
        ("annotate - --to jsonl", "--to needs --output"),
        ("label suggest - -o x.jsonl --seed -1", "--seed"),
        ("data augment NCBI-disease -o x.jsonl --seed -1", "--seed"),
        ("importance m NCBI-disease --seed -1", "--seed"),
        ("tune x.toml -o x --try run.seed=1,2 --seed -1", "--seed"),
        ("export embedded -o x --split test", "--split needs --corpus"),
    ],
)
def test_a_value_that_no_option_takes_is_a_wrong_call(arguments: str, words: str) -> None:
    here = Path(__file__).with_name("calling.py")
    found = call(*arguments.format(here=here).split(), "--json", stdin="Aspirin.")
    assert found.code == 2
    assert words in found.json["error"]["message"]


def test_names_in_an_option_are_parted_by_commas_and_blanks() -> None:
    found = asked_test_set(
        "NCBI-disease", "test", rename=None, labels=" Chemical, Disease", where=None
    )
    assert found.labels == ("Chemical", "Disease")
    assert listed_names(None) is None and listed_names("") is None
