"""Writes the reference pages from the code itself: `python docs/generate.py`.

The tests compare the pages with what this gives, so that they never fall behind.
"""

import inspect
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, fields
from pathlib import Path
from typing import Any, get_args

import typer

from biobert.cli.main import build_app
from biobert.compression import recipe as compression_recipe
from biobert.compression.calibrate import Calibration
from biobert.compression.lessons import Teaching
from biobert.compression.steps import SHELF as STEPS
from biobert.compression.steps.distil import Student
from biobert.core.task import WritingSettings
from biobert.data import formats
from biobert.data.augmentation import AugmentationSettings, TranslatorSettings
from biobert.data.catalogue import corpus_names, load_corpus
from biobert.data.reading import endings_by_format, held_by
from biobert.runtime.settings import RuntimeSettings
from biobert.serving import settings as service
from biobert.tasks._masking import MaskingSettings
from biobert.tasks.classification import ClassificationSettings
from biobert.tasks.cloze import ClozeSettings
from biobert.tasks.embedding import EmbeddingSettings
from biobert.tasks.generation import GenerationSettings
from biobert.tasks.multitask import MultitaskSettings
from biobert.tasks.ner import NerSettings
from biobert.tasks.pos import PosSettings
from biobert.tasks.pretraining import PretrainingSettings
from biobert.tasks.qa import QaSettings
from biobert.tasks.relations import RelationSettings
from biobert.tasks.sentences import SentencesSettings
from biobert.tasks.similarity import SimilaritySettings
from biobert.text.windows import WindowSettings
from biobert.training import method_settings, recipe

REFERENCE = Path(__file__).parent / "reference"
RECIPE_TABLES = {
    "(top)": recipe.Recipe,
    '[task] of name = "ner"': NerSettings,
    '[task] of name = "embedding"': EmbeddingSettings,
    '[task] of name = "generation"': GenerationSettings,
    "[task.writing]": WritingSettings,
    '[task] of name = "pos"': PosSettings,
    '[task] of name = "classification"': ClassificationSettings,
    '[task] of name = "cloze"': ClozeSettings,
    '[task] of name = "qa"': QaSettings,
    '[task] of name = "relations"': RelationSettings,
    '[task] of name = "similarity"': SimilaritySettings,
    '[task] of name = "sentences"': SentencesSettings,
    '[task] of name = "multitask"': MultitaskSettings,
    '[task] of name = "pretraining"': PretrainingSettings,
    "[task.masking]": MaskingSettings,
    "[task.windows]": WindowSettings,
    "[model]": recipe.ModelSettings,
    "[model.shape]": recipe.ShapeSettings,
    "[data]": recipe.DataSettings,
    "[[data.train]], [[data.devel]]": recipe.DataSource,
    "[[stages]]": recipe.StageSettings,
    "[optimizer]": recipe.OptimizerSettings,
    "[schedule]": recipe.ScheduleSettings,
    "[batches]": recipe.BatchSettings,
    "[regularization]": method_settings.RegularizationSettings,
    "[adversarial]": method_settings.AdversarialSettings,
    "[adapter]": recipe.AdapterSettings,
    "[averaging]": method_settings.AveragingSettings,
    "[distillation]": method_settings.DistillationSettings,
    "[consolidation]": method_settings.ConsolidationSettings,
    "[augmentation]": AugmentationSettings,
    "[[augmentation.translators]]": TranslatorSettings,
    "[self_training]": recipe.SelfTrainingSettings,
    "[run]": recipe.RunSettings,
}
COMPRESSION_TABLES = {
    "(top)": compression_recipe.CompressionRecipe,
    "[[corpora]], [[gate]]": recipe.DataSource,
    **{f'[[steps]] of kind = "{name}"': STEPS.load(name).SETTINGS for name in STEPS.names()},
    "[steps.calibration]": Calibration,
    "[steps.student]": Student,
    "[steps.teaching]": Teaching,
}
SERVICE_TABLES = {
    "(top)": service.ServiceSettings,
    "[[models]]": service.ServedModel,
    "[runtime]": RuntimeSettings,
    "[limits]": service.LimitSettings,
    "[batching]": service.BatchingSettings,
    "[security]": service.SecuritySettings,
    "[audit]": service.AuditSettings,
    "[drift]": service.DriftSettings,
    "[tracing]": service.TracingSettings,
    "[deidentification]": service.DeidentificationSettings,
}


def pages() -> dict[str, str]:
    """The text of every generated page, by file name."""
    return {
        "commands.md": "\n".join(_commands()),
        "recipes.md": "\n".join(_recipes()),
        "formats.md": "\n".join(_formats()),
        "corpora.md": "\n".join(_corpora()),
        "service.md": "\n".join(_service()),
        "compression.md": "\n".join(_compression()),
    }


def _commands() -> Iterator[str]:
    yield "# Commands\n"
    yield (
        "Every verb takes `--json` (one object on standard output: `ok`, `command`, and `data` or "
        "`error.code`, `error.message`) and ends with 0 for success, 1 for a failed job, 2 for a "
        "wrong call. A file that cannot be read to its end fails the job: `annotate`, `label "
        "suggest`, `corpus build` and `vocab train` do all else first, and name it then.\n"
    )
    root = typer.main.get_command(build_app())
    for path, command in _leaves("biobert", root):
        yield f"## `{path}`\n"
        yield inspect.cleandoc(command.help or "") + "\n"
        yield "| argument or option | meaning | default |\n|---|---|---|"
        for parameter in command.params:
            yield _parameter_row(parameter)
        yield ""


def _leaves(path: str, command: Any) -> Iterator[tuple[str, Any]]:
    if not hasattr(command, "commands"):
        yield path, command
        return
    for name, inner in sorted(command.commands.items()):
        yield from _leaves(f"{path} {name}", inner)


def _parameter_row(parameter: Any) -> str:
    is_argument = parameter.param_type_name == "argument"
    name = ", ".join(parameter.opts)
    shown = (parameter.metavar or name).upper() if is_argument else f"`{name}`"
    default = parameter.default
    hidden = default is None or default is False or callable(default) or parameter.required
    meaning = (getattr(parameter, "help", None) or "").replace("|", "\\|")
    return f"| {shown} | {meaning} | {'' if hidden else f'`{default}`'} |"


def _recipes() -> Iterator[str]:
    yield "# Recipes\n"
    yield (
        "A recipe is a TOML file with everything that decides a training run. `biobert train "
        "RECIPE --set optimizer.learning_rate=5e-5` changes a setting; the recipe with every "
        "default filled in is kept in the model folder.\n"
    )
    yield from _tables(RECIPE_TABLES)


def _service() -> Iterator[str]:
    yield "# Service settings\n"
    yield (
        "The tables of the file of `biobert serve --settings FILE`; `--set limits.documents=9` "
        "changes one.\n"
    )
    yield from _tables(SERVICE_TABLES)


def _compression() -> Iterator[str]:
    yield "# Compression recipes\n"
    yield (
        "A compression recipe is a TOML file for `biobert compress MODEL --recipe FILE`; `--set "
        "seed=2` changes a setting. `optimizer`, `schedule`, `batches` and `run` of a step are the "
        "tables of a [training recipe](recipes.md).\n"
    )
    yield from _tables(COMPRESSION_TABLES)


def _tables(tables: Mapping[str, type[Any]]) -> Iterator[str]:
    for table, settings in tables.items():
        yield f"## {table}\n"
        yield inspect.cleandoc(settings.__doc__ or "") + "\n"
        yield "| setting | type | default |\n|---|---|---|"
        for field in fields(settings):
            kind = _type_name(field.type)
            yield f"| `{field.name}` | {kind} | {_default(field)} |"
        yield ""


def _type_name(kind: Any) -> str:
    name = kind.__name__ if isinstance(kind, type) and not get_args(kind) else str(kind)
    for prefix in (
        "typing.",
        "collections.abc.",
        "biobert.training.recipe.",
        "biobert.training.method_settings.",
        "biobert.compression.recipe.",
        "biobert.serving.settings.",
        "biobert.data.augmentation.",
        "biobert.model.adapters._settings.",
    ):
        name = name.replace(prefix, "")
    return name.replace("|", "or")


def _default(field: Field[Any]) -> str:
    if field.default is not MISSING:
        simple = isinstance(field.default, str | int | float | tuple) or field.default is None
        return f"`{field.default!r}`" if simple else "see its table"
    return "" if field.default_factory is MISSING else "see its table"


def _formats() -> Iterator[str]:
    yield "# Formats\n"
    yield (
        "`biobert convert`, `annotate` and every corpus read these. The ending tells the format, "
        "and where it says no more than `.xml` the root element does; `--from` and `--to` overrule "
        "both. `.gz`, `.bz2` and `.xz` are unpacked and packed on the way, `-` is standard input, "
        "whose beginning tells its format, and whether it is packed, or standard output.\n\n"
        "Texts are read in UTF-8, or as their byte-order mark tells (UTF-16, UTF-32). What cannot "
        "be decoded becomes U+FFFD, and is counted among what was set aside.\n"
    )
    endings = endings_by_format()
    for name in formats.SHELF.names():
        module = formats.SHELF.load(name)
        verbs = [verb for verb in ("read", "write") if hasattr(module, verb)]
        kinds = held_by(name) if "write" in verbs else ()
        yield f"## `{name}`\n"
        yield inspect.cleandoc(module.__doc__ or "") + "\n"
        found = ", ".join(f"`{ending}`" for ending in endings.get(name, ()))
        roots = ", ".join(f"`<{root}>`" for root in getattr(module, "ROOTS", ()))
        yield f"Endings: {found or 'none, it is named'}. It can {' and '.join(verbs)}.\n"
        if "write" in verbs:
            held = " and ".join(filter(None, (", ".join(kinds[:-1]), *kinds[-1:])))
            yield f"Annotations that it holds: {held or 'none, the text alone'}.\n"
        if roots:
            yield f"Root elements: {roots}.\n"


def _corpora() -> Iterator[str]:
    yield "# Corpora\n"
    yield (
        "What `biobert data list` knows. Corpora are fetched from their own addresses and never "
        "passed on with this package; their licences bind you.\n"
    )
    yield "| name | task | annotates | licence | open address |\n|---|---|---|---|---|"
    for name in corpus_names():
        one = load_corpus(name)
        labels = ", ".join((*one.labels, *one.relations))
        is_open = "yes" if any(file.url for file in one.splits.values()) else "no"
        yield f"| [{name}]({one.homepage}) | {one.task} | {labels} | {one.licence} | {is_open} |"


def main() -> None:
    """Write the pages."""
    REFERENCE.mkdir(exist_ok=True)
    for name, text in pages().items():
        (REFERENCE / name).write_text(text.rstrip() + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
