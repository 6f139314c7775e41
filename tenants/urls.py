"""Signing in and out, and the choice of a group."""

from django.urls import path

from tenants import views

urlpatterns = [
    path("", views.home, name="home"),
    path("g/<slug:group>/home/", views.group_home, name="group_home"),
    path("login/", views.login, name="login"),
    path("logout/", views.logout, name="logout"),
]
