"""Team chats over REST: added, tested, their language, ended. Their addresses are taken and never told."""

from __future__ import annotations

from django.http import Http404
from django.utils import timezone
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from config.access import Permission
from governance import chats as listed
from governance.api import bodies
from governance.api.authentication import access_of
from governance.api.endpoints import endpoint, group_of, respond
from governance.api.idempotency import Answer, once
from governance.api.policies import valid
from tenants import chats, groups
from tenants.forms.chats import ChatForm
from tenants.models import Language, TeamChat


@endpoint(
    "GET",
    Permission.GROUP_ADMINISTER,
    answers=bodies.Document,
    summary="The group's team chats",
    tag="directory",
)
def list_chats(request: Request) -> Response:
    """Those that have ended too, each with what came of the newest message."""
    return respond(Answer(listed.told(group_of(request))))


@endpoint(
    "POST",
    Permission.GROUP_ADMINISTER,
    body=bodies.ChatBody,
    answers=bodies.Document,
    summary="Add a team chat",
    tag="directory",
)
def add_chat(request: Request) -> Response:
    """Tell a chat what needs attention from now on; its address holds secrets, and isn't told again."""
    body = valid(bodies.ChatBody, request)

    def add() -> Answer:
        form = ChatForm(body, group=group_of(request))
        if not form.is_valid():
            raise ValidationError({name: list(map(str, told)) for name, told in form.errors.items()})
        actor = access_of(request).actor
        chat = chats.add(form.group, **form.cleaned_data, actor=actor, at=timezone.now())
        return Answer(listed.document(chat))

    return respond(once(request, "add-chat", add))


@endpoint(
    "POST",
    Permission.GROUP_ADMINISTER,
    answers=bodies.Document,
    summary="Send a team chat a test message",
    tag="directory",
)
def test_chat(request: Request, number: int) -> Response:
    """What came of it stands in the list, in a minute."""

    def test() -> Answer:
        chat = _in_use(request, number)
        chats.post_test(chat, at=timezone.now())
        return Answer(listed.document(chat))

    return respond(once(request, f"test-chat {number}", test))


@endpoint(
    "POST",
    Permission.GROUP_ADMINISTER,
    body=bodies.LanguageBody,
    answers=bodies.Document,
    summary="The language that a team chat is told in",
    tag="directory",
)
def speak_to_chat(request: Request, number: int) -> Response:
    """Empty: the group's."""
    language = valid(bodies.LanguageBody, request)["language"]

    def speak() -> Answer:
        chat = _in_use(request, number)
        chats.speak(chat, language, actor=access_of(request).actor, at=timezone.now())
        return Answer(listed.document(_in_use(request, number)))

    return respond(once(request, f"speak-to-chat {number}", speak))


@endpoint(
    "POST",
    Permission.GROUP_ADMINISTER,
    body=bodies.LanguageBody,
    answers=bodies.Document,
    summary="The language of the group's team chats",
    tag="directory",
)
def speak_to_group(request: Request) -> Response:
    """Of those that have none of their own; not where the directory file says it."""
    language = valid(bodies.LanguageBody, request)["language"] or Language.ENGLISH

    def speak() -> Answer:
        groups.speak(group_of(request), language, actor=access_of(request).actor, at=timezone.now())
        return Answer(listed.told(group_of(request)))

    return respond(once(request, "speak-to-group", speak))


@endpoint(
    "POST",
    Permission.GROUP_ADMINISTER,
    answers=bodies.Document,
    summary="End a team chat",
    tag="directory",
)
def end_chat(request: Request, number: int) -> Response:
    """Tell it nothing any more, and forget its address."""

    def end() -> Answer:
        chat = _in_use(request, number)
        chats.end(chat, actor=access_of(request).actor, at=timezone.now())
        chat.refresh_from_db()
        return Answer(listed.document(chat))

    return respond(once(request, f"end-chat {number}", end))


def _in_use(request: Request, number: int) -> TeamChat:
    rows = TeamChat.objects.within(access_of(request)).filter(active=True, pk=number)
    chat = rows.select_related("group").first()
    if chat is None:
        raise Http404
    return chat
