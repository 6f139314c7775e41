"""The addresses of the internal endpoints."""

from django.urls import path

from governance.api import (
    catalogue,
    description,
    manifests,
    outbound,
    plans,
    policies,
    reconciliations,
    reports,
    rollbacks,
    simulations,
    snapshots,
    tasks,
    windows,
)

urlpatterns = [
    path("version/governance/snapshot", snapshots.seal_snapshot, name="api_snapshot"),
    path("version/governance/snapshot/<int:number>", snapshots.snapshot_status, name="api_snapshot_status"),
    path("version/governance/manifest", manifests.push_manifests, name="api_manifest"),
    path("version/governance/catalogue", catalogue.load_catalogue, name="api_catalogue"),
    path("version/governance/reconcile", reconciliations.reconcile_group, name="api_reconcile"),
    path("version/governance/reconciliation", reconciliations.last_reconciliation, name="api_reconciliation"),
    path("version/policy/simulate", simulations.simulate_policies, name="api_simulate"),
    path("version/policy/simulate/<uuid:pk>", simulations.simulation_status, name="api_simulation_status"),
    path(
        "version/policy/simulate/<uuid:pk>/apply", simulations.apply_simulation, name="api_simulation_apply"
    ),
    path(
        "version/policy/simulate/<uuid:pk>/<slug:kind>",
        simulations.simulation_file,
        name="api_simulation_file",
    ),
    path("version/policy/enforce", policies.enforce_policies, name="api_enforce"),
    path("version/policy/enforce/<uuid:pk>", snapshots.run_status, name="api_run_status"),
    path("version/policy/conflicts", policies.list_conflicts, name="api_conflicts"),
    path("version/policy/decide", policies.decide_conflict, name="api_decide"),
    path("version/policy/plan/<int:number>", plans.plan_status, name="api_plan"),
    path("version/policy/plan/<int:number>/simulate", plans.simulate_plan, name="api_plan_simulate"),
    path("version/policy/plan/<int:number>/approve", plans.approve_plan, name="api_plan_approve"),
    path("version/policy/plan/<int:number>/start", plans.start_plan, name="api_plan_start"),
    path("version/policy/plan/<int:number>/pause", plans.pause_plan, name="api_plan_pause"),
    path("version/policy/plan/<int:number>/resume", plans.resume_plan, name="api_plan_resume"),
    path("version/policy/rollback", rollbacks.prepare_rollback, name="api_rollback"),
    path("version/policy/rollback/<int:number>", rollbacks.rollback_status, name="api_rollback_status"),
    path("version/policy/rollback/<int:number>/apply", rollbacks.apply_rollback, name="api_rollback_apply"),
    path("version/policy/report", reports.build_report, name="api_report"),
    path("version/policy/report/<uuid:pk>", reports.report_status, name="api_report_status"),
    path("version/policy/report/<uuid:pk>/<slug:kind>", reports.report_file, name="api_report_file"),
    path("version/upgrade/status", outbound.upgrade_status, name="api_upgrade_status"),
    path("version/upgrade/plan", outbound.create_upgrade_plan, name="api_upgrade_plan"),
    path("version/upgrade/plan/<uuid:pk>", outbound.upgrade_plan_status, name="api_upgrade_plan_status"),
    path(
        "version/upgrade/plan/<uuid:pk>/cancel", outbound.cancel_upgrade_plan, name="api_upgrade_plan_cancel"
    ),
    path("version/upgrade/task/<uuid:pk>", tasks.task_status, name="api_task"),
    path("version/upgrade/calendar", windows.show_calendar, name="api_calendar"),
    path("version/upgrade/window", windows.agree_window, name="api_window_agree"),
    path("version/upgrade/window/<int:number>/end", windows.end_window, name="api_window_end"),
    path("version/upgrade/freezes", windows.set_freezes, name="api_freezes"),
    path("version/upgrade/halt", tasks.halt_group, name="api_halt"),
    path("version/upgrade/release", tasks.release_group, name="api_release"),
    path("version/upgrade/queue", tasks.task_queue, name="api_task_queue"),
    path("version/upgrade/task/<uuid:pk>/prioritise", tasks.prioritise_task, name="api_task_prioritise"),
    path("version/upgrade/task/<uuid:pk>/correct", tasks.correct_task, name="api_task_correct"),
    path("notify/version", outbound.notify_version, name="api_notify"),
    path("audit/version", outbound.audit_version, name="api_audit"),
    path("schema", description.schema, name="api_schema"),
    path("docs/", description.docs, name="api_docs"),
]
