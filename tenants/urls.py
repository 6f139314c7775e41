"""Signing in and out, the choice of a group, and what people set for themselves."""

from django.urls import path

from tenants.views import chats, home, links, preferences

urlpatterns = [
    path("", home.home, name="home"),
    path("g/<slug:group>/home/", home.group_home, name="group_home"),
    path("g/<slug:group>/preferences/", preferences.my_preferences, name="my_preferences"),
    path("g/<slug:group>/preferences/deputy/", preferences.deputy_appoint, name="deputy_appoint"),
    path("g/<slug:group>/preferences/deputy/end/", preferences.deputy_end, name="deputy_end"),
    path("g/<slug:group>/preferences/test/", preferences.chat_test_own, name="chat_test_own"),
    path("g/<slug:group>/chats/", chats.chat_list, name="chat_list"),
    path("g/<slug:group>/chats/add/", chats.chat_add, name="chat_add"),
    path("g/<slug:group>/chats/language/", chats.group_speak, name="group_speak"),
    path("g/<slug:group>/chats/<int:pk>/end/", chats.chat_end, name="chat_end"),
    path("g/<slug:group>/chats/<int:pk>/language/", chats.chat_speak, name="chat_speak"),
    path("g/<slug:group>/chats/<int:pk>/test/", chats.chat_test, name="chat_test"),
    path("to/<str:token>/", links.follow, name="follow_link"),
    path("login/", home.login, name="login"),
    path("logout/", home.logout, name="logout"),
]
