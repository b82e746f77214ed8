"""The page as people use it, in a browser: read, filter, upload, download."""

import json
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from biobert.data.reading import read_documents
from tests.data.formats.pdfs import ENCRYPTED, pdf_of_lines
from tests.serving.browser import (
    SHOWN,
    address_of,
    annotate,
    document_of,
    mentions,
    opened,
    until,
    upload,
)
from tests.serving.texts import TEXTS


def test_an_example_in_one_click_and_filters(page: Any) -> None:
    page.evaluate("""() => {
      window.shifts = 0;
      new PerformanceObserver((list) => {
        for (const one of list.getEntries()) if (!one.hadRecentInput) window.shifts += one.value;
      }).observe({ type: 'layout-shift', buffered: true });
    }""")
    with page.expect_response("**/v1/annotate*") as asked:
        page.click("#example")
    document = document_of(asked.value.json())
    page.wait_for_selector("#results:not([hidden])")
    assert len(document.entities) > 10
    assert sorted(page.evaluate(SHOWN)) == mentions(document)
    assert page.text_content("#reading").replace("\n", "") == document.text.replace("\n", "")
    assert page.text_content("#status") == f"{len(document.entities)} mentions in 1 document."

    counts = page.evaluate("""() => Object.fromEntries([...document.querySelectorAll('.type')]
        .map((one) => [one.dataset.label, Number(one.querySelector('.count').textContent)]))""")
    labels = [one.label for one in document.entities]
    assert counts == {label: labels.count(label) for label in labels}

    page.click(".type[data-label=Disease]")
    others = [document.mention(one) for one in document.entities if one.label != "Disease"]
    assert sorted(page.evaluate(SHOWN)) == sorted(others)
    assert page.get_attribute(".type[data-label=Disease]", "aria-pressed") == "false"
    page.click(".type[data-label=Disease]")

    page.fill("#score", "99")
    until(page, "document.querySelector('#score-value').textContent === '99 %'")
    until(page, "document.querySelector('mark.off') !== null")
    assert sorted(page.evaluate(SHOWN)) == mentions(document, 0.99)
    assert page.text_content("#status").endswith("mentions shown.")
    assert page.evaluate("window.shifts") < 0.01


def test_the_card_tells_of_all_mentions_under_the_pointer(page: Any) -> None:
    document = document_of(annotate(page, TEXTS[0]))
    spans = [(one.start, one.end) for one in document.entities]
    twice = next(one for one in spans if spans.count(one) == 2)
    inner = page.locator("#reading mark mark").first
    assert inner.text_content() == document.text[slice(*twice)]
    inner.hover()
    page.wait_for_selector("#card:not([hidden])")
    kinds = page.locator("#card .dot-name").all_text_contents()
    assert len(kinds) == 2 and len(set(kinds)) == 2
    assert page.locator("#card .kind").first.text_content().endswith("%")
    page.keyboard.press("Escape")
    assert page.is_hidden("#card")
    lines = page.evaluate("""() => [...document.querySelectorAll('mark:has(mark), mark mark')]
        .map((one) => one.getBoundingClientRect().bottom)""")
    assert lines[0] - lines[1] >= 2, "the lines of both must be seen"


def test_offsets_beyond_the_basic_plane(page: Any) -> None:
    text = "😀 Aspirin 𝒜𝒷 👩‍⚕️ may cause gastric ulcers 🧬 in patients; 𝛽-blockers may not."
    document = document_of(annotate(page, text))
    assert {"Aspirin", "gastric ulcers", "patients"} <= set(mentions(document))
    assert sorted(page.evaluate(SHOWN)) == mentions(document)
    assert page.text_content("#reading") == text


def test_marks_cover_what_they_should_however_they_overlap(page: Any) -> None:
    wrong = page.evaluate("""async () => {
      const { treeOf, unitsOf } = await import('/web/text.js');
      let seed = 7;
      const random = (below) => (seed = (seed * 48271) % 2147483647) % below;
      for (let round = 0; round < 500; round += 1) {
        const text = 'abcdefghijklmnopqrst';
        const spans = Array.from({ length: random(7) }, (_, number) => {
          const start = random(19);
          return { start, end: start + 1 + random(20 - start), number };
        });
        const covered = [];
        const walk = (branches, over) => branches.forEach((one) => {
          if (typeof one === 'string') {
            for (const letter of one) covered.push([letter, ...over].join());
          } else walk(one.inside, [...over, one.span.number].sort());
        });
        walk(treeOf(text, spans, 2, 18), []);
        const expected = [...text].slice(2, 18).map((letter, place) => [
          letter, ...spans.filter((one) => one.start <= place + 2 && one.end > place + 2)
            .map((one) => one.number).sort()].join());
        if (covered.join(' ') !== expected.join(' ')) return [covered, expected, spans];
      }
      const text = 'a😀b𝒜';
      return [0, 1, 2, 3, 4].map(unitsOf(text)).join() === '0,1,3,4,6' ? null : 'units';
    }""")
    assert wrong is None


def download(page: Any, format: str, folder: Path) -> Path:
    page.select_option("#download-format", format)
    with page.expect_download() as saved:
        page.click("#download")
    file = folder / saved.value.suggested_filename
    saved.value.save_as(file)
    assert file.name.startswith("annotated.")
    return Path(file)


@pytest.mark.parametrize("format", ["json", "jsonl", "pubtator", "bioc-json", "bioc-xml", "brat"])
def test_downloads_hold_what_is_shown(page: Any, format: str, tmp_path: Path) -> None:
    document = document_of(annotate(page, "😀 Aspirin\nIt may cause gastric ulcers."))
    page.click(".type[data-label=Anatomy]")
    file = download(page, format, tmp_path)
    if format == "brat":
        with ZipFile(file) as packed:
            packed.extractall(tmp_path / "brat")
        file = tmp_path / "brat"
    if format == "json":
        found = document_of(json.loads(file.read_text()))
    else:
        (found,) = read_documents(file)
    kept = [one for one in document.entities if one.label != "Anatomy"]
    spans = [(one.start, one.end, one.label) for one in found.entities]
    assert spans == [(one.start, one.end, one.label) for one in kept]
    assert found.text == document.text and len(kept) < len(document.entities)


def test_downloads_that_hold_less_than_is_shown(page: Any, tmp_path: Path) -> None:
    document = document_of(annotate(page, TEXTS[0]))
    page.click(".type[data-label=Anatomy]")
    (words,) = read_documents(download(page, "conll", tmp_path))
    (row,) = read_documents(download(page, "tsv", tmp_path))
    html = download(page, "html", tmp_path).read_text()
    assert "Aspirin" in mentions(words, least=-1) and "Anatomy" not in html
    assert row.text == document.text and "<mark" in html


def test_a_download_may_end_when_all_is_cleared(page: Any, tmp_path: Path) -> None:
    annotate(page, TEXTS[0])
    page.select_option("#download-format", "pubtator")
    with page.expect_download() as saved:
        page.evaluate("""() => {
          document.querySelector('#download').click();
          document.querySelector('#clear').click();
        }""")
    saved.value.save_as(tmp_path / "a.pubtator")
    assert saved.value.suggested_filename == "annotated.pubtator"
    (found,) = read_documents(tmp_path / "a.pubtator")
    assert "Aspirin" in mentions(found, least=-1) and page.is_hidden("#results")
    assert not page.text_content("#errors")


def test_a_pdf_and_what_is_none(page: Any, tmp_path: Path) -> None:
    lines = ["Aspirin may cause gastric ul-", "cers in patients with diabetes."]
    upload(page, "paper (1).pdf", pdf_of_lines([lines]))
    assert page.text_content("#format option") == "recognised: PDF"
    found = mentions(document_of(annotate(page)))
    assert "gastric ulcers" in found
    assert sorted(page.evaluate(SHOWN)) == found
    with page.expect_download() as saved:
        page.click("#download")
    assert saved.value.suggested_filename == "paper (1).json"
    page.click("#clear")
    assert page.is_hidden("#results") and page.is_visible("#text")
    upload(page, "locked.pdf", pdf_of_lines([lines], trailer=ENCRYPTED))
    page.click("#annotate")
    page.wait_for_selector(".error")
    assert "encrypted" in page.text_content(".error")
    assert "HTTP 422" in page.text_content(".error") and "request " in page.text_content(".error")


def test_a_dropped_file_with_several_documents(page: Any) -> None:
    content = f"7|t|Aspirin.\n7|a|{TEXTS[0]}\n\n8|t|Lithium.\n8|a|{TEXTS[2]}\n"
    page.evaluate(
        """(content) => {
          const dataTransfer = new DataTransfer();
          dataTransfer.items.add(new File([content], 'two.txt'));
          document.body.dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true }));
        }""",
        content,
    )
    page.wait_for_selector("#file-card:not([hidden])")
    assert page.text_content("#format option") == "recognised: PubTator"
    answer = annotate(page)
    assert [one["id"] for one in answer["documents"]] == ["7", "8"]
    assert page.locator("#document option").count() == 2
    assert sorted(page.evaluate(SHOWN)) == mentions(document_of(answer, 0))
    page.click("#next")
    assert sorted(page.evaluate(SHOWN)) == mentions(document_of(answer, 1))
    assert page.text_content("#reading h3") == "Lithium."
    assert page.is_disabled("#next") and not page.is_disabled("#previous")


def test_formats_are_recognised(page: Any) -> None:
    heads = {
        "Aspirin < lithium": "text",
        "\ufeff1|t|Title\n1|a|b": "pubtator",
        "<?xml version='1.0'?>\n<!DOCTYPE PubmedArticleSet>\n<PubmedArticleSet>": "pubmed",
        '<!-- x --><article xmlns="y">': "jats",
        "<collection><source/>": "bioc-xml",
        '{"source": "x", "documents": []}': "bioc-json",
        "%PDF-1.4": "pdf",
        "PK\x03\x04": None,
    }
    found = page.evaluate(
        "async (heads) => { const { formatOf } = await import('/web/formats.js');"
        " return heads.map((one) => formatOf(one)); }",
        list(heads),
    )
    assert found == list(heads.values())
    upload(page, "texts.gz", b"\x1f\x8b\x08\x00\x00")
    page.click("#annotate")
    page.wait_for_selector(".error")
    assert "unpack it" in page.text_content(".error")


def test_relations_lead_to_their_mentions(page: Any) -> None:
    with page.expect_response("**/v1/relations") as asked:
        annotate(page, TEXTS[0])
    (document,) = asked.value.json()["documents"]
    page.wait_for_selector("#relation-list .end")
    assert page.locator("#relation-list li").count() == len(document["relations"])
    assert "; relations, version" in page.text_content("#signature")
    first = page.locator("#relation-list .end").first
    words = first.text_content()
    first.click()
    assert page.evaluate("document.activeElement.textContent") == words
    page.fill("#relation-score", "100")
    page.wait_for_selector("#relation-list .note")
    page.select_option("#relations-model", "")
    annotate(page)
    assert page.is_hidden("#relations")


def test_a_model_of_several_tasks_finds_and_relates(
    chromium: Any, folders: dict[str, Path]
) -> None:
    models = [{"name": "together", "folder": str(folders["together"])}]
    with address_of(models=models) as address, opened(chromium, address) as page:
        assert page.text_content("#about") == "Finds Chemical, Disease, Anatomy in biomedical text"
        with page.expect_response("**/v1/relations") as asked:
            annotate(page, TEXTS[0])
        (document,) = asked.value.json()["documents"]
        page.wait_for_selector("#relation-list .end")
        assert page.locator("#relation-list li").count() == len(document["relations"])


def test_identifiers_are_hidden_first(page: Any) -> None:
    page.check("#deidentify")
    annotate(page, "Mrs. Sullivan, seen on 3/14/2024, takes warfarin.")
    shown = page.text_content("#results")
    assert "Sullivan" not in shown and "warfarin" in shown


def test_what_hangs_is_cancelled(page: Any) -> None:
    page.route("**/v1/annotate*", lambda route: None)
    page.fill("#text", "Aspirin helps.")
    page.click("#annotate")
    page.wait_for_selector("body.busy")
    assert page.text_content("#status") == "Annotating …"
    page.click("#cancel")
    page.wait_for_selector("body:not(.busy)")
    assert page.text_content("#status") == "Cancelled."
    page.unroute_all(behavior="ignoreErrors")
    annotate(page)
    assert "Aspirin" in page.evaluate(SHOWN)


def test_a_service_that_is_gone_is_said_to_be(page: Any) -> None:
    page.route("**/v1/annotate*", lambda route: route.abort())
    page.fill("#text", "Aspirin helps.")
    page.click("#annotate")
    page.wait_for_selector(".error")
    assert "cannot be reached" in page.text_content(".error")
    page.fill("#text", " ")
    page.click("#annotate")
    until(page, "document.querySelector('.error').textContent.includes('no text yet')")
