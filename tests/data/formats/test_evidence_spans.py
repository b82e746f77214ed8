"""Evidence Inference as extractive questions: what a trial found, in the words of its abstract."""

import io
import tarfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from biobert.data.formats.evidence_spans import found_span
from biobert.data.places import CorpusPlaces
from biobert.data.reading import read_together
from biobert.data.rejects import Rejects

ARTICLE = """<article><front><article-meta><article-id pub-id-type="pmc">{number}</article-id>
<title-group><article-title>On lithium</article-title></title-group><abstract><sec>
<title>Results</title><p>Deaths did
not differ (5 <italic>versus</italic> 6). Pain fell.</p></sec></abstract></article-meta></front>
<body><p>Cost rose.</p></body></article>"""
ANNOTATIONS = """UserID,PromptID,PMCID,Valid Label,Valid Reasoning,Label,Annotations
0,1,77,True,True,no significant difference,"Deaths did not differ
(5 versus 6)"
1,1,77,True,True,no significant difference,Deaths did not differ (5 versus 6)
0,2,77,True,True,significantly decreased,Pain fell.
0,3,77,True,True,significantly increased,Cost rose.
0,4,77,True,False,significantly increased,Pain fell.
0,5,78,True,True,significantly decreased,Pain fell.
0,6,77,True,True,significantly decreased,Pain fell.
"""
PROMPTS = """PromptID,PMCID,Outcome,Intervention,Comparator
1,77,deaths,lithium,placebo
2,77,pain,lithium,placebo
3,77,cost,lithium,placebo
5,78,pain,lithium,placebo
"""


def test_evidence_is_found_in_the_abstract(tmp_path: Path) -> None:
    (tmp_path / "annotations.csv").write_text(ANNOTATIONS)
    (tmp_path / "prompts_merged.csv").write_text(PROMPTS)
    (tmp_path / "train.txt").write_text("77\n78\n")
    with tarfile.open(tmp_path / "articles.tar", "w") as archive:
        data = ARTICLE.format(number=77).encode()
        member = tarfile.TarInfo("PMC77.nxml")
        member.size = len(data)
        archive.addfile(member, io.BytesIO(data))
    beside = {
        "prompts": tmp_path / "prompts_merged.csv",
        "articles": tmp_path / "articles.tar",
        "train-articles": tmp_path / "train.txt",
    }
    rejects = Rejects()
    path = tmp_path / "annotations.csv"
    documents = list(read_together(path, beside, "evidence-spans", rejects))
    found = [one.mention(entity) for one in documents for entity in one.entities]
    assert [one.id for one in documents] == ["prompt-1", "prompt-2"]
    assert found == ["Deaths did not differ (5 versus 6)", "Pain fell."]
    assert documents[0].text.startswith("What was found for deaths, lithium compared with placebo?")
    assert documents[0].metadata == {"pmc": "77", "split": "train"}
    places = sorted(one.place for one in rejects.kept)
    assert places == ["7", "prompt 3", "prompt 5", "prompt 6"]


@given(st.text(alphabet="ab \n", max_size=20), st.text(alphabet="ab \n", max_size=4))
def test_words_are_found_whatever_the_white_space(text: str, words: str) -> None:
    span = found_span(text, words)
    bare, wanted = "".join(text.split()), "".join(words.split())
    assert (span is not None) == (wanted != "" and wanted in bare)
    if span is not None:
        found = text[slice(*span)]
        assert "".join(found.split()) == wanted
        assert found == found.strip()


@pytest.mark.data
@pytest.mark.parametrize(
    ("split", "count"),
    [
        pytest.param("train", 847, marks=pytest.mark.slow),
        pytest.param("devel", 107, marks=pytest.mark.slow),
        ("test", 119),
    ],
)
def test_the_questions_of_evidence_inference(
    corpora: Path, tmp_path: Path, split: str, count: int
) -> None:
    from biobert.data.catalogue import read_split

    found = read_split("evidence-inference-spans", split, CorpusPlaces(tmp_path, corpora))
    assert len(found) == count
    assert all(document.entities for document in found)
