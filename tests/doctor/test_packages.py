"""Which ibapi would be imported: made-up installations in folders of their own, and the real one."""

from __future__ import annotations

import base64
import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from tws.monitor.doctor.packages import PackageCheck, check_packages

VERSION = 'VERSION = {"major": 10, "minor": 46, "micro": 1}\n'


def install(site: Path, dist: str, version: str, files: dict[str, str]) -> None:
    """What pip leaves behind: the files, and their record with hashes."""
    record = []
    for name, text in files.items():
        path = site / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        digest = base64.urlsafe_b64encode(hashlib.sha256(path.read_bytes()).digest()).rstrip(b"=").decode()
        record.append(f"{name},sha256={digest},{path.stat().st_size}")
    info = site / f"{dist.replace('-', '_')}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {dist}\nVersion: {version}\n", encoding="utf-8"
    )
    (info / "RECORD").write_text("\n".join(record) + "\n", encoding="utf-8")


OURS = {"ibapi/__init__.py": VERSION, "ibapi/client.py": "x = 1\n"}


@pytest.fixture
def site(tmp_path: Path) -> Path:
    folder = tmp_path / "site"
    install(folder, "protobuf", "6.30.0", {"google/protobuf/__init__.py": ""})
    install(folder, "nautilus-ibapi", "10.46.1", OURS)
    return folder


def keys(*path: Path) -> list[str]:
    return [finding.key for finding in check([*path]).findings]


def check(path: list[Path]) -> PackageCheck:
    found = check_packages([str(folder) for folder in path])
    for finding in found.findings:
        assert "{" not in finding.cause + finding.cure
    return found


def test_a_sound_installation(site: Path) -> None:
    found = check([site])
    assert found.findings == ()
    ibapi, protobuf = found.seen
    assert (ibapi.version, ibapi.distributions) == ("10.46.1", ("nautilus-ibapi 10.46.1",))
    assert Path(ibapi.origin) == site / "ibapi" / "__init__.py"
    assert (protobuf.version, Path(protobuf.origin).parent.name) == ("6.30.0", "protobuf")


def test_the_installation_that_runs_these_tests_is_sound() -> None:
    found = check_packages()
    assert found.findings == ()
    assert all(seen.version and seen.origin for seen in found.seen)


def test_ibs_own_installer_beside_ours(site: Path) -> None:
    install(site, "ibapi", "10.30.1", {"ibapi/__init__.py": VERSION.replace("46", "30")})
    found = check([site])
    assert [finding.key for finding in found.findings] == ["packages_mixed"]
    assert "ibapi 10.30.1" in found.findings[0].cause and "nautilus-ibapi 10.46.1" in found.findings[0].cause
    assert found.seen[0].version == "10.30.1"  # what the file itself says: that is what would be imported


def test_two_installers_in_two_folders_are_a_mixture_too(site: Path, tmp_path: Path) -> None:
    user = tmp_path / "user"
    install(user, "ibapi", "9.81.1.post1", {"ibapi/__init__.py": VERSION})
    assert keys(user, site) == ["packages_mixed"]
    assert keys(site, user) == ["packages_mixed"]


def test_the_other_installers_alone(site: Path, tmp_path: Path) -> None:
    user = tmp_path / "user"
    install(user, "protobuf", "6.30.0", {})
    install(user, "ibapi", "9.81.1.post1", {"ibapi/__init__.py": VERSION})
    assert keys(user) == ["packages_mixed"]


def test_what_the_other_installer_leaves_when_it_is_removed(site: Path) -> None:
    (site / "ibapi" / "client.py").write_text("x = 2\n", encoding="utf-8")
    assert keys(site) == ["package_broken"]
    (site / "ibapi" / "client.py").unlink()
    assert keys(site) == ["package_broken"]
    (site / "ibapi" / "__init__.py").unlink()
    assert keys(site) == ["package_broken"]


def test_a_source_tree_in_front_hides_ours(site: Path, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    (tree / "ibapi").mkdir(parents=True)
    (tree / "ibapi" / "__init__.py").write_text(VERSION, encoding="utf-8")
    assert keys(tree, site) == ["package_shadowed"]
    assert keys(site, tree) == []


def test_a_source_tree_alone_is_foreign(tmp_path: Path) -> None:
    install(tmp_path, "protobuf", "6.30.0", {})
    (tmp_path / "ibapi").mkdir()
    (tmp_path / "ibapi" / "__init__.py").write_text(VERSION, encoding="utf-8")
    found = check([tmp_path])
    assert [finding.key for finding in found.findings] == ["package_foreign"]
    assert found.seen[0].version == "10.46.1"


def test_missing_and_old(tmp_path: Path) -> None:
    assert keys(tmp_path) == ["package_missing", "package_missing"]
    install(tmp_path, "protobuf", "5.29.4", {})
    install(tmp_path, "nautilus-ibapi", "10.46.1", OURS)
    assert keys(tmp_path) == ["protobuf_old"]


def test_looking_imports_nothing() -> None:
    code = (
        "import sys; from tws.monitor.doctor.packages import check_packages; check_packages();"
        "names = {name.split('.')[0] for name in sys.modules} | set(sys.modules);"
        "sys.exit(bool(names & {'ibapi', 'google.protobuf'}))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
