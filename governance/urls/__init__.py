"""The console's addresses within one group, a module for each noun."""

from django.urls import include, path

urlpatterns = [
    path("", include("governance.urls.overview")),
    path("mine/", include("governance.urls.home")),
    path("tenants/", include("governance.urls.tenants")),
    path("plugins/", include("governance.urls.plugins")),
    path("policies/", include("governance.urls.policies")),
    path("drift/", include("governance.urls.drift")),
    path("simulations/", include("governance.urls.simulations")),
    path("plans/", include("governance.urls.plans")),
    path("tasks/", include("governance.urls.tasks")),
    path("orders/", include("governance.urls.orders")),
    path("decisions/", include("governance.urls.conflicts")),
    path("exemptions/", include("governance.urls.exemptions")),
    path("snapshots/", include("governance.urls.snapshots")),
    path("rollbacks/", include("governance.urls.rollbacks")),
    path("notifications/", include("governance.urls.notifications")),
    path("directory/", include("governance.urls.directory")),
    path("deliveries/", include("governance.urls.deliveries")),
    path("reconciliation/", include("governance.urls.reconciliations")),
    path("reports/", include("governance.urls.reports")),
    path("ledger/", include("governance.urls.ledger")),
    path("help/", include("governance.urls.help")),
]
