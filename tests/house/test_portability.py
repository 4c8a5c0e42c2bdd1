"""What runs on one system alone stands in `tws.platform`; text is opened with its encoding named."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SRC = Path(__file__).resolve().parents[2] / "src"
FILES = sorted(path for path in SRC.rglob("*.py") if path != SRC / "tws" / "platform.py")

# POSIX, and Windows.
MODULES = frozenset(
    """
    fcntl resource pwd grp spwd termios tty pty syslog posix crypt nis
    msvcrt winreg winsound _winapi nt
    """.split()
)

NAMES = {
    "os": frozenset(
        """
            O_CLOEXEC O_DIRECTORY O_DSYNC O_NOFOLLOW O_NONBLOCK O_SYNC WEXITSTATUS WIFEXITED WNOHANG
            add_dll_directory chown chroot ctermid fchmod fchown fdatasync fork forkpty fstatvfs getegid
            geteuid getgid getgroups getloadavg getpgid getpgrp getpriority getresuid getsid getuid
            initgroups kill killpg lchown lockf mkfifo mknod nice openpty pathconf pidfd_open posix_fadvise
            posix_fallocate posix_spawn pread preadv pwrite pwritev readv sched_getaffinity
            sched_setaffinity sendfile setegid seteuid setgid setpgid setpriority setregid setreuid setsid
            setuid startfile statvfs sync sysconf tcgetpgrp ttyname uname wait wait3 wait4 waitid writev
        """.split()
    ),
    "signal": frozenset(
        """
            CTRL_BREAK_EVENT CTRL_C_EVENT SIGALRM SIGBREAK SIGCHLD SIGCONT SIGHUP SIGIO SIGKILL SIGPIPE
            SIGQUIT SIGSTOP SIGTSTP SIGUSR1 SIGUSR2 SIGWINCH alarm pause pthread_kill pthread_sigmask
            setitimer siginterrupt sigwait
        """.split()
    ),
    "socket": frozenset(
        """
            AF_NETLINK AF_UNIX SO_EXCLUSIVEADDRUSE SO_REUSEPORT TCP_KEEPIDLE TCP_USER_TIMEOUT
        """.split()
    ),
    "time": frozenset(
        """
            clock_gettime clock_settime pthread_getcpuclockid tzset
        """.split()
    ),
    "asyncio": frozenset(
        """
            ProactorEventLoop WindowsSelectorEventLoopPolicy open_unix_connection start_unix_server
        """.split()
    ),
    "ctypes": frozenset(
        """
            WinDLL windll wintypes
        """.split()
    ),
    "select": frozenset(
        """
            epoll kqueue poll
        """.split()
    ),
}

# Methods of an event loop that some loop does not have.
METHODS = {"add_signal_handler", "remove_signal_handler", "create_unix_connection", "create_unix_server"}


def one_system_names(found: ast.AST) -> Iterator[str]:
    for node in ast.walk(found):
        if isinstance(node, ast.Import):
            yield from (
                f"line {node.lineno}: {a.name}" for a in node.names if a.name.split(".")[0] in MODULES
            )
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            module = (node.module or "").split(".")[0]
            if module in MODULES:
                yield f"line {node.lineno}: {module}"
            yield from (
                f"line {node.lineno}: {module}.{a.name}"
                for a in node.names
                if a.name in NAMES.get(module, ())
            )
        elif isinstance(node, ast.Attribute):
            if isinstance(node.value, ast.Name) and node.attr in NAMES.get(node.value.id, ()):
                yield f"line {node.lineno}: {node.value.id}.{node.attr}"
            elif node.attr in METHODS:
                yield f"line {node.lineno}: .{node.attr}"


def unnamed_encodings(found: ast.AST) -> Iterator[str]:
    """Text that is read or written in whatever encoding the system likes: cp1252 on Windows."""
    for node in ast.walk(found):
        if not isinstance(node, ast.Call) or any(word.arg in ("encoding", None) for word in node.keywords):
            continue
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        if name in ("read_text", "write_text"):
            given = len(node.args) > (0 if name == "read_text" else 1)
            if not given:
                yield f"line {node.lineno}: {name} without an encoding"
        elif name == "open" and is_opening(node):
            yield f"line {node.lineno}: open without an encoding"


def is_opening(node: ast.Call) -> bool:
    """Whether a call named open opens text: by a mode that is no binary one, or as the built-in."""
    texts = [part.value for part in [*node.args, *(w.value for w in node.keywords if w.arg == "mode")]
             if isinstance(part, ast.Constant) and isinstance(part.value, str)]  # fmt: skip
    modes = [text for text in texts if text and set(text) <= set("rwxabt+")]
    if modes:
        return not any("b" in mode for mode in modes)
    return isinstance(node.func, ast.Name)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(SRC).as_posix())
def test_a_module_runs_on_every_system(path: Path) -> None:
    found = ast.parse(path.read_text(encoding="utf-8"), str(path))
    wrong = [*one_system_names(found), *unnamed_encodings(found)]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    "source",
    [
        "import os\nos.fork()",
        "from signal import SIGKILL",
        "import fcntl",
        "def f():\n    from pwd import getpwuid",
        "loop.add_signal_handler(2, f)",
        "open('x')",
        "path.read_text()",
        "path.open('w')",
    ],
)
def test_the_check_sees(source: str) -> None:
    assert [*one_system_names(ast.parse(source)), *unnamed_encodings(ast.parse(source))]


@pytest.mark.parametrize(
    "source",
    [
        "import os\nos.replace(a, b)",
        "path.open('rb')",
        "open(p, 'w', encoding='utf-8')",
        "book.open(order)",
        "os.getpid()",
    ],
)
def test_the_check_is_quiet(source: str) -> None:
    assert not [*one_system_names(ast.parse(source)), *unnamed_encodings(ast.parse(source))]
