"""Signing in and out, the choice of a group, and what people set for themselves."""

from django.urls import path

from tenants.views import home, links, preferences

urlpatterns = [
    path("", home.home, name="home"),
    path("g/<slug:group>/home/", home.group_home, name="group_home"),
    path("g/<slug:group>/preferences/", preferences.my_preferences, name="my_preferences"),
    path("g/<slug:group>/preferences/deputy/", preferences.deputy_appoint, name="deputy_appoint"),
    path("g/<slug:group>/preferences/deputy/end/", preferences.deputy_end, name="deputy_end"),
    path("to/<str:token>/", links.follow, name="follow_link"),
    path("login/", home.login, name="login"),
    path("logout/", home.logout, name="logout"),
]
