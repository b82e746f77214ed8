"""`biobert corpus`: from literature to the token ids that encoders are pretrained on."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from biobert.cli.answer import JsonFlag, VerbAnswer, answering, unreadable
from biobert.cli.choices import choice, listed_names
from biobert.cli.corpus_figures import corpus_figures, show_corpus
from biobert.cli.rejects import listed

if TYPE_CHECKING:
    from biobert.data.building import Advance, Ingredients
    from biobert.data.workers import Engine

CURE = "All else is in the corpus: mend this and build into another folder"


def register(app: typer.Typer) -> None:
    """Add the verb group."""
    group = typer.Typer(no_args_is_help=True, help="Build and show pretraining corpora.")
    group.command("build")(build)
    group.command("show")(show)
    app.add_typer(group, name="corpus")


@answering("corpus build")
def build(
    sources: Annotated[
        list[str], typer.Argument(help="Files, folders, globs, or splits such as BC5CDR:train.")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder to write.")],
    tokenizer: Annotated[
        str, typer.Option(help="A folder with a tokenizer, a hub name, or `embedded`.")
    ] = "embedded",
    source_format: Annotated[str | None, typer.Option("--from", help="Format to read.")] = None,
    licence: Annotated[
        str | None, typer.Option(help="Keep these licences only: cc-by,cc0,public-domain.")
    ] = None,
    language: Annotated[str, typer.Option(help="Keep these languages: en,de.")] = "en",
    minimum_words: Annotated[int, typer.Option(help="Shorter documents are left out.")] = 20,
    test_splits: Annotated[
        str, typer.Option(help="Documents of catalogued test splits: exclude or keep.")
    ] = "exclude",
    near_duplicates: Annotated[
        str, typer.Option(help="How they are found: minhash, or none to keep them.")
    ] = "minhash",
    heldout: Annotated[float, typer.Option(help="Share of documents held out.")] = 0.02,
    seed: Annotated[int, typer.Option(help="Another seed holds other documents out.")] = 1,
    shard_tokens: Annotated[int, typer.Option(help="Tokens after which a shard ends.")] = 1 << 24,
    tagger: Annotated[
        str | None, typer.Option(help="Tag each token with this token-tagging model.")
    ] = None,
    engine: Annotated[str, typer.Option(help="local, or ray for many machines.")] = "local",
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes; by default one for each core.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a stopped build.")] = False,
    rejects: Annotated[Path | None, typer.Option(help="List what was left out, and why.")] = None,
    as_json: JsonFlag = False,
) -> VerbAnswer:
    """Build a pretraining corpus: cleaned, filtered, without duplicates, as shards of token ids.

    Reads PubMed XML, JATS (also in tar archives), JSON lines, plain text and every other format.
    A killed build goes on with --resume and ends with the same bytes.
    """
    from biobert.cli.places import corpus_places
    from biobert.data.building import CorpusSettings, Run, build_corpus
    from biobert.data.cleaning import FilterSettings
    from biobert.data.duplicates import DuplicateSettings
    from biobert.data.packets import damaged_sources
    from biobert.data.shards import MANIFEST
    from biobert.data.sources import find_sources
    from biobert.runtime.settings import available_cores

    settings = CorpusSettings(
        filter=FilterSettings(
            minimum_words=minimum_words,
            languages=listed_names(language) or (language,),
            licences=listed_names(licence),
        ),
        duplicates=DuplicateSettings(
            near=choice("--near-duplicates", near_duplicates, ("minhash", "none"))
        ),
        heldout_share=heldout,
        seed=seed,
        shard_tokens=shard_tokens,
    )
    count = workers or available_cores()
    # A build that had ended before leaves its list as it is.
    ended = resume and (output / MANIFEST).is_file()
    with listed(None if ended else rejects) as set_aside, _progress() as advance:
        found = find_sources(sources, corpus_places(), format=source_format, rejects=set_aside)
        ingredients = _ingredients(tokenizer, test_splits, tagger, count)
        run = Run(
            engine=_engine(engine, count),
            workers=count,
            start="resume" if resume else "new",
            rejects=set_aside,
            advance=advance,
        )
        manifest = build_corpus(found, output, ingredients, settings, run)
    data = {"output": str(output), **corpus_figures(manifest)}
    problem = unreadable(damaged_sources(set_aside), CURE)
    return VerbAnswer(data, lambda: show_corpus(data), problem)


@answering("corpus show")
def show(
    corpus: Annotated[Path, typer.Argument(help="A folder that `corpus build` wrote.")],
    samples: Annotated[int, typer.Option(min=0, help="Sentences to show.")] = 3,
    seed: Annotated[int, typer.Option(help="Another seed shows other sentences.")] = 1,
    as_json: JsonFlag = False,
) -> VerbAnswer:
    """Show what a pretraining corpus holds, with sentences drawn at random."""
    from biobert.data.corpus_report import sample_sentences, tag_counts, tokens_per_sentence
    from biobert.data.shards import SPLITS, open_corpus
    from biobert.text.tokenizer import Tokenizer

    opened = [open_corpus(corpus, split, damaged="skip") for split in SPLITS]
    backend = Tokenizer.from_folder(corpus).backend
    names = opened[0].manifest.tags
    sentences = [
        {
            "split": one.split,
            "document": one.document,
            "text": backend.decode(list(one.token_ids), skip_special_tokens=False),
            "tags": [names[tag] for tag in one.tags],
        }
        for one in sample_sentences(opened, samples, seed=seed)
    ]
    data = {
        "output": str(corpus),
        **corpus_figures(opened[0].manifest),
        "tokens_per_sentence": tokens_per_sentence(opened),
        "tag_counts": tag_counts(opened),
        "damaged_shards": [name for one in opened for name in one.skipped],
        "samples": sentences,
    }
    return VerbAnswer(data, lambda: show_corpus(data))


def _ingredients(
    tokenizer: str, test_splits: str, tagger: str | None, workers: int
) -> "Ingredients":
    from biobert.cli.places import corpus_places
    from biobert.cli.tagging import tagging_of
    from biobert.data.building import Ingredients
    from biobert.data.contamination import catalogued_test_splits
    from biobert.pipeline.load import tokenizer_folder
    from biobert.text.tokenizer import Tokenizer

    folder = tokenizer_folder(tokenizer)
    splits = None
    if choice("--test-splits", test_splits, ("exclude", "keep")) == "exclude":
        splits = catalogued_test_splits(corpus_places(), workers=workers)
    return Ingredients(
        tokenizer=Tokenizer.from_folder(folder),
        test_splits=splits,
        tagging=tagging_of(tagger) if tagger else None,
    )


def _engine(name: str, workers: int) -> "Engine":
    from biobert.data.workers import LocalEngine

    if choice("--engine", name, ("local", "ray")) == "local":
        return LocalEngine(workers)
    from biobert.cli.extras import need_extra
    from biobert.cli.places import without_telemetry

    need_extra("ray", extra="scale")
    without_telemetry()
    from biobert.data.scale import RayEngine

    return RayEngine(workers)


@contextmanager
def _progress() -> "Iterator[Advance]":
    from rich.console import Console

    with Console(stderr=True).status("looking at the sources") as status:
        yield lambda documents, tokens: status.update(
            f"{documents} documents, {tokens / 1e6:.1f} million tokens"
        )
