"""What the file of each noun is made of: its verbs, who types them, and how one fails.

Such a file has `add_to(nouns)`, which adds the noun and its verbs; each verb has a default `run`,
which takes the arguments and gives the text to print.
"""

import argparse
import contextlib
import getpass
import sys
from collections.abc import Callable
from typing import Any, TypeAlias

from tollgate.domain.principal import EVERY_TENANT
from tollgate.operations.context import Call, Context
from tollgate.settings import Settings

Nouns: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
Verbs: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
Run = Callable[[argparse.Namespace], str]
RunInDatabase = Callable[[Context, argparse.Namespace], str]


class Failed(Exception):
    """The command was run and what it looked at is not as it should be: the text says what."""


def verbs_of(nouns: Nouns, noun: str) -> Verbs:
    """A new noun, to which its verbs can be added."""
    return nouns.add_parser(noun).add_subparsers(required=True)


def in_database(run: RunInDatabase) -> Run:
    """Runs with a Context that sees the rows of every app, opened only then."""

    def opened(arguments: argparse.Namespace) -> str:
        context = Context.open(Settings.of_operator()).within(EVERY_TENANT)
        with contextlib.closing(context.database):
            return run(context, arguments)

    return opened


def by_operator(**fields: Any) -> Call[Any]:
    """A call of whoever is logged in on this machine."""
    return Call.by_operator(getpass.getuser(), **fields)


def tell(line: str) -> None:
    """Says how far a long command has come."""
    print(line, file=sys.stderr)
