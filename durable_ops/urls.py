"""Root of all addresses: console, REST, sign-in. `/healthz` is answered by `durable_ops.health` before any of these."""

from importlib.util import find_spec

from django.contrib.auth.views import LoginView, LogoutView
from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("login/", LoginView.as_view(redirect_authenticated_user=True), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
]
if find_spec("durable_ops.api") and find_spec("durable_ops.api.urls"):
    urlpatterns.append(path("api/v1/", include("durable_ops.api.urls")))
if find_spec("durable_ops.dashboard") and find_spec("durable_ops.dashboard.urls"):
    urlpatterns.append(path("", include("durable_ops.dashboard.urls")))
