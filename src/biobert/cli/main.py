"""`biobert`: the verb groups of `verbs/`, each found by being there."""

import sys
from importlib import import_module
from io import TextIOWrapper
from pkgutil import iter_modules

import typer

from biobert.cli import verbs
from biobert.cli.answer import fail
from biobert.core.version import __version__

# ClickException, from click or from the copy of it that newer versions of typer carry.
CallError: type[Exception] = typer.BadParameter.__mro__[2]


def build_app() -> typer.Typer:
    """The command-line application with every verb group."""
    app = typer.Typer(
        name="biobert",
        help="Biomedical text mining: annotate, convert, train and evaluate.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    app.callback()(_options)
    for found in iter_modules(verbs.__path__):
        import_module(f"{verbs.__name__}.{found.name}").register(app)
    return app


def run() -> None:
    """Entry point: runs the verb; a wrong call ends with 2, as JSON when `--json` is there."""
    _print_any_name()
    try:
        status = build_app()(standalone_mode=False)
    except CallError as problem:
        context = getattr(problem, "ctx", None)
        command = context.info_name if context else ""
        message = problem.format_message()  # type: ignore[attr-defined]
        fail(command, "usage", message, as_json="--json" in sys.argv)
    except (KeyboardInterrupt, typer.Abort):
        print("interrupted", file=sys.stderr)
        raise SystemExit(130) from None
    raise SystemExit(status if isinstance(status, int) else 0)


def _print_any_name() -> None:
    """Let names of files be printed that are no UTF-8: their bytes as JSON writes them."""
    if isinstance(sys.stdout, TextIOWrapper) and sys.stdout.encoding.lower() == "utf-8":
        sys.stdout.reconfigure(errors="backslashreplace")


def _print_version(wanted: bool) -> None:
    if wanted:
        print(__version__)
        raise typer.Exit


def _options(
    version: bool = typer.Option(
        False, "--version", callback=_print_version, is_eager=True, help="Print the version."
    ),
) -> None:
    del version  # handled by its callback


if __name__ == "__main__":
    run()
