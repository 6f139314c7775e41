"""What `manage.py run` tells about the demo's accounts."""

import pytest

from demo import accounts
from tenants.models import Group, Membership, Role, Tenant, User

pytestmark = pytest.mark.django_db


def _member(name: str, email: str, role: Role, *, tenant: bool = False) -> None:
    group, _ = Group.objects.get_or_create(slug="acme", defaults={"name": "Acme"})
    place = Tenant.objects.create(group=group, key="tenant-a") if tenant else None
    user = User.objects.create(username=name, email=email)
    Membership.objects.create(user=user, group=group, role=role, tenant=place)


def test_without_the_demo_there_is_nothing_to_tell() -> None:
    _member("real", "real@acme.example", Role.OWNER)
    assert accounts.welcome() == []


def test_each_account_is_told_with_its_place() -> None:
    _member("olivia", f"olivia@{accounts.DOMAIN}", Role.OWNER)
    _member("tom", f"tom@{accounts.DOMAIN}", Role.TENANT_ADMIN, tenant=True)
    heading, *lines = accounts.welcome()
    assert accounts.PASSWORD in heading
    assert [" ".join(line.split()) for line in lines] == [
        "olivia Owner, Acme",
        "tom Tenant admin, tenant-a of Acme",
    ]
