"""What a run learns from: annotated documents, or the shards of a pretraining corpus."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from biobert.core.document import Document
from biobert.core.errors import BadInputError
from biobert.core.files import sha256_of
from biobert.core.task import Task
from biobert.data.places import CorpusPlaces
from biobert.data.rejects import Rejects
from biobert.data.shards import MANIFEST, TokenCorpus, open_corpus
from biobert.tasks.pretraining import Pretraining
from biobert.training.augmentation import augmented_copies
from biobert.training.batches import Row, encode_rows
from biobert.training.corpora import (
    check_parts,
    describe,
    named_twice,
    note_set_aside,
    read_sources,
)
from biobert.training.groups import GroupSource, each_once, with_partners
from biobert.training.pretraining import (
    CorpusExaminer,
    CorpusSource,
    WeighedCorpus,
    begin_with_frequencies,
)
from biobert.training.recipe import (
    BatchSettings,
    DataSource,
    Recipe,
    RunSettings,
    StageSettings,
)
from biobert.training.sources import (
    BatchSource,
    DevelSet,
    DocumentExaminer,
    DocumentSource,
    Examiner,
    Learner,
)
from biobert.training.start import Note

COPIES = "augmented copies"


@dataclass(frozen=True, slots=True)
class RunPlaces:
    """Where the model of a run goes, and where its corpora are looked for and kept."""

    output: Path
    corpora: CorpusPlaces


@dataclass(frozen=True, slots=True)
class Material:
    """What a run learns from and is scored on.

    `described` has the checksum of each source that it learns from, `scored_on` of each devel set.
    """

    source: BatchSource
    examiner: Examiner | None
    described: dict[str, str]
    scored_on: dict[str, str]


def read_material(recipe: Recipe, places: RunPlaces, learner: Learner, note: Note) -> Material:
    """The recipe's data, as its task learns from it."""
    if isinstance(learner.task, Pretraining):
        return _corpora(recipe, learner, learner.task, note)
    return _documents(recipe, places, learner, note)


def document_source(recipe: Recipe, learner: Learner, rows: Sequence[Row]) -> BatchSource:
    """The batches of some rows, as the recipe wants them; those for vectors hold whole groups."""
    vector = _vector_head(learner.task)
    source = DocumentSource(
        learner,
        rows if vector is None else with_partners(rows, vector),
        batches=recipe.batches,
        regularization=recipe.regularization,
        seed=recipe.run.seed,
    )
    if vector is None:
        return source
    return GroupSource(source, vector, batches=recipe.batches, seed=recipe.run.seed)


def _documents(recipe: Recipe, places: RunPlaces, learner: Learner, note: Note) -> Material:
    """Annotated documents: what fine-tuning learns from."""
    _check_no_shards(recipe)
    check_parts([*recipe.data.train, *recipe.data.devel], learner.task)
    rejects = Rejects()
    found = read_sources(recipe.data.train, places.corpora, rejects=rejects)
    set_aside = rejects.count
    devel = read_sources(recipe.data.devel, places.corpora, rejects=rejects)
    note_set_aside(rejects, note)
    copies = _copies(recipe, [one for some in found.values() for one in some], note)
    read = {**found, COPIES: copies}
    times = [*(source.times for source in recipe.data.train), 1]
    rows = [
        row
        for (name, some), often in zip(read.items(), times, strict=True)
        for row in _rows(learner, name, some) * often
    ]
    unlearnt = {name: "; ".join(learner.task.unlearnt(some)) for name, some in found.items()}
    for name, words in unlearnt.items():
        if words:
            note(f"{name}: {words}")
    if any(head.kind == "text" for head in learner.task.heads()):
        counts = zip(read.values(), times, strict=True)
        _note_left_out(sum(len(some) * often for some, often in counts) - len(rows), note)
    described = _described(found, copies, set_aside, unlearnt)
    if not rows:
        said = "; ".join(f"{name}: {words}" for name, words in described.items())
        raise BadInputError(f"there is nothing to train on. {said}")
    _check_lengths(
        learner,
        max(len(row.window) for row in rows),
        cure="set task.windows.maximum_tokens to {positions} or less",
    )
    sets = [DevelSet(name, some) for name, some in devel.items()]
    return Material(
        source=document_source(recipe, learner, rows),
        examiner=DocumentExaminer(learner.task, learner.tokenizer, sets) if sets else None,
        described=described,
        scored_on={name: describe(some) for name, some in devel.items()},
    )


def _check_no_shards(recipe: Recipe) -> None:
    """An error for settings that speak of shards of tokens: annotated documents have none."""
    sources, run, plain = (*recipe.data.train, *recipe.data.devel), recipe.run, RunSettings()
    foreign = {
        "[[stages]]": recipe.stages != (StageSettings(),),
        "batches.layout": recipe.batches.layout != BatchSettings().layout,
        "run.devel_tokens": run.devel_tokens != plain.devel_tokens,
        "damaged": any(one.damaged != "refuse" for one in sources),
    }
    for setting, is_there in foreign.items():
        if is_there:
            raise BadInputError(
                f"{setting} is for pretraining, on shards of tokens: leave it out where "
                f"{recipe.task['name']!r} learns from documents"
            )


def _vector_head(task: Task) -> str | None:
    return next((head.name for head in task.heads() if head.kind == "vector"), None)


def _rows(learner: Learner, source: str, documents: Sequence[Document]) -> list[Row]:
    try:
        rows = encode_rows(learner.task, documents, learner.tokenizer)
    except BadInputError as problem:
        raise BadInputError(f"{source}: {problem}", code=problem.code) from None
    vector = _vector_head(learner.task)
    return rows if vector is None else each_once(rows, vector)


def _described(
    found: Mapping[str, Sequence[Document]],
    copies: Sequence[Document],
    set_aside: int,
    unlearnt: Mapping[str, str],
) -> dict[str, str]:
    described = {
        name: "; ".join(filter(None, (describe(some), unlearnt[name])))
        for name, some in found.items()
    }
    if copies:
        described[COPIES] = describe(copies)
    if set_aside:
        described["set aside"] = f"{set_aside} records that could not be read"
    return described


def _note_left_out(documents: int, note: Note) -> None:
    if documents:
        note(
            f"{documents} documents teach nothing: without a gold text, or source or gold is "
            "longer than task.windows.maximum_tokens"
        )


def _copies(recipe: Recipe, documents: Sequence[Document], note: Note) -> list[Document]:
    """The changed copies that the recipe wants beside the documents."""
    if recipe.augmentation is None:
        return []
    return augmented_copies(recipe.augmentation, documents, seed=recipe.run.seed, note=note)


def _corpora(recipe: Recipe, learner: Learner, task: Pretraining, note: Note) -> Material:
    """Shards of token ids: what pretraining learns from."""
    if recipe.run.steps is None:
        raise BadInputError("[run] steps is missing: a pretraining run ends at a number of steps")
    _check_all_is_read(recipe)
    longest = max(stage.length for stage in recipe.stages)
    _check_lengths(learner, longest, cure="lower [[stages]] length, or set model.positions")
    if (recipe.model.positions or 0) > longest:
        note(
            f"model.positions = {recipe.model.positions}, but rows have up to {longest} tokens: "
            "positions beyond learn nothing; give a [[stages]] that length"
        )
    train = _open_all(recipe.data.train, note)
    devel = _open_all(recipe.data.devel, note)
    times = [source.times for source in recipe.data.train for _ in source.splits]
    weighed = [WeighedCorpus(*one) for one in zip(train.values(), times, strict=True)]
    examiner = CorpusExaminer(
        task,
        learner.tokenizer,
        devel,
        batches=recipe.batches,
        length=longest,
        tokens=recipe.run.devel_tokens,
    )
    source = CorpusSource(
        task,
        learner.tokenizer,
        weighed,
        batches=recipe.batches,
        stages=recipe.stages,
        steps=recipe.run.steps,
        seed=recipe.run.seed,
    )
    begin_with_frequencies(learner.network, weighed, note)
    return Material(
        source=source,
        examiner=examiner if devel else None,
        described={name: _describe_corpus(corpus) for name, corpus in train.items()},
        scored_on={name: _describe_corpus(corpus) for name, corpus in devel.items()},
    )


def _check_all_is_read(recipe: Recipe) -> None:
    """An error for settings that speak of annotated documents: shards of tokens have none."""
    for source in (*recipe.data.train, *recipe.data.devel):
        plain = DataSource(
            source.corpus, splits=source.splits, times=source.times, damaged=source.damaged
        )
        for setting in fields(DataSource):
            if getattr(source, setting.name) != getattr(plain, setting.name):
                raise BadInputError(
                    f"[data] {source.corpus}: pretraining does not read {setting.name!r}; leave it "
                    "out, or choose documents when the corpus is built"
                )
    if recipe.regularization.masked_words or recipe.augmentation is not None:
        raise BadInputError(
            "pretraining does not read regularization.masked_words and [augmentation]: words are "
            "hidden by [task.masking]"
        )


def _open_all(sources: Sequence[DataSource], note: Note) -> dict[str, TokenCorpus]:
    """The splits of all sources, by corpus and split, in order."""
    corpora: dict[str, TokenCorpus] = {}
    for source in sources:
        for split in source.splits:
            name = f"{source.corpus} {split}"
            if name in corpora:
                raise named_twice(name)
            corpora[name] = _open(source, split, note)
    return corpora


def _open(source: DataSource, split: str, note: Note) -> TokenCorpus:
    if split == "train":
        corpus = open_corpus(Path(source.corpus), "train", damaged=source.damaged)
    elif split == "heldout":
        corpus = open_corpus(Path(source.corpus), "heldout", damaged=source.damaged)
    else:
        raise BadInputError(
            f"[data] {source.corpus}: a pretraining corpus has the splits 'train' and 'heldout', "
            f"not {split!r}"
        )
    if corpus.skipped:
        note(f"{source.corpus}: damaged shards are left out: {', '.join(corpus.skipped)}")
    return corpus


def _check_lengths(learner: Learner, longest: int, *, cure: str) -> None:
    positions = learner.network.maximum_positions
    if longest > positions:
        raise BadInputError(
            f"rows have up to {longest} tokens but the encoder knows {positions} positions; "
            + cure.format(positions=positions)
        )


def _describe_corpus(corpus: TokenCorpus) -> str:
    documents = sum(shard.documents for shard in corpus.shards)
    licences = ", ".join(f"{name} {count}" for name, count in corpus.manifest.licences.items())
    return (
        f"{documents} documents, {corpus.tokens} word pieces; licences: {licences or 'unknown'}; "
        f"sha256 of its manifest {sha256_of(corpus.folder / MANIFEST)}"
    )
