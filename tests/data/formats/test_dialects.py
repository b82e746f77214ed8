"""Dialects of formats that the field knows, in small samples written for this test."""

import json
from pathlib import Path

import pytest

from biobert.core.document import Document, Entity, Passage
from biobert.data.reading import format_of, read_documents, write_documents
from biobert.data.rejects import Rejects


def read(path: Path, format: str, text: str) -> tuple[list[Document], Rejects]:
    path.write_text(text)
    rejects = Rejects()
    return list(read_documents(path, format, rejects)), rejects


def mentions(document: Document) -> list[tuple[str, str]]:
    return [(document.mention(entity), entity.label) for entity in document.entities]


@pytest.mark.parametrize(
    "tags",
    [
        "I-Disease I-Disease O B-Disease I-Chemical",
        "B-Disease I-Disease O B-Disease B-Chemical",
        "B-Disease E-Disease O S-Disease S-Chemical",
        "B-Disease L-Disease O U-Disease U-Chemical",
    ],
)
@pytest.mark.parametrize("start", ["", "-DOCSTART- -X- O O\n\n"])
def test_every_tag_dialect_means_the_same(tags: str, start: str, tmp_path: Path) -> None:
    words = "Breast cancer , asthma aspirin".split()
    rows = "".join(f"{word} NN {tag}\n" for word, tag in zip(words, tags.split(), strict=True))
    (document,), rejects = read(tmp_path / "a.conll", "conll", start + rows)
    assert rejects.count == 0
    expected = [("Breast cancer", "Disease"), ("asthma", "Disease"), ("aspirin", "Chemical")]
    assert mentions(document) == expected


def test_document_starts_part_documents(tmp_path: Path) -> None:
    text = "-DOCSTART- O\n\na O\n\nb O\n\n-DOCSTART- O\n\nc O\n"
    for written in (text, text.replace("-DOCSTART- O\n\n", "-DOCSTART- O\n")):
        documents, _ = read(tmp_path / "a.conll", "conll", written)
        assert [document.text for document in documents] == ["a\nb", "c"]


def test_plain_tags_are_read_whatever_they_are_made_of(tmp_path: Path) -> None:
    rows = "``\t``\nIL-2\tNN\n''\t''\n(\t-LRB-\n,\t,\nB\tB\nO\tO\nx\t_\n\nNF-kappa NN NN\n"
    (document,), rejects = read(tmp_path / "a.pos", "conll-pos", rows + "alone\nno\t\n")
    assert document.text == "`` IL-2 '' ( , B O x\nNF-kappa alone no"
    assert mentions(document) == [
        ("``", "``"), ("IL-2", "NN"), ("''", "''"), ("(", "-LRB-"), (",", ","), ("B", "B"),
        ("O", "O"), ("NF-kappa", "NN"),
    ]  # fmt: skip
    assert [reject.place for reject in rejects.kept] == ["11", "12"]


PUBMED = """<?xml version="1.0"?><PubmedArticleSet>
<PubmedArticle><MedlineCitation><PMID Version="1">11</PMID><Article>
<Journal><Title>J</Title><JournalIssue><PubDate><Year>2020</Year></PubDate></JournalIssue></Journal>
<ArticleTitle>[Effect of <i>TP53</i> on cancer].</ArticleTitle>
<Abstract><AbstractText Label="BACKGROUND">We asked.</AbstractText>
<AbstractText Label="RESULTS">It was <sup>2</sup>so.</AbstractText></Abstract>
<Language>ger</Language><VernacularTitle>Wirkung von TP53.</VernacularTitle></Article>
<MeshHeadingList><MeshHeading><DescriptorName UI="D009369">Neoplasms</DescriptorName></MeshHeading>
</MeshHeadingList></MedlineCitation></PubmedArticle>
<PubmedArticle><MedlineCitation><PMID>12</PMID><Article><ArticleTitle/></Article></MedlineCitation>
</PubmedArticle>
<DeleteCitation><PMID>13</PMID><PMID>14</PMID></DeleteCitation></PubmedArticleSet>"""


def test_pubmed_records_deletions_and_titles(tmp_path: Path) -> None:
    (document,), rejects = read(tmp_path / "a.xml", "pubmed", PUBMED)
    assert document.id == "11"
    assert document.text == "Effect of TP53 on cancer.\nWe asked.\nIt was 2so."
    assert [(one.kind, one.heading) for one in document.passages] == [
        ("title", ""),
        ("abstract", "BACKGROUND"),
        ("abstract", "RESULTS"),
    ]
    assert document.metadata["vernacular_title"] == "Wirkung von TP53."
    assert document.metadata["language"] == "ger"
    assert document.metadata["mesh"] == "mesh:D009369"
    reasons = [(reject.place, reject.reason) for reject in rejects.kept]
    assert ("PMID 13", "deleted citation") in reasons
    assert ("PMID 14", "deleted citation") in reasons
    assert rejects.count == 3


@pytest.mark.parametrize(
    ("written", "title"),
    [
        ("[Is there a place for aspirin?].", "Is there a place for aspirin?"),
        ("[Gout. A story.]", "Gout. A story."),
        ("[Calcium channel [L-type]]", "Calcium channel [L-type]."),
        ("[Of [3H]thymidine on DNA [corrected]].", "Of [3H]thymidine on DNA [corrected]."),
        ("[3H]thymidine in mice [corrected].", "[3H]thymidine in mice [corrected]."),
    ],
)
def test_a_translated_title_loses_its_own_brackets(
    written: str, title: str, tmp_path: Path
) -> None:
    text = PUBMED.replace("[Effect of <i>TP53</i> on cancer].", written)
    (document,), _ = read(tmp_path / "a.xml", "pubmed", text)
    assert document.text.startswith(f"{title}\n")


JATS = """<article><front><article-meta><article-id pub-id-type="pmc">99</article-id>
<title-group><article-title>On asthma</article-title></title-group>
<abstract><p>Short.</p></abstract></article-meta></front>
<body><sec><title>Methods</title><p>We gave <bold>aspirin</bold><xref>[1]</xref>.</p>
<table-wrap><label>Table 1</label><table><tr><td>SECRET</td></tr></table></table-wrap>
<p>Then <disp-formula><tex-math>x^2</tex-math></disp-formula> followed.</p></sec></body>
</article>"""


def test_every_article_of_a_set_is_read(tmp_path: Path) -> None:
    text = f"<pmc-articleset>{JATS}{JATS}</pmc-articleset>"
    documents, rejects = read(tmp_path / "a.nxml", "jats", text)
    assert len(documents) == 2
    assert rejects.count == 0


def test_jats_leaves_tables_out_and_keeps_their_place(tmp_path: Path) -> None:
    (document,), _ = read(tmp_path / "a.nxml", "jats", JATS)
    assert "aspirin" in document.text
    assert "SECRET" not in document.text
    assert "x^2" not in document.text
    tables = [one for one in document.passages if one.kind == "table"]
    assert len(tables) == 1
    assert tables[0].start == tables[0].end
    assert document.text.index("aspirin") < tables[0].start <= document.text.index("Then")
    assert "Methods" in {one.heading for one in document.passages}


def test_prodigy_and_spacy_spans(tmp_path: Path) -> None:
    line = (
        '{"text": "Aspirin helps.", "tokens": [], "meta": {"id": "n7"}, "answer": "accept", '
        '"spans": [{"start": 0, "end": 7, "label": "Drug", "token_start": 0, "kb_id": "D001241"}]}'
    )
    (document,), rejects = read(tmp_path / "a.jsonl", "jsonl", line)
    assert rejects.count == 0
    assert document.id == "n7"
    assert document.entities[0].concept_ids == ("mesh:D001241",)
    assert mentions(document) == [("Aspirin", "Drug")]


PUBTATOR3 = """{"PubTator3": [{"_id": "7|None", "id": "7", "infons": {}, "passages": [
{"infons": {"type": "title"}, "offset": 0, "text": "Aspirin in stroke", "sentences": [],
 "annotations": [{"id": "2", "infons": {"identifier": "MESH:D001241", "type": "Chemical",
 "valid": true, "normalized": ["D001241"], "database": "ncbi_mesh"},
 "text": "Aspirin", "locations": [{"offset": 0, "length": 7}]},
 {"id": "3", "infons": {"identifier": "MESH:D020521", "type": "Disease"}, "text": "stroke",
 "locations": [{"offset": 11, "length": 6}]}], "relations": []}],
"relations": [{"id": "R1", "infons": {"score": "0.99", "role1": {"identifier": "MESH:D001241",
 "type": "Chemical"}, "role2": {"identifier": "MESH:D020521", "type": "Disease"},
 "type": "Negative_Correlation"}, "nodes": [{"refid": "0", "role": "0,1"}]}]}]}"""


def test_the_export_of_pubtator3(tmp_path: Path) -> None:
    (document,), rejects = read(tmp_path / "a.json", "bioc-json", PUBTATOR3)
    assert rejects.count == 0, rejects.kept
    assert document.id == "7"
    assert [entity.concept_ids for entity in document.entities] == [
        ("mesh:D001241",),
        ("mesh:D020521",),
    ]
    (relation,) = document.relations
    assert relation.label == "Negative_Correlation"
    assert [one.target for one in relation.arguments] == ["mesh:D001241", "mesh:D020521"]


def test_brat_pieces_events_and_links(tmp_path: Path) -> None:
    (tmp_path / "1.txt").write_text("Breast and ovarian cancer after aspirin.")
    (tmp_path / "1.ann").write_text(
        "T1\tDisease 0 6;19 25\tBreast cancer\nT2\tDisease 11 25\tovarian cancer\n"
        "T3\tDrug 32 39\taspirin\nR1\tCauses Arg1:T3 Arg2:T1\n"
        "N1\tReference T1 MESH:D001943\tBreast Neoplasms\nE1\tDisease:T1 Cause:T3\n"
    )
    rejects = Rejects()
    (document,) = read_documents(tmp_path, "brat", rejects)
    assert mentions(document)[0] == ("Breast cancer", "Disease")
    assert document.entities[0].concept_ids == ("mesh:D001943",)
    assert [one.target for one in document.relations[0].arguments] == ["T3", "T1"]
    # Events are no part of a document: they are counted, not lost in silence.
    assert rejects.count == 1


def test_json_of_others_becomes_strings_or_a_counted_reject(tmp_path: Path) -> None:
    lines = [
        '{"text": "a", "metadata": {"pmid": 12345678, "page": null, "mesh": ["x"]}, "label": 1}',
        '{"text": "a \\ud83d fever"}',
        '{"text": "a", "id": "\\uD83D"}',
        '{"text": "\\ud83d\\ude00", "labels": [0, "b"]}',
        '{"text": "a", "metadata": ["no", "object"]}',
        '{"text": "a", "meta": ["no", "object"]}',
        '{"text": "a", "spans": [{"start": Infinity, "end": 1, "label": "X"}]}',
    ]
    documents, rejects = read(tmp_path / "a.jsonl", "jsonl", "\n".join(lines))
    assert [one.labels for one in documents] == [("1",), ("0", "b")]
    assert documents[0].metadata == {"pmid": "12345678", "mesh": '["x"]'}
    assert documents[1].text == "\U0001f600"
    assert [one.place for one in rejects.kept] == ["2", "3", "5", "6", "7"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('{"text": "ab", "entities": [{%s, "concept_ids": "mesh:D1"}]}', "'mesh:D1', not a list"),
        (
            '{"text": "ab", "entities": [{"start": 0.9, "end": 2, "label": "X"}]}',
            "0.9, not a whole",
        ),
        ('{"text": "ab", "entities": [{"start": 0, "end": true, "label": "X"}]}', "True, not a nu"),
        ('{"text": "ab", "entities": [{"start": "0", "end": 2, "label": "X"}]}', "'0', not a num"),
        ('{"text": "ab", "entities": [{"start": 0, "label": "X"}]}', "'end' is None, not a number"),
        ('{"text": "ab", "entities": [{%s, "score": "high"}]}', "'score' is 'high', not a number"),
        ('{"text": "ab", "entities": "X"}', "'entities' is 'X', not a list"),
        ('{"text": "ab", "entities": ["X"]}', "one of 'entities' is 'X', not an object"),
        ('{"text": "ab", "label_scores": {"X": NaN}}', "'X' is nan, not a number"),
        (
            '{"text": "ab", "relations": [{"label": "X", "arguments": [], "score": 7}]}',
            "relation 'X': score 7 is not a probability",
        ),
        ('{"text": "ab", "annotated_labels": "Disease"}', "'Disease', not a list"),
        ('{"text": "ab", "labels": "good"}', "'good', not a list"),
        ('{"text": "ab", "metadata": ["x"]}', "'metadata' is ['x'], not an object"),
        ('{"text": "ab", "passages": [{"start": 0, "end": 1}]}', "'kind' is None, not a string"),
        ('{"text": "ab", "label": [[0, 1]]}', "[0, 1] is not such as [start, end, name]"),
        ('{"text": null}', "'text' is None, not a string"),
        ('["ab"]', "['ab'], not an object"),
        ('{"sentence1": "a"}', "'sentence2' is None, not a string"),
    ],
)
def test_a_value_of_another_kind_is_named_with_its_key(
    line: str, said: str, tmp_path: Path
) -> None:
    span = '"start": 0, "end": 2, "label": "X"'
    documents, rejects = read(tmp_path / "a.jsonl", "jsonl", line.replace("%s", span))
    assert documents == []
    assert said in rejects.kept[0].reason


def test_null_is_as_good_as_absent_and_numbers_may_be_names(tmp_path: Path) -> None:
    keys = "id passages entities spans relations sentences labels label label_scores meta metadata"
    nulls = ", ".join(f'"{key}": null' for key in f"{keys} annotated_labels provenance".split())
    lines = [
        f'{{"text": "ab", {nulls}}}',
        '{"text": "ab", "id": 7, "entities": [{"id": 4, "start": 0.0, "end": 2, "label": 1}]}',
    ]
    documents, rejects = read(tmp_path / "a.jsonl", "jsonl", "\n".join(lines))
    assert documents == [
        Document("1", "ab"),
        Document("7", "ab", entities=(Entity(0, 2, "1", id="4"),)),
    ]
    assert rejects.count == 0


def bioc_lines(*texts: str) -> list[str]:
    return [
        json.dumps({"id": text, "passages": [{"offset": 0, "text": text}]}, ensure_ascii=False)
        for text in texts
    ]


@pytest.mark.parametrize("bad", ['{"passages": [{"offset": 0,}]}', '{"id": "1", "pass', "rubbish"])
def test_a_bad_line_of_bioc_json_sets_no_other_aside(bad: str, tmp_path: Path) -> None:
    lines = bioc_lines("one", "two\u2028lines", "three\x85lines")
    for number in range(4):
        text = "\n".join([*lines[:number], bad, *lines[number:]])
        found, rejects = read(tmp_path / "a.json", "bioc-json", text)
        assert [one.text for one in found] == ["one", "two\u2028lines", "three\x85lines"]
        assert [one.place for one in rejects.kept] == [str(number + 1)]


def test_each_line_of_bioc_json_may_be_a_collection(tmp_path: Path) -> None:
    one, two, three = map(json.loads, bioc_lines("one", "two\u2028lines", "three"))
    values = [{"source": "", "documents": [one, two]}, {"PubTator3": [three]}, one, [two]]
    lines = [json.dumps(value, ensure_ascii=False) for value in values]
    found, rejects = read(tmp_path / "a.json", "bioc-json", "\n".join(lines))
    texts = ["one", "two\u2028lines", "three", "one", "two\u2028lines"]
    assert [document.text for document in found] == texts[:4]
    assert [reject.place for reject in rejects.kept] == ["document 5"]
    found, rejects = read(tmp_path / "a.json", "bioc-json", f"[{','.join(lines[:3])}]")
    assert ([document.text for document in found], rejects.count) == (texts[:4], 0)


def test_of_a_damaged_collection_the_whole_documents_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_documents([Document(one, one) for one in ("one", "two", "three")], path, "bioc-json")
    damaged = path.read_text().replace('"two"', '"two', 1)
    found, rejects = read(path, "bioc-json", damaged)
    assert [one.text for one in found] == ["one", "three"]
    assert [one.place for one in rejects.kept] == ["1", "3", "5"]
    indented = json.dumps(json.loads(path.read_text().replace('"two', '"two"', 1)), indent=1)
    found, rejects = read(path, "bioc-json", indented[:-3])
    assert (found, rejects.count) == ([], 1)


def test_half_a_surrogate_pair_sets_its_bioc_document_aside(tmp_path: Path) -> None:
    passages = ['"a \\ud83d\\ude00"', '"a \\ud83d fever"', '"b", "infons": {"\\uD83D": "x"}', '"c"']
    documents = [f'{{"id": "1", "passages": [{{"offset": 0, "text": {one}}}]}}' for one in passages]
    for text in ("\n".join(documents), f'{{"documents": [{",".join(documents)}]}}'):
        found, rejects = read(tmp_path / "a.json", "bioc-json", text)
        assert [one.text for one in found] == ["a \U0001f600", "c"]
        assert [one.place for one in rejects.kept] == ["document 2", "document 3"]
        assert "half of a surrogate pair" in rejects.kept[0].reason


def test_bioc_writes_a_mention_once_where_passages_overlap(tmp_path: Path) -> None:
    passages = (Passage(8, 14, "inner"), Passage(0, 14, "outer"), Passage(0, 0, "empty"))
    entities = tuple(Entity(start, end, "X") for start, end in ((9, 14), (0, 3), (16, 18)))
    path = tmp_path / "a.json"
    document = Document("1", "abc def ghijkl, mno", passages, entities)
    write_documents([document], path, "bioc-json")
    written = json.loads(path.read_text())["documents"][0]["passages"]
    held = {one["infons"]["type"]: [e["id"] for e in one["annotations"]] for one in written}
    assert held == {"outer": ["T1", "T2"], "empty": [], "inner": [], "text": ["T3"]}


DOCCANO = """{"id": 4, "text": "Aspirin eases pain.", "label": [[0, 7, "Drug"], [14, 18, "Sign"]]}
{"id": 5, "text": "Aspirin eases pain.", "labels": [[0, 7, "Drug"]]}
{"id": 6, "text": "Aspirin eases pain.", "entities": [
{"id": 20, "label": "Drug", "start_offset": 0, "end_offset": 7},
{"id": 21, "label": "Sign", "start_offset": 14, "end_offset": 18}],
"relations": [{"id": 3, "from_id": 20, "to_id": 21, "type": "eases"}], "Comments": []}
{"id": 7, "text": "Aspirin eases pain.", "label": ["good", "new"]}
{"id": 8, "text": "Nothing.", "label": []}
{"id": 9, "text": "Nothing.", "label": [], "entities": [], "relations": []}
"""


def test_labels_of_doccano(tmp_path: Path) -> None:
    lines = DOCCANO.replace('": [\n', '": [').replace(",\n", ", ").replace("],\n", "], ")
    (tmp_path / "all.jsonl").write_text(lines)
    rejects = Rejects()
    spans, older, related, classed, *bare = read_documents(tmp_path / "all.jsonl", None, rejects)
    assert rejects.count == 0, rejects.kept
    assert mentions(spans) == [("Aspirin", "Drug"), ("pain", "Sign")]
    assert mentions(older) == [("Aspirin", "Drug")]
    assert mentions(related) == mentions(spans)
    (relation,) = related.relations
    assert relation.label == "eases"
    assert [related.argument_text(one) for one in relation.arguments] == ["Aspirin", "pain"]
    assert (classed.labels, classed.entities) == (("good", "new"), ())
    assert [one.id for one in bare] == ["8", "9"]
    assert not any(one.labels for one in (spans, older, related, *bare))


def test_broken_labels_of_doccano_are_counted(tmp_path: Path) -> None:
    lines = [
        '{"text": "a", "label": [[0, 1]]}',
        '{"text": "a", "label": [[0, 9, "X"]]}',
        '{"text": "a", "label": [["x", 1, "X"]]}',
        '{"text": "a", "label": [[0, 1, "X"], "Y"]}',
        '{"text": "a", "label": [[0, 1, "X"]], "entities": []}',
        '{"text": "a", "entities": [{"id": 1, "label": "X", "start_offset": 0}]}',
        '{"text": "a", "entities": [], "relations": [{"from_id": 1, "to_id": 2, "type": "t"}]}',
        '{"text": "a", "label": {"x": 1}}',
        '{"text": "a", "label": ["X"], "labels": "Virus"}',
    ]
    documents, rejects = read(tmp_path / "a.jsonl", "jsonl", "\n".join(lines))
    assert [one.place for one in rejects.kept] == ["1", "2", "3", "4", "6", "7", "8", "9"]
    assert rejects.kept[-1].reason == "not a document: 'labels' is 'Virus', not a list"
    assert [mentions(one) for one in documents] == [[("a", "X")]]


@pytest.mark.parametrize("name", ["A.JSONL", "A.NDJSON", "A.PUBTATOR", "A.TXT", "A.BIOC.XML"])
def test_endings_in_capitals_tell_the_format(name: str) -> None:
    assert format_of(name) == format_of(name.lower())


def test_jats_keeps_subtitles_and_listings(tmp_path: Path) -> None:
    text = (
        "<article><front><article-meta><title-group><article-title>Lithium</article-title>"
        "<subtitle>a <italic>randomised</italic> trial</subtitle><subtitle/></title-group>"
        "</article-meta></front><body><sec><title>Methods</title><preformat>ATG\n  CCA</preformat>"
        "<code>t.test(x)</code><p>We called <code>aov</code>.</p><array><tbody><tr><td>7</td></tr>"
        "</tbody></array><chem-struct-wrap><chem-struct>LiCl</chem-struct></chem-struct-wrap>"
        "</sec></body></article>"
    )
    (document,), rejects = read(tmp_path / "a.nxml", "jats", text)
    assert rejects.count == 0
    assert document.text == (
        "Lithium: a randomised trial\nMethods\nATG CCA\nt.test(x)\nWe called aov."
    )
    assert [one.kind for one in document.passages if one.start == one.end] == ["table", "formula"]
