"""Searching for better settings: many short runs of a recipe, chosen by Optuna, scored on devel."""

import json
import logging
import shutil
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from biobert.core.errors import BadInputError, MissingExtraError
from biobert.core.files import write_text
from biobert.core.model_folder import put_in_place
from biobert.core.settings import differences, override
from biobert.core.task import Scores
from biobert.training.loop import DivergedError, Listener, StepReport
from biobert.training.material import RunPlaces
from biobert.training.parallel import check_one_process
from biobert.training.recipe import Recipe, read_changed_recipe, read_recipe
from biobert.training.session import train

STUDY, NAME, SEARCH = "study.db", "biobert", "search"
BEST, BEST_MODEL = "best.json", "best"
ENDED = ("COMPLETE", "PRUNED")
PLOTS = {"history.png": "plot_optimization_history", "settings.png": "plot_slice"}


@dataclass(frozen=True, slots=True)
class Choices:
    """A setting, and the values to try."""

    setting: str
    values: tuple[Any, ...]

    def draw(self, trial: Any) -> Any:
        """A value, as the study wants it."""
        return trial.suggest_categorical(self.setting, self.values)


@dataclass(frozen=True, slots=True)
class Range:
    """A setting, and a range to try, of whole numbers where both ends are; even in its logarithm
    where `is_logarithmic`."""

    setting: str
    low: float
    high: float
    is_logarithmic: bool = False

    @property
    def values(self) -> tuple[float, float]:
        """Its ends."""
        return self.low, self.high

    def draw(self, trial: Any) -> float:
        """A value, as the study wants it."""
        whole = isinstance(self.low, int) and isinstance(self.high, int)
        suggest = trial.suggest_int if whole else trial.suggest_float
        value: float = suggest(self.setting, self.low, self.high, log=self.is_logarithmic)
        return value


@dataclass(frozen=True, slots=True)
class Best:
    """The best trial: its number, its score on devel, and the settings that it drew."""

    trial: int
    score: float
    settings: Mapping[str, Any]
    trials: int
    pruned: int

    @property
    def changes(self) -> list[str]:
        """The settings that it drew, as `--set` has them."""
        return _assignments(self.settings)


def read_space(texts: Sequence[str]) -> list[Choices | Range]:
    """What to try: `model.dropout=0,0.1,0.2`, `run.epochs=2..5`, or, even in the logarithm,
    `optimizer.learning_rate=log:1e-5..1e-3`."""
    space = [_read_one(text) for text in texts]
    settings = [one.setting for one in space]
    for setting in settings:
        if settings.count(setting) > 1:
            raise BadInputError(
                f"--try {setting} stands there twice: give all its values at once", code="usage"
            )
    return space


def _read_one(text: str) -> Choices | Range:
    setting, sign, rest = text.partition("=")
    if not sign or not rest:
        raise BadInputError(
            f"--try {text!r}: write a.b=1,2,3 or a.b=1..5 or a.b=log:1e-5..1e-3", code="usage"
        )
    low, dots, high = rest.removeprefix("log:").partition("..")
    if not dots or "/" in rest:  # `..` of a path is no range
        return Choices(setting, tuple(_value(one) for one in rest.split(",")))
    ends = _value(low), _value(high)
    if not all(isinstance(end, int | float) for end in ends) or ends[0] >= ends[1]:
        raise BadInputError(f"--try {text!r}: {rest} is no range of numbers", code="usage")
    if rest.startswith("log:") and ends[0] <= 0:
        raise BadInputError(f"--try {text!r}: a logarithm needs positive numbers", code="usage")
    return Range(setting, *ends, is_logarithmic=rest.startswith("log:"))


def _value(text: str) -> Any:
    """As `--set` reads it: TOML, else a string."""
    return override({}, [f"value={text}"])["value"]


@dataclass(frozen=True, slots=True)
class Search:
    """A recipe's tables, what to try, and how often. `seed` decides the draws."""

    tables: Mapping[str, Any]
    space: Sequence[Choices | Range]
    trials: int
    seed: int = 1


def tune(search: Search, places: RunPlaces, *, listen: Callable[[int], Listener]) -> Best:
    """Run the trials that are still wanted; each is scored on the recipe's devel sets.

    The study is an SQLite file in `places.output`: a stopped search goes on, and a trial that was
    cut off is run again. Trials that fall behind the median of the others at the same step are
    ended early, and so are those whose loss is no number any more. The best model stays in `best/`.
    `listen` gives the listener of a trial by its number.
    """
    check_one_process("tune")
    if find_spec("optuna") is None:
        raise MissingExtraError("optuna", "tune")
    recipe = read_recipe(search.tables, place="[search]")
    if not recipe.data.devel:
        raise BadInputError("[data] devel is missing: a search chooses on devel, never on test")
    if not search.space:
        raise BadInputError("nothing to try: give --try SETTING=VALUES", code="usage")
    _check_space(search)
    places.output.mkdir(parents=True, exist_ok=True)
    study = _study(search, places.output)
    finished = sum(trial.state.name in ENDED for trial in study.trials)
    if finished < search.trials:
        objective = _Objective(search, places, study, listen)
        study.optimize(objective, n_trials=search.trials - finished)
    return _conclude(study, places.output)


def _check_space(search: Search) -> None:
    """An error where a value to try makes no recipe, or no task.

    In a trial it would leave a study behind, with which the mended command may not go on.
    """
    first = {one.setting: one.values[0] for one in search.space}
    for one in search.space:
        for value in one.values:
            _drawn_recipe(search, {**first, one.setting: value})


def _drawn_recipe(search: Search, settings: Mapping[str, Any]) -> Recipe:
    return read_changed_recipe(search.tables, _assignments(settings), place="--try")


def _assignments(settings: Mapping[str, Any]) -> list[str]:
    return [f"{setting}={json.dumps(value)}" for setting, value in settings.items()]


class _Objective:
    """Trains one trial."""

    def __init__(
        self, search: Search, places: RunPlaces, study: Any, listen: Callable[[int], Listener]
    ) -> None:
        self.search, self.places, self.study, self.listen = search, places, study, listen

    def __call__(self, trial: Any) -> float:
        import optuna

        drawn = {one.setting: one.draw(trial) for one in self.search.space}
        recipe = _drawn_recipe(self.search, drawn)
        folder = self.places.output / f"trial-{trial.number}"
        shutil.rmtree(folder, ignore_errors=True)
        places = RunPlaces(folder, self.places.corpora)
        listener = _Pruning(trial, self.listen(trial.number))
        try:
            score = float(train(recipe, places, listener=listener, resume=False).metrics["devel"])
            if not self._beaten(score):
                shutil.rmtree(folder / "checkpoints", ignore_errors=True)
                put_in_place(folder, self.places.output / BEST_MODEL)
        except DivergedError:
            raise optuna.TrialPruned from None
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        return score

    def _beaten(self, score: float) -> bool:
        values = [one.value for one in self.study.trials if one.state.name == "COMPLETE"]
        return any(value >= score for value in values)


class _Pruning:
    """A listener that ends a trial which falls behind."""

    def __init__(self, trial: Any, listener: Listener) -> None:
        self._trial = trial
        self._listener = listener

    def noted(self, message: str) -> None:
        """As the listener does."""
        self._listener.noted(message)

    def stepped(self, report: StepReport) -> None:
        """As the listener does."""
        self._listener.stepped(report)

    def evaluated(self, step: int, scores: dict[str, Scores], main: float) -> None:
        """As the listener does; then the study says whether to go on."""
        import optuna

        self._listener.evaluated(step, scores, main)
        if not step:
            return  # Nothing is learnt yet: the trial would end by the chance of its new heads.
        self._trial.report(main, step)
        if self._trial.should_prune():
            raise optuna.TrialPruned


def _study(search: Search, output: Path) -> Any:
    import optuna

    # What fails is raised, and need not be told with its traceback before.
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    asked = {
        "recipe": search.tables,
        "try": {one.setting: asdict(one) for one in search.space},
    }
    wanted = json.loads(json.dumps(asked))
    study = _opened(output)
    failed = [trial.state.name == "FAIL" for trial in study.trials]
    if failed and all(failed) and study.user_attrs.get(SEARCH) != wanted:
        # Nothing has come of it: a mended command may ask otherwise.
        optuna.delete_study(study_name=NAME, storage=_storage(output))
        study = _opened(output)
    _check_search(study, wanted, output)
    study.sampler = optuna.samplers.TPESampler(seed=search.seed + len(study.trials))
    study.pruner = optuna.pruners.MedianPruner(n_startup_trials=4)
    _try_again(study)
    return study


def _opened(output: Path) -> Any:
    import optuna

    with _logging_as_it_is():
        return optuna.create_study(
            direction="maximize", storage=_storage(output), study_name=NAME, load_if_exists=True
        )


def _storage(output: Path) -> str:
    return f"sqlite:///{output / STUDY}"


@contextmanager
def _logging_as_it_is() -> Iterator[None]:
    """Where nobody handles logs, a new study's tables would silence every logger that is there."""
    handler = logging.NullHandler()
    logging.getLogger().addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(handler)


def _check_search(study: Any, wanted: Mapping[str, Any], output: Path) -> None:
    """An error where the trials that are there are of another recipe or another space."""
    if not study.trials:
        study.set_user_attr(SEARCH, wanted)
    changed = differences(study.user_attrs.get(SEARCH, {}), wanted)
    if changed:
        raise BadInputError(
            f"{output} holds a search of other settings ({'; '.join(changed)}); "
            "choose another --output"
        )


def _try_again(study: Any) -> None:
    """Put what was cut off back into the queue, once."""
    from optuna.trial import TrialState

    settled = [trial.params for trial in study.trials if trial.state.name in ENDED]
    settled += [trial.system_attrs.get("fixed_params") for trial in study.trials]
    for trial in study.trials:
        if trial.state.name == "RUNNING":
            study.tell(trial.number, state=TrialState.FAIL)
        if trial.state.name in ("RUNNING", "FAIL") and trial.params not in settled:
            study.enqueue_trial(trial.params)


def _conclude(study: Any, output: Path) -> Best:
    states = [trial.state.name for trial in study.trials]
    if "COMPLETE" not in states:
        raise BadInputError(
            f"none of {len(states)} trials came to its end: their loss was no number any more; "
            "lower what --try gives the learning rate"
        )
    best = Best(
        study.best_trial.number,
        float(study.best_value),
        dict(study.best_params),
        trials=states.count("COMPLETE"),
        pruned=states.count("PRUNED"),
    )
    values = {"trial": best.trial, "devel": best.score, "settings": best.settings}
    with write_text(output / BEST) as stream:
        json.dump(values, stream, indent=2)
    _plot(study, output)
    return best


def _plot(study: Any, output: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot
    from optuna.visualization import matplotlib as drawing

    for name, draw in PLOTS.items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Optuna calls its own plots experimental.
            getattr(drawing, draw)(study)
        pyplot.gcf().savefig(output / name, dpi=120, bbox_inches="tight")
        pyplot.close("all")
