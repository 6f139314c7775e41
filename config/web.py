"""How gunicorn serves the console: `gunicorn --config python:config.web config.wsgi`."""

from pathlib import Path

from config.env import env

bind = f"{env.str('PLUMBLINE_HOST', default='127.0.0.1')}:{env.int('PLUMBLINE_PORT', default=8000)}"
workers = env.int("PLUMBLINE_WEB_PROCESSES", default=2)
# Threads keep a slow reader, or a page that waits for the database, from holding up the others.
worker_class = "gthread"
threads = env.int("PLUMBLINE_WEB_THREADS", default=4)
# Nothing opens a connection while the application is loaded, so the processes may share the loaded code.
preload_app = True
timeout = 60
graceful_timeout = 10
# A fresh process now and then bounds what a slow leak may take; the jitter keeps them from leaving together.
max_requests = 5000
max_requests_jitter = 500
# The heartbeat file on a disk can block a worker for as long as the disk is busy.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None
loglevel = "warning"  # requests are told by the structured log
proc_name = "plumbline"
