"""Mentions of a document brought into line with one another."""

from collections import defaultdict
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from biobert.core.document import Document, Entity
from biobert.tasks._consistency import Names, consistent
from biobert.tasks.ner import HEAD, NamedEntityRecognition
from tests.tiny import tiny_tokenizer

EXCLUDED: defaultdict[str, set[str]] = defaultdict(set, {"Disease": {"Gene"}, "Gene": {"Disease"}})


def entity(text: str, mention: str, number: int, score: float, label: str = "Disease") -> Entity:
    """The occurrence of that number of a mention."""
    start = -1
    for _ in range(number + 1):
        start = text.index(mention, start + 1)
    return Entity(start, start + len(mention), label, score=score)


def after(text: str, *entities: Entity) -> list[tuple[int, str, str]]:
    found = consistent(text, entities, EXCLUDED)
    return sorted((one.start, text[one.start : one.end], one.label) for one in found)


def test_a_sure_name_is_marked_wherever_it_stands() -> None:
    text = "Ataxia is rare. He had ataxia; ataxia-like gait, ataxias. Then ataxia."
    sure = entity(text, "ataxia", 0, 0.99)
    found = after(text, sure)
    assert [start for start, _, _ in found] == [23, 31, 63]
    assert all(one.score == 0.99 for one in consistent(text, [sure], EXCLUDED))
    assert len(after(text, entity(text, "ataxia", 0, 0.85))) == 0


def test_nothing_is_marked_over_its_own_type_or_an_excluded_one() -> None:
    text = "ataxia, spinal ataxia, ataxia gene, ataxia"
    found = after(
        text,
        entity(text, "ataxia", 0, 0.99),
        entity(text, "spinal ataxia", 0, 0.99),
        entity(text, "ataxia gene", 0, 0.6, "Gene"),
        entity(text, "ataxia", 3, 0.95, "Species"),
    )
    assert (36, "ataxia", "Disease") in found
    assert (36, "ataxia", "Species") in found
    assert [name for _, name, label in found if label == "Disease"] == [
        "ataxia",
        "spinal ataxia",
        "ataxia",
    ]


def test_an_unsure_mention_is_dropped_where_its_name_is_as_often_unmarked() -> None:
    text = "Stress was seen. Stress, Stress."
    unsure = [entity(text, "Stress", 0, 0.8), entity(text, "Stress", 1, 0.8)]
    assert len(after(text, *unsure)) == 2
    assert after(text, unsure[0]) == []
    assert len(after(text, entity(text, "Stress", 0, 0.95))) == 3


def test_mentions_inside_longer_ones_do_not_speak_against_a_name() -> None:
    text = "cancer, breast cancer, breast cancer"
    longer = [entity(text, "breast cancer", number, 0.9) for number in range(2)]
    assert (0, "cancer", "Disease") in after(text, entity(text, "cancer", 0, 0.6), *longer)


def test_a_short_form_follows_its_long_form() -> None:
    text = "Acute renal failure (ARF) is no use of ARF in the polymerase chain reaction (PCR), PCR."
    found = after(
        text,
        entity(text, "Acute renal failure", 0, 0.7),
        entity(text, "PCR", 0, 0.99),
        entity(text, "PCR", 1, 0.99, "Gene"),
    )
    assert found == [
        (0, "Acute renal failure", "Disease"),
        (21, "ARF", "Disease"),
        (39, "ARF", "Disease"),
    ]


def test_a_mention_at_the_end_of_a_long_form_is_not_what_it_stands_for() -> None:
    text = "DCC (deleted in colorectal cancer) and DCC"
    assert after(text, entity(text, "colorectal cancer", 0, 0.9)) == [
        (16, "colorectal cancer", "Disease")
    ]


def test_occurrences_stand_between_borders_of_words() -> None:
    text = "TNF-α TNF TNFR αTNF-α. (TNF)-α TNF"
    found = Names(["TNF", "TNF-α", "(TNF)", "TNF TNF TNF", "", " "]).places(text)
    assert [span.start for span in found["TNF"]] == [0, 6, 24, 31]
    assert [span.start for span in found["TNF-α"]] == [0]
    assert [span.start for span in found["(TNF)"]] == [23]
    assert found[""] == found[" "] == found["TNF TNF TNF"] == []


def test_a_name_goes_on_over_the_end_of_a_line() -> None:
    text = "breast\ncancer, breast \t cancer, breast-cancer, breast, cancer breast"
    found = Names(["breast cancer", "cancer"]).places(text)
    assert [(one.start, one.end) for one in found["breast cancer"]] == [(0, 13), (15, 30)]
    assert len(found["cancer"]) == 4
    sure = entity(text, "breast\ncancer", 0, 0.95)
    assert [name for _, name, _ in after(text, sure)] == ["breast\ncancer", "breast \t cancer"]


@given(st.data())
def test_whatever_is_marked_none_overlaps_its_type_and_sure_ones_stay(
    data: st.DataObject,
) -> None:
    text = data.draw(st.text(alphabet="ab (AB)-", min_size=1, max_size=60))
    entities: list[Entity] = []
    for label in ("Disease", "Gene"):
        position = 0
        while position < len(text) and data.draw(st.booleans()):
            start = data.draw(st.integers(position, len(text) - 1))
            end = data.draw(st.integers(start + 1, len(text)))
            entities.append(Entity(start, end, label, score=data.draw(st.floats(0, 1))))
            position = end
    found = consistent(text, entities, defaultdict(set))
    for label in ("Disease", "Gene"):
        own = sorted((one.start, one.end) for one in found if one.label == label)
        assert all(one[1] <= other[0] for one, other in pairwise(own))
    if "(" not in text:
        assert {one for one in entities if (one.score or 0) >= 0.9} <= set(found)


def test_the_tagger_does_so_where_it_is_asked_to() -> None:
    text = "Ataxia is rare. He had Ataxia."
    document, tokenizer = Document("1", text), tiny_tokenizer()
    for consistency, expected in ((False, 1), (True, 2)):
        task = NamedEntityRecognition.from_settings(
            {"labels": ["Disease"], "consistency": consistency}
        )
        windows = task.encode(task.examples(document), tokenizer)
        outputs = []
        for number, (window,) in enumerate(windows):
            logits = np.zeros((len(window), 3), dtype=np.float32)
            logits[:, 0] = 20.0
            if number == 0:
                logits[window.offsets[:, 0] == 0, 1] = 40.0
            outputs.append([{HEAD: logits}])
        assert len(task.decode(document, windows, outputs).entities) == expected
