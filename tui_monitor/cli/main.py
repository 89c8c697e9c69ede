"""From arguments to an exit code. Nothing but the verb that is asked for is loaded."""

import sys
from argparse import Namespace
from collections.abc import Sequence
from importlib import import_module

from tui_monitor.cli.context import Context
from tui_monitor.cli.options import COMPLETION, PROG, main_parser, parser_of, split
from tui_monitor.cli.output import Unwritable, flush, forget
from tui_monitor.cli.table import DASHBOARD, VERBS
from tui_monitor.model.clock import Clock
from tui_monitor.model.errors import MonitorError

INTERRUPTED = 130


def run(argv: Sequence[str] | None = None, clock: Clock | None = None) -> int:
    """Run one command; its exit code. Raises nothing."""
    argv = list(sys.argv[1:] if argv is None else argv)
    try:
        code = _run(argv, clock)
        flush()
        return code
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader has seen enough.
        forget()
        return 0
    except Unwritable as error:
        print(f"{PROG}: {error.message}", file=sys.stderr)
        return error.exit_code


def _run(argv: list[str], clock: Clock | None) -> int:
    context = Context(_early(argv), clock)
    try:
        if argv and argv[0].partition("=")[0] in COMPLETION:
            return import_module("tui_monitor.cli.completion").run(context, argv)
        verb, rest = split(argv)
        if not verb and "--version" in rest:
            from tui_monitor import __version__

            print(f"{PROG} {__version__}")
            return 0
        parser = parser_of(VERBS[verb]) if verb else main_parser()
        module = import_module((VERBS[verb] if verb else DASHBOARD).module)
        module.arguments(parser)
        if not verb and not {"-h", "--help"}.isdisjoint(rest):
            parser.print_help()
            return 0
        context = Context(parser.parse_args(rest), clock)
        if context.demo:
            context.enter_demo()
        if verb and not VERBS[verb].elsewhere:
            context.only_here()
        return module.run(context)
    except MonitorError as error:
        context.out.failure(error)
        return error.exit_code
    except SystemExit as exit_:
        # From `--help`.
        return exit_.code if isinstance(exit_.code, int) else 1
    except (KeyboardInterrupt, BrokenPipeError):
        raise
    except Exception as error:
        return _unexpected(context, error)


def _early(argv: list[str]) -> Namespace:
    """The options that say how to complain, for errors in all the others."""
    return Namespace(
        json="--json" in argv, plain="--plain" in argv, verbose="-v" in argv or "--verbose" in argv
    )


def _unexpected(context: Context, error: Exception) -> int:
    """A bug: one line for the person, everything for the log."""
    import logging
    import traceback

    from tui_monitor.config import logs
    from tui_monitor.config.settings import Log

    settings = context.loaded.settings.log if "loaded" in vars(context) else Log()
    problem = logs.set_up(settings)
    logging.getLogger(__name__).error("unexpected error", exc_info=error)
    where = problem or f"the log tells more: {logs.log_path(settings)}"
    words = logs.redactor.clean(f"unexpected error: {type(error).__name__}: {error}")
    if context.verbose:
        context.out.note(logs.redactor.clean("".join(traceback.format_exception(error)).rstrip()))
    context.out.failure(MonitorError(words, hint=where))
    return 1
