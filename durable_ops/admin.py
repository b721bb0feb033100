"""What Django's admin discovers: it registers the pages of `django_admin/`, whose modules register nothing by being imported."""

from django.contrib import admin

from durable_ops.django_admin.executions import ExecutionAdmin
from durable_ops.django_admin.people import take_over
from execution_engine.models import Execution

admin.site.register(Execution, ExecutionAdmin)
take_over(admin.site)
