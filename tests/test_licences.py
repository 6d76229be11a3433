"""Whose work is installed with the program is listed, and none of it forbids what users do."""

import re
import sys

from conftest import REPOSITORY

sys.path.insert(0, str(REPOSITORY / "scripts"))
import licences


def test_every_dependency_is_listed_with_its_licence():
    listed = dict(
        re.findall(
            r"^\| ([\w.-]+) \| (.+?) \| (?:run|extra|work on it) \|$",
            (REPOSITORY / "LICENCES.md").read_text("utf-8"),
            re.MULTILINE,
        )
    )
    assert sorted(listed) == sorted(licences.names())
    assert len(listed) > 40
    assert all(listed.values())


def test_what_users_install_is_free_of_strong_copyleft():
    rows = re.findall(
        r"^\| ([\w.-]+) \| (.+?) \| (?:run|extra) \|$", (REPOSITORY / "LICENCES.md").read_text("utf-8"), re.MULTILINE
    )
    assert len(rows) > 15
    assert [name for name, terms in rows if re.search(r"\bA?GPL", terms) and "LGPL" not in terms] == []
