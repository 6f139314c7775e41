"""Whether the product lives, for a load balancer and for `manage.py run`."""

from django.db import connection
from django.http import HttpRequest, JsonResponse

from config.access import public


@public("a load balancer asks it, and learns nothing but that it works")
def health(_request: HttpRequest) -> JsonResponse:
    """Answer 200 if the database answers; otherwise the error makes it a 500."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return JsonResponse({"status": "ok"})
