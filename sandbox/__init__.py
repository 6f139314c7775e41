"""The sandbox orchestrator: a small HTTP server that carries out upgrade orders on a pretended fleet.

It is the executable form of the orchestrator contract. An integrator reads `openapi.yaml`, runs the
sandbox, and makes their own orchestrator answer alike. It knows nothing of Plumbline's code.

The contract
------------
Every request but `GET /healthz` carries `Authorization: Bearer <token>`. Every error is a problem
document (`application/problem+json`, RFC 9457); a malformed request lists `errors` of field and reason.

`POST /internal/version/upgrade/plan`, header `Idempotency-Key`
    Orders one tenant's steps: `{"group", "plan", "task", "tenant", "steps": [{"plugin", "from", "to"}],
    "due_at", "callback_url"}`. `from: null` adds the plugin, `to: null` removes it, equal ones only insist
    that it is so; the host is ordered like a plugin, by its name. Answers 202 `{"id", "status": "accepted"}`.
    The same key and body again get the same answer and create nothing; the same key with another body is
    409. Unknown tenant 404, malformed 400.
`GET /internal/version/upgrade/plan/{id}`
    `{"id", "task", "tenant", "status", "detail", "finished_at"}`; status is one of accepted, running,
    succeeded, failed, cancelled.
`POST /internal/version/upgrade/plan/{id}/cancel`
    200 with the order, 409 when it has already finished. Cancelling a cancelled order is 200 again.
`GET /manifests?group=<slug>&since=<cursor>&limit=<n>`
    `{"cursor", "manifests": [{"tenant", "host_version", "plugins", "observed_at", "complete"}]}`: the tenants
    that changed after the cursor, oldest change first. An empty list means that the caller is up to date.
`GET|PATCH /sandbox/settings`, `POST /sandbox/away`, `GET /sandbox/counts`
    The sandbox's own: delay and faults, a time away, and what it counted. Another orchestrator needs none of
    these.

Orders are begun in the order of their arrival, one at a time per tenant, and each is carried out exactly
once: all of its steps or none, in one transaction, also across a kill of the process. Where a `from` differs
from what the tenant runs, the order fails and its detail names the difference. Only injected faults break
these promises, and the counts name each.

Each change of status (running, succeeded, failed) is POSTed to the order's `callback_url` as
`{"order", "task", "tenant", "group", "status", "detail", "at"}` with the Standard Webhooks headers
`webhook-id`, `webhook-timestamp` and `webhook-signature`, and no `Authorization`. Callbacks of one order keep
their order. One that isn't answered with 2xx is tried a few times more under the same `webhook-id`, then
given up; so a receiver must expect a callback twice, or never, and poll.
"""
