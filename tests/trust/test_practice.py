"""Practice notes are annotated where their names stand, and hold nothing of the blind notes."""

import re
from pathlib import Path

from biobert import Deidentifier
from biobert.core.document import Document, Entity
from biobert.data.places import CorpusPlaces
from biobert.data.reading import read_documents, write_documents
from biobert.training.material import RunPlaces
from biobert.training.recipe import read_recipe
from biobert.training.session import train
from biobert.trust.practice import LABELS, contexts, put_together, written_again
from biobert.trust.tagger import load_tagger
from tests.tiny import write_tiny_encoder_folder
from tests.training.conftest import Recorder

NOTES = Path(__file__).parent / "notes"


def note(marked: str) -> Document:
    """`Dr. <NAME:Katz>` with Katz as a NAME."""
    text, entities = "", []
    for before, label, mention in re.findall(r"([^<]*)(?:<(\w+):([^>]+)>)?", marked):
        text += before
        if label:
            entities.append(Entity(len(text), len(text) + len(mention), label))
        text += mention
    return Document("note", text, entities=tuple(entities))


MARKED = (
    "<NAME:Margaret A. Sullivan>, MRN <MEDICAL_RECORD:00482913>, from <LOCATION:Toledo>.\n"
    "<DATE:3/14/2024>: <NAME:SULLIVAN> slept at <LOCATION:Whispering Pines>, <LOCATION:9 Elm St>."
)


def test_a_note_is_written_again_with_others_in_the_places_of_its_identifiers() -> None:
    form = re.compile(
        r"(\w+ \w\. (\w+)), mrn \d{8}, from (.+)\.\n[\d/]+: (\2) slept at (.+), (\d.+|p.+)\.", re.I
    )
    for copy in written_again([note(MARKED)], copies=30, seed=1):
        found = form.fullmatch(copy.text)
        assert found is not None, copy.text
        assert not re.search(r"(?i)Sullivan|Toledo|Pines|Elm|00482913|3/14/2024", copy.text)
        mentions = [copy.mention(one) for one in copy.entities]
        assert mentions == [found[1], *found.groups()[2:]]
        labels = "".join(one.label[0] for one in copy.entities)
        assert labels == "NLNLL"


def test_every_context_is_filled_and_annotated() -> None:
    for line in contexts().lines:
        slots = re.findall(r"<(\w+)>", line.lower())
        may_be = {contexts().labels[slot] for slot in slots if slot in contexts().labels}
        for made in put_together([line], count=5, seed=3):
            assert not re.search(r"[{}#]|<\w+>", made.text), made.text
            assert {one.label for one in made.entities} <= may_be
            for one in made.entities:
                assert made.mention(one) == made.mention(one).strip()
                assert not made.text[one.start - 1 : one.start].isalnum()
                assert not made.text[one.end : one.end + 1].isalnum()


def test_the_same_seed_gives_the_same_notes() -> None:
    def made(seed: int) -> list[Document]:
        again = written_again([note(MARKED)], copies=5, seed=seed)
        return [*again, *put_together(contexts().lines, count=20, seed=seed)]

    assert made(1) == made(1)
    assert made(1) != made(2)


def test_notes_come_as_written_in_small_letters_and_in_capitals() -> None:
    texts = [one.text for one in put_together(contexts().lines, count=100, seed=1)]
    assert 15 <= sum(one.islower() for one in texts) <= 35
    assert 5 <= sum(one.isupper() for one in texts) <= 25


def test_nothing_of_the_blind_notes_is_in_them() -> None:
    made = [
        *written_again(list(read_documents(NOTES / "tuning")), copies=1, seed=1),
        *put_together(contexts().lines, count=300, seed=1),
    ]
    text = "\n".join(one.text for one in made).lower()
    patterns = "\n".join([*contexts().lines, *map(str, contexts().fillings.values())]).lower()
    for blind in read_documents(NOTES / "blind"):
        lines = [line.strip().lower() for line in blind.text.splitlines()]
        assert not [line for line in lines if len(line) > 30 and line in text]
        mentions = {blind.mention(one).lower() for one in blind.entities_labelled(LABELS)}
        assert not [one for one in mentions if len(one.split()) > 1 and one in patterns]


def test_a_model_trained_on_them_finds_what_the_rules_miss(tmp_path: Path) -> None:
    lines = ["Overnight <surname> was dizzy.", "Overnight the pain was worse."]
    write_documents(put_together(lines, count=200, seed=1), tmp_path / "train.jsonl")
    tables = {
        "name": "names",
        "task": {"name": "ner", "labels": list(LABELS)},
        "model": {"encoder": str(write_tiny_encoder_folder(tmp_path / "encoder", dropout=0.0))},
        "data": {"train": [{"corpus": str(tmp_path / "train.jsonl")}]},
        "optimizer": {"learning_rate": 3e-3},
        "run": {"epochs": 2},
    }
    places = RunPlaces(tmp_path / "model", CorpusPlaces(tmp_path))
    train(read_recipe(tables, place="names"), places, listener=Recorder(), resume=False)
    tagger = load_tagger(tmp_path / "model")
    assert tagger.ignored_labels == ()
    text = "Overnight Qwyllander was dizzy. Overnight the pain was worse."
    assert Deidentifier().deidentify(text).document.text == text
    found = Deidentifier(names=tagger.annotate).deidentify(text).document.text
    assert found == text.replace("Qwyllander", "[NAME]")
