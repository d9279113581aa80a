"""Reads Atlantis's files, writes prbot's: the shell around `config/migration.py`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from prbot.config import atlantis, repo
from prbot.config.atlantis_flags import flags_in, flags_in_environment
from prbot.config.migration import Entry, Migrated, migrated_repo, migrated_server
from prbot.errors.verbs import FileThere, NoText, NothingToMigrate

SERVER_FILE = "prbot.server.yaml"


@dataclass(frozen=True)
class Migration:
    """The files that were written, and what became of each key."""

    written: tuple[Path, ...]
    report: tuple[Entry, ...]


def migrate(
    path: Path, repos: Path | None, flags: str, env_file: Path | None, force: bool
) -> Migration:
    """Write `prbot.yaml` beside `atlantis.yaml`, and `prbot.server.yaml` where we are.

    All or nothing. Raises PrbotError.
    """
    source = path / atlantis.FILE_NAME if path.is_dir() else path
    has_server = repos is not None or bool(flags) or env_file is not None
    if not source.exists() and not has_server:
        raise NothingToMigrate(str(path))
    results = {}
    if source.exists():
        target = source.with_name(repo.FILE_NAME)
        results[target] = migrated_repo(text_of(source), str(source))
    if has_server:
        results[Path(SERVER_FILE)] = _server(repos, flags, env_file)
    for target in results:
        if target.exists() and not force:
            raise FileThere(str(target))
    for target, result in results.items():
        target.write_text(result.text, encoding="utf-8")
    entries = (entry for result in results.values() for entry in result.report)
    return Migration(tuple(results), tuple(entries))


def _server(repos: Path | None, flags: str, env_file: Path | None) -> Migrated:
    variables = flags_in_environment(text_of(env_file)) if env_file else {}
    given = {**variables, **flags_in(flags)}
    in_environment = frozenset(variables) - frozenset(flags_in(flags))
    return migrated_server(
        text_of(repos) if repos else None, given, str(repos or ""), in_environment
    )


def text_of(path: Path) -> str:
    """A file's text. Raises NoText."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise NoText(str(path), error.strerror or "it cannot be opened") from None
    except UnicodeDecodeError:
        raise NoText(str(path), "it is no text in UTF-8") from None
