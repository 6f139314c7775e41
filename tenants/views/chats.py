"""Team chats: where a group is told together what needs attention."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from config.access import ConsoleRequest, Permission, requires
from config.listing import listing
from config.rendering import redirect_to, render_page
from tenants import chat_addresses, chats, groups
from tenants.forms.chats import ChatForm
from tenants.models import Group, Language, TeamChat

_NO_LANGUAGE = "That is none of the languages. Choose one from the list."


@require_GET
@requires(Permission.GROUP_ADMINISTER)
def chat_list(request: ConsoleRequest) -> HttpResponse:
    """The group's chats, those that have ended too."""
    rows = listing(
        request,
        TeamChat.objects.within(request.access).select_related("group"),
        name="chats",
        noun=("chat", "chats"),
        search=("name",),
        sorts={"name": ("name",), "since": ("created_at", "name")},
        default="name",
    )
    last = chats.last_to_teams(rows.rows)
    services = [
        (chat, chat_addresses.kind(chat.address), last.get(chat.name) if chat.active else None)
        for chat in rows.rows
    ]
    context = {"listing": rows, "chats": services, "languages": Language.choices, "group": _group(request)}
    return render_page(
        request, "tenants/chats/list.html", context, fragments={"chats": "tenants/chats/_table.html"}
    )


@require_http_methods(["GET", "POST"])
@requires(Permission.GROUP_ADMINISTER)
def chat_add(request: ConsoleRequest) -> HttpResponse:
    """Add a chat."""
    group = _group(request)
    form = ChatForm(request.POST or None, group=group)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        chats.add(group, **given, actor=request.actor, at=timezone.now())
        messages.success(request, f"{given['name']} is told from now on. Send it a test message.")
        return redirect_to(request, "chat_list")
    return render_page(request, "tenants/chats/add.html", {"form": form}, status=422 if form.errors else 200)


@require_POST
@requires(Permission.GROUP_ADMINISTER)
def group_speak(request: ConsoleRequest) -> HttpResponse:
    """Choose the language that the group's chats are told in, those that have none of their own."""
    language, at = request.POST.get("language", ""), timezone.now()
    if language not in Language.values:
        messages.error(request, _NO_LANGUAGE)
        return redirect_to(request, "chat_list")
    try:
        changed = groups.speak(_group(request), language, actor=request.actor, at=at)
    except groups.LanguageFiled as refusal:
        messages.error(request, str(refusal))
    else:
        said = f"The group’s chats are told in {Language(language).label}"
        messages.success(request, f"{said} from now on." if changed else f"{said} already.")
    return redirect_to(request, "chat_list")


@require_POST
@requires(Permission.GROUP_ADMINISTER)
def chat_speak(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Choose the language that a chat is told in."""
    chat = get_object_or_404(TeamChat.objects.within(request.access).filter(active=True), pk=pk)
    language = request.POST.get("language", "")
    if language and language not in Language.values:
        messages.error(request, _NO_LANGUAGE)
    elif chats.speak(chat, language, actor=request.actor, at=timezone.now()):
        messages.success(request, f"The language of {chat.name} is changed.")
    return redirect_to(request, "chat_list")


@require_POST
@requires(Permission.GROUP_ADMINISTER)
def chat_end(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Tell a chat nothing any more."""
    chat = get_object_or_404(TeamChat.objects.within(request.access), pk=pk)
    if chats.end(chat, actor=request.actor, at=timezone.now()):
        messages.success(request, f"{chat.name} is told nothing any more.")
    else:
        messages.info(request, f"{chat.name} had ended before.")
    return redirect_to(request, "chat_list")


@require_POST
@requires(Permission.GROUP_ADMINISTER)
def chat_test(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Send a chat a message, to see whether it arrives."""
    known = TeamChat.objects.within(request.access).filter(active=True).select_related("group")
    chat = get_object_or_404(known, pk=pk)
    chats.post_test(chat, at=timezone.now())
    messages.success(
        request,
        f"A message to {chat.name} is on its way. If it isn’t there in a minute, look under Deliveries.",
    )
    return redirect_to(request, "chat_list")


def _group(request: ConsoleRequest) -> Group:
    return Group.objects.get(pk=request.access.group_id)
