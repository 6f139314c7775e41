"""The directory file: checked with its lines, compared, taken over, and given back as it was."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from audit.models import Entry
from config.access import SYSTEM
from governance import configuration
from governance.configuration import Applied
from governance.documents import ConfigurationError
from governance.models import Configuration
from tenants import groups, preferences
from tenants.models import DirectoryPerson, Membership, Origin, PolicyOwner, Role, User
from tenants.reach import access_of_person
from tests import factories
from tests.factories import AT, World

TEXT = """\
version: 1
directory:
  acme:
    people:
      - {name: ann, email: ann@example.org, first_name: Ann, language: zh, roles: [editor]}
    tenants:
      - {name: tenant-a, people: [ann, viewer]}
      - {name: tenant-z, people: [ann]}
    policies:
      - {name: align, people: [ann]}
    ldap:
      people: {base: "ou=people,dc=example,dc=org", disabled: (employeeType=left)}
      roles:
        - {name: owner, group: "cn=owners,dc=example,dc=org"}
"""


def apply(text: str = TEXT, **more: Any) -> Applied:
    files = configuration.load_text(text, file="directory.yaml")
    return configuration.apply(files, actor=SYSTEM, **{"at": AT, **more})


def problems(text: str) -> list[str]:
    with pytest.raises(ConfigurationError) as refused:
        apply(text)
    assert not Membership.objects.filter(origin=Origin.FILE).exists()
    return [str(problem) for problem in refused.value.problems]


def given() -> set[str]:
    roles = Membership.objects.filter(origin=Origin.FILE).values_list("user__username", "role", "tenant__key")
    owned = PolicyOwner.objects.filter(origin=Origin.FILE).values_list("user__username", "policy")
    return {" ".join(filter(None, row)) for row in (*roles, *owned)}


def test_the_language_of_team_chats_is_the_groups(world: World) -> None:
    text = TEXT.replace("  acme:\n", "  acme:\n    language: zh\n")
    for wanted in (text, text, TEXT):
        apply(wanted)
        world.group.refresh_from_db()
        assert world.group.language == ("zh" if wanted is text else "en")
    told = Entry.objects.filter(action="group.changed", data__has_key="language").values_list(
        "data__language", flat=True
    )
    assert list(told.order_by("sequence")) == ["zh", "en"]
    with pytest.raises(ConfigurationError, match="language"):
        apply(text.replace("zh\n", "fr\n"))


GIVEN = {"ann editor", "ann tenant_admin tenant-a", "viewer tenant_admin tenant-a", "ann align"}


def test_people_and_what_they_answer_for_are_taken_over(world: World) -> None:
    applied = apply()
    assert given() == GIVEN
    ann = User.objects.get(username="ann")
    assert (ann.email, ann.first_name, ann.has_usable_password()) == ("ann@example.org", "Ann", False)
    assert preferences.of(ann).language == "zh"
    warned = " ".join(map(str, applied.warnings))
    assert "directory.yaml:8: directory.acme.tenants[1].name: there is no tenant “tenant-z” yet" in warned
    assert "there is no policy “align” yet" in warned
    assert "PLUMBLINE_LDAP_URL names no server" in warned


def test_the_same_again_changes_nothing(world: World) -> None:
    apply()
    entries = Entry.objects.count()
    assert not apply(at=AT + timedelta(days=1)).changed
    assert Entry.objects.count() == entries


def test_what_it_names_too_early_counts_once_it_is_there(world: World) -> None:
    apply()
    factories.tenant(world.group, "tenant-z")
    assert apply().changed
    assert given() == GIVEN | {"ann tenant_admin tenant-z"}


def test_the_difference_is_told_by_its_places_before_anything_is_done(world: World) -> None:
    apply()
    changed = TEXT.replace("ann@example.org", "ann@example.com").replace("[ann, viewer]", "[ann]")
    files = configuration.load_text(changed, file="directory.yaml")
    (group,) = configuration.diff(files, at=AT).groups
    (item,) = group.changed
    assert [str(change) for change in item.changes] == [
        "people[ann].email: ann@example.org → ann@example.com",
        'tenants[tenant-a].people: ["ann", "viewer"] → ["ann"]',
    ]
    assert "takes away viewer: responsible for the tenant tenant-a" in item.note
    assert given() == GIVEN
    apply(changed)
    assert given() == GIVEN - {"viewer tenant_admin tenant-a"}
    assert User.objects.get(username="ann").email == "ann@example.com"


def test_what_hands_gave_stays_whatever_the_file_says(world: World) -> None:
    apply()
    admin = Role.TENANT_ADMIN
    groups.add_member(world.group, world.viewer, admin, tenant=world.tenant_a, actor=SYSTEM, at=AT)
    apply("version: 1\ndirectory:\n  acme: {}\n")
    assert given() == set()
    assert Membership.objects.filter(user=world.viewer, tenant=world.tenant_a, origin=Origin.HAND).exists()


def test_an_account_without_an_address_is_given_the_one_that_the_file_knows(world: World) -> None:
    more = "      - {name: viewer, email: new@example.org, first_name: Vera}\n    tenants:"
    known = TEXT.replace("    tenants:", more, 1)
    apply(known)
    assert User.objects.get(username="viewer").email == "viewer@example.org"
    User.objects.filter(username="viewer").update(email="")
    apply(known)
    viewer = User.objects.get(username="viewer")
    assert (viewer.email, viewer.first_name) == ("new@example.org", "")


def test_an_export_gives_back_what_was_taken(world: World) -> None:
    apply()
    document = configuration.export_directory([world.group])
    taken = configuration.load_text(TEXT, file="directory.yaml").directory
    assert taken is not None
    assert document == taken.data
    assert not apply(configuration.dump(document)).changed


def test_a_file_that_says_nothing_of_a_group_leaves_it_alone_unless_it_is_to_be_pruned(world: World) -> None:
    apply()
    silent = "version: 1\ndirectory:\n  elsewhere: {}\n"
    apply(silent)
    assert given() == GIVEN
    both = f"{silent}  acme: {{}}\n"
    apply(both, prune=True)
    assert given() == set()
    assert Configuration.objects.get(group=world.group).directory == {}


def test_when_ldap_is_no_longer_named_what_it_gave_ends(world: World) -> None:
    apply()
    PolicyOwner.objects.create(group=world.group, user=world.viewer, policy="edge", origin=Origin.LDAP)
    applied = apply(TEXT[: TEXT.index("    ldap:")])
    assert "what LDAP gave ends" in applied.groups[0].items[0].note
    assert not PolicyOwner.objects.filter(origin=Origin.LDAP).exists()
    assert given() == GIVEN


def test_when_ldap_is_no_longer_named_nobody_whom_it_knew_is_locked_out(world: World) -> None:
    apply()
    for user, off in ((world.viewer, False), (world.tenant_admin, True)):
        known = {"group": world.group, "user": user, "origin": Origin.LDAP, "disabled": off}
        DirectoryPerson.objects.create(**known)
    PolicyOwner.objects.create(group=world.group, user=world.viewer, policy="edge", origin=Origin.LDAP)
    apply(TEXT[: TEXT.index("    ldap:")])
    assert access_of_person(world.viewer, "acme") is not None
    assert access_of_person(world.tenant_admin, "acme") is None, "whom it disabled stays so"


def test_the_last_owner_is_not_lost_with_ldap(world: World) -> None:
    apply()
    Membership.objects.filter(user=world.owner).update(origin=Origin.LDAP)
    with pytest.raises(ConfigurationError, match=r"directory\.yaml:3: directory\.acme: .* without an owner"):
        apply(TEXT[: TEXT.index("    ldap:")])
    assert "ldap" in (Configuration.objects.get(group=world.group).directory or {})


def test_a_group_keeps_an_owner(world: World) -> None:
    owned = TEXT.replace("roles: [editor]", "roles: [owner]")
    apply(owned)
    Membership.objects.filter(user=world.owner).delete()
    with pytest.raises(ConfigurationError, match=r"directory\.yaml:3: directory\.acme: .* without an owner"):
        apply(TEXT)
    assert "ann owner" in given()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("roles: [editor]", "roles: [tenant_admin]", "5: directory.acme.people[0].roles[0]: "),
        ("name: ann, email", "nam: ann, email", "5: directory.acme.people[0].nam: unknown key “nam”"),
        ("ann@example.org", "ann", "5: directory.acme.people[0].email: “ann” is no e-mail address"),
        ("tenant-z, people: [ann]", "tenant-a, people: [ann]", "8: directory.acme.tenants[1].name: the name"),
        (
            "(employeeType=left)",
            "(employeeType)",
            "12: directory.acme.ldap.people.disabled: “(employeeType)”",
        ),
        ("ou=people,dc", "people,dc", "12: directory.acme.ldap.people.base: “people,dc=example"),
        ("cn=owners,dc", "owners,dc", "14: directory.acme.ldap.roles[0].group: “owners,dc=example"),
        ("  acme:", "  acmee:", "3: directory.acmee: there is no group “acmee”; did you mean “acme”?"),
    ],
)
def test_a_slip_is_told_with_file_line_place_and_reason(world: World, old: str, new: str, said: str) -> None:
    assert old in TEXT
    assert f"directory.yaml:{said}" in "\n".join(problems(TEXT.replace(old, new)))


def test_the_folder_holds_it_beside_the_other_files(world: World, tmp_path: Path) -> None:
    (tmp_path / configuration.DIRECTORY).write_text(TEXT)
    configuration.apply_folder(tmp_path, actor=SYSTEM, at=AT)
    assert given() == GIVEN
