"""What users bring to a verb and want from it: encodings, formats that hold little, odd folders."""

import bz2
import gzip
import json
import lzma
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.calling import call

TEXT = "Lithium carbonate caused nephrogenic diabetes insipidus in 12 patients."


def test_characters_that_could_not_be_read_are_told(tmp_path: Path) -> None:
    (tmp_path / "latin.txt").write_bytes(f"Ménière: {TEXT}".encode("latin-1"))
    (tmp_path / "wide.txt").write_bytes(f"Ménière: {TEXT}".encode("utf-16"))
    found = call("annotate", tmp_path, "-o", tmp_path / "out", "--to", "jsonl")
    assert found.code == 0, found.err
    assert "1 records set aside" in found.out
    assert "latin.txt:file: not UTF-8: 2 characters became U+FFFD" in found.out
    document = json.loads((tmp_path / "out" / "wide.jsonl").read_text())
    assert document["text"].startswith("Ménière")


@pytest.mark.parametrize(
    "arguments",
    [
        "convert {0} {0}",
        "data augment {0} -o {0}",
        "data check {0} --report {0}",
        "embed {0} -o {0} --model m",
        "evaluate m {0} --report {0}",
        "generate {0} -o {0} --model m",
        "label suggest {0} -o {0}",
        "annotate {0} --rejects {0}",
        "convert {0} out.txt --rejects {0}",
    ],
)
def test_what_is_read_is_never_written_over(tmp_path: Path, arguments: str) -> None:
    source = tmp_path / "texts.jsonl"
    source.write_text('{"id": "1", "text": "Aspirin helps."}\n{}\n')
    before = source.read_bytes()
    found = call(*arguments.format(source).split())
    assert (found.code, source.read_bytes()) == (2, before)
    assert "would be overwritten" in found.err


def test_a_list_of_rejects_takes_the_place_of_an_earlier_one(tmp_path: Path) -> None:
    source, rejects = tmp_path / "texts.jsonl", tmp_path / "rejects.jsonl"
    for records in (2, 1, 0, 1):
        source.write_text('{"id": "1", "text": "Aspirin helps."}\n' + "{}\n" * records)
        found = call("convert", source, tmp_path / "out.txt", "--rejects", rejects)
        assert found.code == 0, found.err
        assert len(rejects.read_text().splitlines()) == records


def test_a_format_without_a_place_for_what_was_found_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(TEXT)
    wanted = ("annotate", tmp_path / "a.txt", "-o")
    for place in ("a.tsv", "b.text"):
        found = call(*wanted, tmp_path / place)
        assert "holds no entities (" in found.out
    found = call(*wanted, tmp_path / "out", "--to", "text", "--to", "jsonl", "--json")
    (line,) = found.json["data"]["not_written"]
    assert line.startswith("text holds no entities (")
    assert "jsonl" in line
    assert "holds no" not in call(*wanted, tmp_path / "a.pubtator").out


def test_conversion_tells_what_is_not_written(tmp_path: Path) -> None:
    (tmp_path / "a.pubtator").write_text(
        "1|t|Aspirin.\n1|a|It helps.\n1\t0\t7\tAspirin\tChemical\tMESH:D001241\n\n"
    )
    found = call("convert", tmp_path / "a.pubtator", tmp_path / "a.txt")
    assert found.code == 0, found.err
    assert "text holds no entities (1): not written" in found.err
    assert "holds no" not in call("convert", tmp_path / "a.pubtator", tmp_path / "a.jsonl").err


PUBMED = f"""<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE PubmedArticleSet PUBLIC "-//NLM//DTD PubMedArticle, 1st January 2019//EN" "https://x.dtd">
<PubmedArticleSet><PubmedArticle><MedlineCitation><PMID>77</PMID><Article><ArticleTitle>{TEXT}
</ArticleTitle></Article></MedlineCitation></PubmedArticle></PubmedArticleSet>"""
BIOC = {"infons": {}, "id": "77", "passages": [{"infons": {}, "offset": 0, "text": TEXT}]}
PIPED = {
    "pubmed": PUBMED,
    "jats": f"<article><front><article-meta><article-id pub-id-type='pmc'>77</article-id>"
    f"<title-group><article-title>{TEXT}</article-title></title-group></article-meta></front></article>",
    "jsonl": json.dumps({"id": "77", "text": TEXT, "passages": []}),
    "bioc-json": json.dumps({"source": "text", "documents": [BIOC]}),
    "bioc-json, a document": json.dumps(BIOC),
    "bioc-json, a list": json.dumps([BIOC]),
    "pubtator": f"77|t|{TEXT}\n77|a|\n\n",
    "tsv": f"pmid\ttext\n77\t{TEXT}\n",
    "csv": f'pmid,text,year\n77,"{TEXT}",2020\n',
}


@pytest.mark.parametrize("format", PIPED)
def test_standard_input_is_read_as_what_it_begins_like(format: str) -> None:
    found = call("annotate", "-", "-o", "-", "--to", "jsonl", stdin=PIPED[format])
    assert found.code == 0, found.err
    document = json.loads(found.out)
    assert document["id"].endswith("77")
    assert document["text"].strip() == TEXT
    again = call("convert", "-", "-", "--to", "jsonl", stdin=PIPED[format])
    assert json.loads(again.out)["id"] == document["id"]


@pytest.mark.parametrize("format", PIPED)
@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_packed_standard_input_is_read_alike(format: str, pack: Callable[[bytes], bytes]) -> None:
    found = call("convert", "-", "-", "--to", "jsonl", stdin=pack(PIPED[format].encode()))
    assert found.code == 0, found.err
    document = json.loads(found.out)
    assert document["id"].endswith("77")
    assert document["text"].strip() == TEXT


def test_packed_standard_input_that_breaks_off_is_an_error(tmp_path: Path) -> None:
    whole = gzip.compress("".join(f'{{"text": "{number}"}}\n' for number in range(1500)).encode())
    cut = whole[: len(whole) // 2]
    for place in ("-", tmp_path / "out"):
        found = call("annotate", "-", "-o", place, "--to", "jsonl", stdin=cut)
        assert found.code == 1
        assert "-: standard input: damaged or cut short" in found.err


@pytest.mark.parametrize(
    "text",
    [
        "<10 mg of aspirin.",
        "{see} aspirin",
        "[Effect of aspirin].",
        "a | t | b",
        "Vitamin B",
        "<",
        "Title, text, and label\nof asthma",
        "Text,of asthma",
    ],
)
def test_plain_text_stays_plain_text(text: str) -> None:
    found = call("annotate", "-", "-o", "-", "--to", "jsonl", stdin=text)
    assert found.code == 0, found.err
    assert json.loads(found.out)["text"] == text


@pytest.mark.parametrize(
    "text", ["<?xml version='1.0'?><corpus>a</corpus>", "<corpus>a</corpus>", '{"pages": [7]}']
)
def test_what_begins_like_no_format_but_is_no_prose_must_be_named(text: str) -> None:
    found = call("annotate", "-", "-o", "-", "--to", "jsonl", stdin=text)
    assert found.code == 2
    assert "--from" in found.err
    named = call("annotate", "-", "-o", "-", "--to", "jsonl", "--from", "text", stdin=text)
    assert json.loads(named.out)["text"] == text


def test_a_pipe_is_read_from_its_first_byte() -> None:
    """Standard input cannot be read twice, unlike a file."""
    lines = "".join(
        json.dumps({"id": str(one), "text": "Aspirin. " * 99}) + "\n" for one in range(99)
    )
    command = [sys.executable, "-m", "biobert", "convert", "-", "-", "--to", "jsonl"]
    done = subprocess.run(command, input=lines, capture_output=True, text=True, check=True)
    assert [json.loads(line)["id"] for line in done.stdout.splitlines()] == [
        str(one) for one in range(99)
    ]


def test_deidentification_reads_standard_input_alike() -> None:
    given = PUBMED.replace(TEXT, "Seen by Dr. Smith on 3 May 2019.")
    found = call("deidentify", "-", "-o", "-", "--names", "none", stdin=given)
    assert found.code == 0, found.err
    assert json.loads(found.out)["id"] == "77"
    assert "2019" not in json.loads(found.out)["text"]


def test_suggestions_go_on_where_a_file_is_broken(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.xml").write_text(PUBMED[:-60])
    (tmp_path / "in" / "b.txt").write_text("Aspirin helps. Asthma is treated.")
    wanted = ("label", "suggest", tmp_path / "in", "-o", tmp_path / "next.jsonl")
    found = call(*wanted, "--by", "uncertainty", "--rejects", tmp_path / "rejects")
    assert found.code == 1
    assert "1 records set aside" in found.out
    assert "a.xml:file: " in found.out
    assert f"set aside, as it cannot be read to the end: {tmp_path / 'in' / 'a.xml'}" in found.err
    assert "a.xml" in (tmp_path / "rejects").read_text()
    texts = (tmp_path / "next.jsonl").read_text()
    assert "Aspirin helps." in texts and "Asthma is treated." in texts
    (tmp_path / "next.jsonl").unlink()
    assert call(*wanted, "--json").json["error"]["code"] == "unreadable"
    assert (tmp_path / "next.jsonl").read_text() == texts


def test_suggestions_out_of_nothing_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text("<PubmedArticleSet>")
    found = call("label", "suggest", tmp_path / "a.xml", "-o", tmp_path / "next.jsonl")
    assert found.code == 1
    assert "a.xml" in found.err
    assert not (tmp_path / "next.jsonl").exists()


BAD = '{"text": "Aspirin.", "entities": [{"start": 4, "end": 40, "label": "Chemical"}]}\n'


@pytest.mark.parametrize(
    ("verb", "said"), [("convert {0} {1}", "converted"), ("deidentify {0} -o {1}", "de-identified")]
)
def test_a_run_that_reads_nothing_ends_with_an_error(verb: str, said: str, tmp_path: Path) -> None:
    source, target = tmp_path / "bad.jsonl", tmp_path / "out.pubtator"
    asked = verb.format(source, target).split()
    source.write_text(BAD)
    found = call(*asked)
    assert found.code == 1
    assert f"nothing was {said}: every document was set aside (1)" in found.err
    assert "mend the first at bad.jsonl:1: " in found.err
    assert "1 records set aside; list them with --rejects FILE" in found.err
    values = call(*asked, "--json").json
    assert (values["ok"], values["error"]["code"]) == (False, "all-set-aside")
    assert values["data"]["documents"] == 0 and values["data"]["set_aside"] == 1
    source.write_text("")
    assert call(*asked).code == 0
    source.write_text(BAD + '{"text": "Aspirin."}\n')
    assert call(*asked).code == 0
