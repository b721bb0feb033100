"""The processes behind `manage.py serve`: embedded PostgreSQL and Valkey, the web server and one Celery worker."""
