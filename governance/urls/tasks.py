"""Addresses of upgrade tasks."""

from django.urls import URLPattern, path

from governance.views import tasks

urlpatterns: list[URLPattern] = [
    path("<uuid:pk>/", tasks.task_detail, name="task_detail"),
    path("<uuid:pk>/prioritise/", tasks.task_prioritise, name="task_prioritise"),
    path("<uuid:pk>/correct/", tasks.task_correct, name="task_correct"),
]
