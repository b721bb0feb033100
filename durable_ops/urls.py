"""Root of all addresses: console, REST, sign-in. `/healthz` is answered by `durable_ops.web.health` before any of these."""

from django.contrib import admin
from django.contrib.auth.views import LogoutView
from django.urls import include, path

from durable_ops.dashboard.views.sign_in import SignInView
from durable_ops.metrics.view import MetricsView

urlpatterns = [
    path("login/", SignInView.as_view(), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("admin/", admin.site.urls),
    path("metrics", MetricsView.as_view(), name="metrics"),
    path("api/v1/", include("durable_ops.api.urls")),
    path("", include("durable_ops.lambda_api.urls")),
    path("", include("durable_ops.dashboard.urls")),
]
