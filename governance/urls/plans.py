"""Addresses of plans, and of the runs that make them."""

from django.urls import URLPattern, path

from governance.views import freezes, halting, plans, runs, windows

urlpatterns: list[URLPattern] = [
    path("", plans.plan_list, name="plan_list"),
    path("calendar/", windows.calendar, name="calendar"),
    path("calendar/freeze/", freezes.freeze_add, name="freeze_add"),
    path("calendar/thaw/", freezes.freeze_end, name="freeze_end"),
    path("halt/", halting.group_halt, name="group_halt"),
    path("release/", halting.group_release, name="group_release"),
    path("runs/", runs.run_list, name="run_list"),
    path("runs/start/", runs.run_start, name="run_start"),
    path("runs/<uuid:pk>/", runs.run_detail, name="run_detail"),
    path("runs/<uuid:pk>/cancel/", runs.run_cancel, name="run_cancel"),
    path("<uuid:pk>/", plans.plan_detail, name="plan_detail"),
    path("<uuid:pk>/simulate/", plans.plan_simulate, name="plan_simulate"),
    path("<uuid:pk>/start/", plans.plan_start, name="plan_start"),
    path("<uuid:pk>/approve/", plans.plan_approve, name="plan_approve"),
    path("<uuid:pk>/pause/", plans.plan_pause, name="plan_pause"),
    path("<uuid:pk>/resume/", plans.plan_resume, name="plan_resume"),
    path("<uuid:pk>/cancel/", plans.plan_cancel, name="plan_cancel"),
]
