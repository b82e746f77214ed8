"""`biobert data augment`: changed copies of annotated documents."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from biobert.cli.answer import JsonFlag, VerbAnswer, answering
from biobert.cli.choices import LARGEST_SEED, of_options, spare_inputs
from biobert.cli.tables import show_values

if TYPE_CHECKING:
    from collections.abc import Sequence

    from biobert.core.document import Document
    from biobert.data.augmentation import AugmentationSettings
    from biobert.data.rejects import Rejects


@answering("data augment")
def augment_corpus(
    corpus: Annotated[str, typer.Argument(metavar="NAME-OR-PATH")],
    output: Annotated[Path, typer.Option("--output", "-o", help="A .jsonl file of the copies.")],
    split: Annotated[str, typer.Option(help="The split to copy.")] = "train",
    copies: Annotated[int, typer.Option(help="Copies of each document.")] = 1,
    mention_rate: Annotated[float, typer.Option(help="Share of mentions to replace.")] = 0.3,
    lexicon: Annotated[str | None, typer.Option(help="TSV of label and term.")] = None,
    ontologies: Annotated[
        list[str] | None, typer.Option("--ontology", help="LABEL=FILE (OBO, TSV of id and name).")
    ] = None,
    synonym_rate: Annotated[float, typer.Option(help="Share of known words to replace.")] = 0.0,
    synonyms: Annotated[str | None, typer.Option(help="TSV of word and synonyms.")] = None,
    filled_rate: Annotated[float, typer.Option(help="Share of words to fill in anew.")] = 0.0,
    language_model: Annotated[
        str | None, typer.Option(help="A pretrained BERT folder or Hugging Face name.")
    ] = None,
    top: Annotated[int, typer.Option(help="Draw among so many words of the model.")] = 5,
    translated_rate: Annotated[float, typer.Option(help="Share of sentences to translate.")] = 0.0,
    translators: Annotated[
        list[str] | None,
        typer.Option("--translator", help="Sequence-to-sequence models: first there, then back."),
    ] = None,
    seed: Annotated[
        int, typer.Option(min=0, max=LARGEST_SEED, help="Equal seeds give equal copies.")
    ] = 1,
    as_json: JsonFlag = False,
) -> VerbAnswer:
    """Write changed copies of annotated documents, without the documents themselves.

    Mentions are replaced by others of their type, words outside them by synonyms, by a language
    model, or sentences by a translation there and back. Annotations stay on their words.
    """
    from biobert.cli.places import corpus_places
    from biobert.core.settings import from_mapping
    from biobert.data.augmentation import AugmentationSettings
    from biobert.data.catalogue import read_split
    from biobert.data.rejects import Rejects

    table = {
        "copies": copies,
        "mention_rate": mention_rate,
        "lexicon": lexicon,
        "ontologies": dict(_label_and_file(one) for one in ontologies or []),
        "synonym_rate": synonym_rate,
        "synonyms": synonyms,
        "filled_rate": filled_rate,
        "language_model": language_model,
        "top": top,
        "translated_rate": translated_rate,
        "translators": [{"model": one} for one in translators or []],
    }
    spare_inputs([corpus], output)
    with of_options():
        settings = from_mapping(AugmentationSettings, table, place="data augment")
    rejects = Rejects()
    documents = read_split(corpus, split, corpus_places(), rejects=rejects)
    data = _write_copies(documents, settings, rejects, output, seed)
    return VerbAnswer(data, lambda: show_values(data))


def _label_and_file(text: str) -> tuple[str, str]:
    from biobert.core.errors import BadInputError

    label, sign, path = text.partition("=")
    if not sign or not label or not path:
        raise BadInputError(f"--ontology {text!r}: write it as LABEL=FILE", code="usage")
    return label, path


def _write_copies(
    documents: "Sequence[Document]",
    settings: "AugmentationSettings",
    rejects: "Rejects",
    output: Path,
    seed: int,
) -> dict[str, Any]:
    from biobert.cli.extras import need_extra
    from biobert.data.augmentation import augmented, term_augmentations
    from biobert.data.reading import write_documents

    if settings.language_model or settings.translators:
        need_extra("torch", "transformers", extra="train")
        from biobert.training.augmentation import build_augmentations

        methods = build_augmentations(settings, documents, rejects)
    else:
        methods = term_augmentations(settings, documents, rejects)
    copies = augmented(documents, methods, copies=settings.copies, seed=seed)
    written = write_documents(copies, output)
    return {
        "documents": len(documents),
        "copies": written,
        "translated": {
            reason: count
            for method in methods
            for reason, count in getattr(method, "counts", {}).items()
        },
        "set_aside": rejects.count,
        "output": str(output),
    }
