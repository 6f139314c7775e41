"""LDAP as a source, against a real server: what it gives, what it takes away, and what it never takes."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
from ldap3 import MODIFY_REPLACE, Connection

from audit import ledger
from audit.models import Entry
from config.access import SYSTEM
from tenants import directory, enrolment, groups, ldap, reach
from tenants.ldap import LdapFailure
from tenants.models import DirectoryPerson, Membership, Origin, PolicyOwner, Role, User
from tenants.preferences import of
from tenants.rosters import Change, Grant, Person, Roster, RosterRefused
from tests.factories import AT, World
from tests.tenants import slapd
from tests.tenants.slapd import LIMITED, PASSWORD, READER, SUFFIX, Slapd

PEOPLE, TENANTS, POLICIES = (f"ou={name},{SUFFIX}" for name in ("people", "tenants", "policies"))
OWNERS = f"cn=owners,{SUFFIX}"
DOCUMENT: dict[str, Any] = {
    "people": {
        "base": PEOPLE,
        "filter": "(objectClass=inetOrgPerson)",
        "disabled": "(employeeType=left)",
        "policies": "businessCategory",
    },
    "roles": [{"name": "auditor", "group": OWNERS}],
    "tenants": {"base": TENANTS, "prefix": "plumbline-"},
}


def dn(name: str) -> str:
    return f"uid={name},{PEOPLE}"


def person(name: str, **more: str) -> tuple[str, str, dict[str, str]]:
    facts = {"cn": name, "sn": name.title(), "mail": f"{name}@example.org", **more}
    return dn(name), "inetOrgPerson", facts


def group(where: str, name: str, *members: str) -> tuple[str, str, dict[str, Any]]:
    return f"cn={name},{where}", "groupOfNames", {"member": [dn(member) for member in members]}


ENTRIES: list[tuple[str, str | list[str], Mapping[str, Any]]] = [
    (SUFFIX, ["dcObject", "organization"], {"o": "Example", "dc": "example"}),
    *((base, "organizationalUnit", {}) for base in (PEOPLE, TENANTS, POLICIES)),
    (READER, ["organizationalRole", "simpleSecurityObject"], {"userPassword": PASSWORD}),
    (LIMITED, ["organizationalRole", "simpleSecurityObject"], {"userPassword": PASSWORD}),
    person("ann", givenName="Ann", preferredLanguage="zh-CN, en;q=0.5"),
    person("ben", businessCategory="core"),
    person("cleo"),
    person("dora", employeeType="left"),
    person("tenant-admin", mail="elsewhere@example.org"),
    group(TENANTS, "plumbline-tenant-a", "ann", "dora"),
    group(TENANTS, "plumbline-tenant-b", "ann", "nobody"),
    group(TENANTS, "plumbline-tenant-z", "ann"),
    group(TENANTS, "canteen", "cleo"),
    group(SUFFIX, "owners", "ben"),
]  # fmt: skip


@pytest.fixture(scope="module")
def server() -> Iterator[Slapd]:
    with slapd.running() as running:
        yield running


@pytest.fixture
def tree(server: Slapd) -> Iterator[Connection]:
    """The entries as they stand above, before each test."""
    with server.connect() as connection:
        for name, kinds, values in ENTRIES:
            connection.add(name, kinds, dict(values))
        yield connection
        connection.search(SUFFIX, "(objectClass=*)")
        for entry in reversed(connection.response or []):
            connection.delete(entry["dn"])


def sync(world: World, server: Slapd, *, shrink: bool = False, **changed: Any) -> Change:
    reader = replace(server.server, bind_dn=READER)
    roster = ldap.read(reader, ldap.mapping_of({**DOCUMENT, **changed}))
    return enrolment.take(world.group, roster, origin=Origin.LDAP, actor=SYSTEM, at=AT, shrink=shrink)


def given(origin: Origin = Origin.LDAP) -> set[str]:
    roles = Membership.objects.filter(origin=origin).values_list("user__username", "role", "tenant__key")
    owned = PolicyOwner.objects.filter(origin=origin).values_list("user__username", "policy")
    return {" ".join(filter(None, row)) for row in (*roles, *owned)}


EVERYTHING = {"ann tenant_admin tenant-a", "ann tenant_admin tenant-b", "ben auditor", "ben core"}


def test_people_are_taken_from_ldap_page_by_page_with_roles_tenants_and_policies(
    world: World, server: Slapd, tree: Connection
) -> None:
    change = sync(world, server)
    assert given() == EVERYTHING
    assert change.made == ("ann", "ben")
    assert change.unmatched == (Grant("ann", Role.TENANT_ADMIN, tenant="tenant-z"),)
    ann = User.objects.get(username="ann")
    assert (ann.email, str(ann), ann.has_usable_password()) == ("ann@example.org", "Ann Ann", False)
    assert of(ann).language == "zh"
    told = directory.told(world.group.pk, [world.tenant_b.pk], at=AT)
    assert told.tenants == {world.tenant_b.pk: [ann]}
    assert [user.username for user in told.policies["core"]] == ["ben"]


def test_which_attribute_says_what_is_the_mappings_to_say(
    world: World, server: Slapd, tree: Connection
) -> None:
    facts = {"employeeNumber": "e7", "displayName": "Eve", "title": "Moss", "carLicense": "eve@example.com"}
    tree.add(*person("eve", **facts, description="zh", departmentNumber="tenant-a"))
    named = {"member": [dn("ben")], "ou": "tenant-b", "businessCategory": "e7"}
    tree.add(f"cn=second,{TENANTS}", "groupOfNames", named)
    people = {"base": PEOPLE, "filter": "(employeeNumber=*)", "name": "employeeNumber", "email": "carLicense"}
    people |= {"first_name": "displayName", "last_name": "title"}
    people |= {"language": "description", "tenants": "departmentNumber"}
    by_name = {"name": "ou", "member": "businessCategory", "members": "name", "filter": "(ou=tenant-*)"}
    sync(world, server, people=people, roles=[], tenants={"base": TENANTS, **by_name})
    assert given() == {"e7 tenant_admin tenant-a", "e7 tenant_admin tenant-b"}
    eve = User.objects.get(username="e7")
    assert (eve.email, str(eve), of(eve).language) == ("eve@example.com", "Eve Moss", "zh")


def test_the_same_again_changes_nothing_and_the_ledger_has_each_change(
    world: World, server: Slapd, tree: Connection
) -> None:
    sync(world, server)
    entries = Entry.objects.count()
    assert not sync(world, server)
    assert Entry.objects.count() == entries
    actions = Entry.objects.values_list("action", flat=True)
    assert list(actions).count("person.added") == 2
    assert list(actions).count("policy_owner.named") == 1
    assert ledger.verify(world.group.pk) == []


def test_what_ldap_no_longer_says_goes_and_what_hands_gave_stays(
    world: World, server: Slapd, tree: Connection
) -> None:
    sync(world, server)
    ann = User.objects.get(username="ann")
    groups.add_member(world.group, ann, Role.TENANT_ADMIN, tenant=world.tenant_b, actor=SYSTEM, at=AT)
    tree.delete(f"cn=plumbline-tenant-b,{TENANTS}")
    change = sync(world, server)
    assert change.taken == (Grant("ann", Role.TENANT_ADMIN, tenant="tenant-b"),)
    assert given() == EVERYTHING - {"ann tenant_admin tenant-b"}
    assert "ann tenant_admin tenant-b" in given(Origin.HAND)


def test_who_is_disabled_or_has_left_reaches_nothing_even_by_hand_until_they_are_back(
    world: World, server: Slapd, tree: Connection
) -> None:
    assert sync(world, server).disabled == ()
    known = world.tenant_admin
    assert reach.access_of_person(known, "acme") is not None
    tree.modify(dn("tenant-admin"), {"employeeType": [(MODIFY_REPLACE, ["left"])]})
    assert sync(world, server).disabled == ("tenant-admin",)
    assert reach.access_of_person(known, "acme") is None
    tree.delete(dn("tenant-admin"))
    assert not sync(world, server)
    tree.add(*person("tenant-admin"))
    assert sync(world, server).enabled == ("tenant-admin",)
    assert reach.access_of_person(known, "acme") is not None
    tree.delete(dn("tenant-admin"))
    assert sync(world, server).disabled == ("tenant-admin",)


def test_facts_follow_ldap_for_accounts_that_came_from_it_and_for_no_other(
    world: World, server: Slapd, tree: Connection
) -> None:
    sync(world, server)
    tree.modify(
        dn("ann"), {"mail": [(MODIFY_REPLACE, ["ann@new.example.org"])], "sn": [(MODIFY_REPLACE, ["Other"])]}
    )
    assert sync(world, server).renewed == ("ann",)
    assert User.objects.get(username="ann").email == "ann@new.example.org"
    assert User.objects.get(username="tenant-admin").email == "tenant-admin@example.org"


def test_an_empty_answer_removes_nobody(world: World, server: Slapd, tree: Connection) -> None:
    sync(world, server)
    with pytest.raises(LdapFailure, match=r"answers with nobody .* Nobody is removed"):
        sync(world, server, people={**DOCUMENT["people"], "filter": "(objectClass=device)"})
    assert given() == EVERYTHING


def test_an_answer_that_would_take_most_away_is_refused_unless_it_is_meant(
    world: World, server: Slapd, tree: Connection
) -> None:
    sync(world, server)
    without: dict[str, Any] = {
        "roles": [],
        "tenants": {"base": TENANTS, "filter": "(cn=none)"},
        "people": {**DOCUMENT["people"], "policies": "description"},
    }
    with pytest.raises(RosterRefused, match=r"would take away 4 of the 4 .* --shrink"):
        sync(world, server, **without)
    assert given() == EVERYTHING
    sync(world, server, shrink=True, **without)
    assert given() == set()


def test_people_who_vanish_from_ldap_are_not_shut_out_in_masses(world: World) -> None:
    """All roles are by hand, so nothing would be taken away, and yet nobody would reach anything."""
    members = [world.owner, world.viewer, world.tenant_admin]
    everybody = Roster({user.username: Person(user.username) for user in members})
    shared: dict[str, Any] = {"origin": Origin.LDAP, "actor": SYSTEM, "at": AT}
    enrolment.take(world.group, everybody, **shared)
    assert DirectoryPerson.objects.count() == len(members)
    one = Roster({"someone": Person("someone")})
    other = User.objects.create_user("other")
    groups.add_member(world.group, other, Role.OWNER, actor=SYSTEM, at=AT)
    with pytest.raises(RosterRefused, match=r"would disable 3 of the 3 people .* --shrink"):
        enrolment.take(world.group, one, **shared)
    assert reach.access_of_person(world.viewer, "acme") is not None
    enrolment.take(world.group, one, shrink=True, **shared)
    assert reach.access_of_person(world.viewer, "acme") is None


def test_a_name_that_no_policy_can_have_matches_none(world: World) -> None:
    long = Grant("ann", policy="x" * 201)
    roster = Roster({"ann": Person("ann")}, frozenset({long}))
    change = enrolment.take(world.group, roster, origin=Origin.LDAP, actor=SYSTEM, at=AT)
    assert (change.unmatched, change.given) == ((long,), ())


def test_the_last_owner_is_not_taken_away(world: World, server: Slapd, tree: Connection) -> None:
    sync(world, server, roles=[{"name": "owner", "group": OWNERS}])
    Membership.objects.filter(user=world.owner).delete()
    tree.modify(dn("ben"), {"employeeType": [(MODIFY_REPLACE, ["left"])]})
    with pytest.raises(RosterRefused, match="left without an owner"):
        sync(world, server, roles=[{"name": "owner", "group": OWNERS}])
    assert "ben owner" in given()


def test_a_part_of_the_people_is_a_failure_and_not_fewer_people(
    world: World, server: Slapd, tree: Connection
) -> None:
    with pytest.raises(LdapFailure, match="gives only a part"):
        ldap.read(replace(server.server, bind_dn=LIMITED), ldap.mapping_of(DOCUMENT))


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"password": "wrong"}, "refuses PLUMBLINE_LDAP_BIND_DN"),
        ({"port": 1}, "can’t be reached: is it running"),
        ({"tls": "starttls", "ca_file": ""}, "PLUMBLINE_LDAP_CA_FILE names the authority"),
        ({"tls": "ldaps"}, "speaks no TLS"),
    ],
)
def test_why_ldap_cannot_be_asked_is_said_with_what_to_do(
    server: Slapd, tree: Connection, changed: dict[str, Any], said: str
) -> None:
    with pytest.raises(LdapFailure, match=said):
        ldap.read(replace(server.server, **changed), ldap.mapping_of(DOCUMENT))


def test_a_base_that_is_not_there_is_named(server: Slapd, tree: Connection) -> None:
    document = {**DOCUMENT, "roles": [{"name": "owner", "group": f"cn=gone,{SUFFIX}"}]}
    with pytest.raises(LdapFailure, match=f"has no entry cn=gone,{SUFFIX}"):
        ldap.read(server.server, ldap.mapping_of(document))


def test_no_other_server_is_given_the_password_because_ldap_names_it(server: Slapd, tree: Connection) -> None:
    base, as_is = f"ou=elsewhere,{SUFFIX}", [("2.16.840.1.113730.3.4.2", True, None)]
    with socket.create_server(("127.0.0.1", 0)) as other:
        other.settimeout(0.2)
        link = f"ldap://127.0.0.1:{other.getsockname()[1]}/{base}"
        tree.add(base, ["referral", "extensibleObject"], {"ou": "elsewhere", "ref": link})
        try:
            with pytest.raises(LdapFailure, match=f"names another server for {base}"):
                ldap.read(server.server, ldap.mapping_of({"people": {"base": base}}))
            with pytest.raises(TimeoutError):
                other.accept()
        finally:
            tree.delete(base, controls=as_is)


def test_it_is_asked_with_tls_whose_certificate_is_checked(server: Slapd, tree: Connection) -> None:
    roster = ldap.read(replace(server.server, tls="starttls"), ldap.mapping_of(DOCUMENT))
    assert set(roster.people) == {"ann", "ben", "cleo", "dora", "tenant-admin"}
    assert roster.disabled == {"dora"}
