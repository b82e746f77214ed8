"""Tables of sentence pairs with scores, as they are published and as spreadsheets write them."""

from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from biobert.core.document import Document, Passage
from biobert.data.reading import read_documents, write_documents
from biobert.data.rejects import Rejects


def read(path: Path, text: str) -> tuple[list[Document], Rejects]:
    path.write_text(text, encoding="utf-8")
    rejects = Rejects()
    return list(read_documents(path, "sts", rejects)), rejects


def pair(document: Document) -> tuple[str, ...]:
    return tuple(document.text[one.start : one.end] for one in document.passages)


def test_the_scores_of_annotators_are_averaged(tmp_path: Path) -> None:
    text = (
        "\ufeffPair #\tSentence 1\tSentence 2\tAnnotator A\tAnnotator_B\tannotator-c\n"
        "1\tLithium helps.\tIt helps.\t4\t3\t2\n"
        "2\tLithium helps.\tIt is late.\t0\t\t1\n"
        '3\t"Says ""yes"" to it."\tNo "quotes" here.\t1\t1\t1\n'
    )
    documents, rejects = read(tmp_path / "a.sts.tsv", text)
    assert rejects.count == 0
    assert [one.metadata["similarity"] for one in documents] == ["3", "0.5", "1"]
    assert [one.id for one in documents] == ["1", "2", "3"]
    assert pair(documents[0]) == ("Lithium helps.", "It helps.")
    assert pair(documents[2]) == ('Says "yes" to it.', 'No "quotes" here.')


def test_single_letters_and_a_score_of_its_own(tmp_path: Path) -> None:
    letters = "sentence1\tsentence2\tA\tB\tC\tD\tE\na\tb\t1\t2\t3\t4\t5\n"
    (document,), _ = read(tmp_path / "a.sts.tsv", letters)
    assert document.metadata["similarity"] == "3"
    scored = "text_1\ttext_2\tscore\tannotator_a\na\tb\t2.5\t0\n"
    (document,), _ = read(tmp_path / "a.sts.tsv", scored)
    assert document.metadata["similarity"] == "2.5"


def test_rows_of_medsts_and_of_the_benchmark(tmp_path: Path) -> None:
    (document,), _ = read(tmp_path / "a.sts.tsv", '"Take one daily\tTake two\t4.5\n')
    assert pair(document) == ('"Take one daily', "Take two")
    assert document.metadata == {"similarity": "4.5"}
    row = "main-news\theadlines\t2015\t0010\t3.200\tA man.\tA woman.\n"
    (document,), _ = read(tmp_path / "a.sts.tsv", row)
    assert (pair(document), document.metadata["similarity"]) == (("A man.", "A woman."), "3.2")
    (document,), _ = read(tmp_path / "a.sts.tsv", "only\ttwo\n")
    assert document.metadata == {}


def test_bad_rows_are_set_aside(tmp_path: Path) -> None:
    text = "a\tb\tmuch\nalone\n\t\t\n\tb\t3\na\tb\tnan\na\tb\tinf\ngood\tpair\t1\n"
    documents, rejects = read(tmp_path / "a.sts.tsv", text)
    assert [pair(one) for one in documents] == [("good", "pair")]
    assert [reject.place for reject in rejects.kept] == ["1", "2", "4", "5", "6"]


sentences = st.text(alphabet='ab"\t\n\r\x0b\u2028 é', min_size=1, max_size=12).filter(str.strip)


@given(sentences, sentences, st.sampled_from(["", "3.25"]))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_pairs_come_back_but_for_white_space(
    tmp_path: Path, first: str, second: str, score: str
) -> None:
    text = f"{first}\n{second}"
    passages = (Passage(0, len(first), "first"), Passage(len(first) + 1, len(text), "second"))
    metadata = {"similarity": score} if score else {}
    document = Document("x", text, passages=passages, metadata=metadata)
    write_documents([document], tmp_path / "a.sts.tsv", "sts")
    rejects = Rejects()
    (found,) = read_documents(tmp_path / "a.sts.tsv", "sts", rejects)
    assert rejects.count == 0
    assert pair(found) == (" ".join(first.split()), " ".join(second.split()))
    assert (found.id, found.metadata) == ("x", metadata)
