"""`biobert`: one thin file a verb group, found by being in this folder."""

import sys
from importlib import import_module
from pkgutil import iter_modules

import typer
from click.exceptions import ClickException

from biobert import __version__, cli
from biobert.cli.answer import fail

NOT_VERBS = frozenset({"answer", "main"})


def build_app() -> typer.Typer:
    """The command-line application with every verb group of this folder."""
    app = typer.Typer(
        name="biobert",
        help="Biomedical text mining: annotate, convert, train and evaluate.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    app.callback()(_options)
    for found in iter_modules(cli.__path__):
        if found.name not in NOT_VERBS:
            import_module(f"{cli.__name__}.{found.name}").register(app)
    return app


def run() -> None:
    """Entry point: runs the verb; a wrong call ends with 2, as JSON when `--json` is there."""
    try:
        status = build_app()(standalone_mode=False)
    except ClickException as problem:
        context = getattr(problem, "ctx", None)
        command = context.info_name if context else "biobert"
        fail(command, "usage", problem.format_message(), as_json="--json" in sys.argv)
    except (KeyboardInterrupt, typer.Abort):
        print("interrupted", file=sys.stderr)
        raise SystemExit(130) from None
    raise SystemExit(status if isinstance(status, int) else 0)


def _options(
    version: bool = typer.Option(False, "--version", help="Print the version and leave."),
) -> None:
    if version:
        print(__version__)
        raise typer.Exit


if __name__ == "__main__":
    run()
