"""Real storage servers on loopback, and a small project that pushes to them and pulls from them."""

import base64
import hashlib
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import fsspec
import pytest
import yaml

from tests.conftest import Clone
from tests.run_in_fork import dvc

KINDS = ("local", "ssh", "webdav", "s3")
USER, PASSWORD = "fitmap", "loopback"
MOTO = Path(sys.prefix).with_name(".venv-moto") / "bin/moto_server"


@dataclass
class Storage:
    """A remote: its address and settings for DVC, and its files through fsspec."""

    kind: str
    url: str
    files: fsspec.AbstractFileSystem
    root: str
    settings: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    folder: Path | None = None

    def path(self, md5: str) -> str:
        return f"{self.root}/files/md5/{md5[:2]}/{md5[2:]}"

    def objects(self) -> set[str]:
        self.files.invalidate_cache()
        return set(self.files.find(f"{self.root}/files/md5")) if self.files.exists(f"{self.root}/files/md5") else set()

    def hashes(self, clone: Clone) -> dict[str, str]:
        """Return the MD5 of each output that DVC keeps, by path."""
        lock = yaml.safe_load((clone.folder / "dvc.lock").read_text())["stages"]
        outs = [out for stage in lock.values() for out in stage["outs"] if not out["path"].startswith("metrics/")]
        return {out["path"]: out["md5"] for out in outs}

    def read(self, md5: str) -> bytes:
        return self.files.cat_file(self.path(md5))

    def write(self, path: str, content: bytes) -> None:
        """Write a file without DVC, as an attacker or a broken disk would."""
        if self.kind != "s3":
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            Path(path).unlink(missing_ok=True)
        self.files.pipe_file(path, content)

    def delete(self, path: str) -> None:
        self.files.rm_file(path)

    def declare(self, clone: Clone) -> None:
        """Set it as the remote of a clone, as docs/sharing.md does."""
        clone.environment |= self.environment
        for key, value in {"url": self.url, **self.settings}.items():
            clone.fork(dvc, "remote", "modify", "--local", "storage", key, value)


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return listening.getsockname()[1]


@contextmanager
def server(*command: str, port: int, **options) -> Iterator[None]:
    """Run a server until the block ends; the block starts once it answers on `port`."""
    with TemporaryDirectory() as logs, (Path(logs) / "log").open("w+") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, **options)
        try:
            for _ in range(300):
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                assert process.poll() is None, Path(log.name).read_text()
                time.sleep(0.1)
            yield
        finally:
            process.terminate()
            process.wait(20)


def needs(program: str) -> str:
    """Return the path of a server's program; skip the test if it is not installed."""
    found = shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin:{MOTO.parent}")
    if not found:
        pytest.skip(f"{program} is not installed: see .ci/run")
    return found


@contextmanager
def local(folder: Path) -> Iterator[Storage]:
    yield Storage("local", str(folder / "storage"), fsspec.filesystem("file"), str(folder / "storage"))


@contextmanager
def ssh(folder: Path) -> Iterator[Storage]:
    """OpenSSH; the user's configuration is the one of docs/sharing.md, with this server's port and files."""
    sshd, port = needs("sshd"), free_port()
    Path("/run/sshd").mkdir(exist_ok=True)
    for name in ("host_key", "user_key"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
    host = " ".join((folder / "host_key.pub").read_text().split()[:2])
    (folder / "known_hosts").write_text(f"[127.0.0.1]:{port} {host}\n")
    (folder / "sshd_config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {folder}/host_key\nAuthorizedKeysFile {folder}/user_key.pub\n"
        "StrictModes no\nUsePAM no\nPasswordAuthentication no\nPidFile none\nSubsystem sftp internal-sftp\n"
        "PermitRootLogin yes\nMaxSessions 50\nMaxStartups 50\n"
    )
    home = folder / "home/.ssh"
    home.mkdir(parents=True)
    checked = folder / "checked_config"  # ssh ignores HOME, so its configuration is named with -F
    checked.write_text(
        f"Host storage.example.org\n  HostName 127.0.0.1\n  Port {port}\n  IdentityFile {folder}/user_key\n"
        f"  StrictHostKeyChecking yes\n  UserKnownHostsFile {folder}/known_hosts\n"
    )
    (home / "config").write_text(
        documented_ssh_config()
        .replace("ssh -W localhost:22", f"ssh -F {checked} -W 127.0.0.1:{port}")
        .replace("~/.ssh/id_ed25519", f"{folder}/user_key")
    )
    with server(sshd, "-D", "-e", "-f", str(folder / "sshd_config"), port=port):
        yield Storage(
            "ssh",
            f"ssh://fitmap-storage{folder}/storage",
            fsspec.filesystem("file"),
            str(folder / "storage"),
            environment={"HOME": str(folder / "home"), "SSH_AUTH_SOCK": ""},
            folder=folder,
        )


def documented_ssh_config() -> str:
    page = Path("docs/sharing.md").read_text(encoding="utf-8")
    return page.split("```ssh-config\n")[1].split("```")[0]


@contextmanager
def webdav(folder: Path) -> Iterator[Storage]:
    """Apache's mod_dav with a password."""
    apache, port, modules = needs("apache2"), free_port(), "/usr/lib/apache2/modules"
    digest = base64.b64encode(hashlib.sha1(PASSWORD.encode()).digest()).decode()
    (folder / "users").write_text(f"{USER}:{{SHA}}{digest}\n")
    loaded = ("mpm_event", "authn_core", "authn_file", "authz_core", "authz_user", "auth_basic", "dav", "dav_fs")
    (folder / "apache.conf").write_text(
        "\n".join(f"LoadModule {name}_module {modules}/mod_{name}.so" for name in loaded)
        + f"""
ServerName localhost
Listen 127.0.0.1:{port}
User www-data
Group www-data
PidFile {folder}/pid
ErrorLog {folder}/error.log
DocumentRoot {folder}/dav
DavLockDB {folder}/dav/.lock
<Directory {folder}/dav>
  Dav On
  AuthType Basic
  AuthName storage
  AuthUserFile {folder}/users
  Require valid-user
</Directory>
"""
    )
    (folder / "dav/storage").mkdir(parents=True)
    for path in (folder / "dav", folder / "dav/storage"):
        shutil.chown(path, "www-data", "www-data")
    with server(apache, "-D", "FOREGROUND", "-f", str(folder / "apache.conf"), port=port):
        yield Storage(
            "webdav",
            f"webdav://127.0.0.1:{port}/storage",
            fsspec.filesystem("file"),
            str(folder / "dav/storage"),
            {"user": USER, "password": PASSWORD},
        )


@contextmanager
def s3(folder: Path) -> Iterator[Storage]:
    """moto's S3 server, which keeps objects in memory."""
    moto, port = needs("moto_server"), free_port()
    endpoint, secret = f"http://127.0.0.1:{port}", {"access_key_id": "fitmap", "secret_access_key": PASSWORD}
    with server(moto, "-H", "127.0.0.1", "-p", str(port), port=port):
        files = fsspec.filesystem("s3", key="fitmap", secret=PASSWORD, endpoint_url=endpoint)
        files.mkdir("bucket")
        yield Storage("s3", "s3://bucket/storage", files, "bucket/storage", {"endpointurl": endpoint, **secret})


@pytest.fixture(params=KINDS)
def storage(request) -> Iterator[Storage]:
    with TemporaryDirectory(prefix="fitmap-storage-") as folder:
        Path(folder).chmod(0o755)  # Apache serves it as another user
        with globals()[request.param](Path(folder)) as storage:
            yield storage


@pytest.fixture
def project(small_project, tmp_path) -> Clone:
    """A small project that has run, without a remote."""
    return small_project.copy(tmp_path / "one")


def git_clone(source: Clone, folder: Path) -> Clone:
    """Clone a project with git: without its cache and its local settings."""
    subprocess.run(["git", "clone", "-q", str(source.folder), str(folder)], check=True)
    clone = Clone(folder)
    clone.environment = {**source.environment, "DVC_SITE_CACHE_DIR": str(folder.parent / "site-cache")}
    return clone
