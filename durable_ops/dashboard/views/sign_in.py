"""The one sign-in page. Wrong passwords are counted, so that nobody can try many, neither for one name nor from one place for many names.

Each server process counts for itself, and only what was refused: at the same address, somebody else's right password still works as a rule.
"""

from hashlib import sha256
from typing import Any

from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView
from django.core.cache import cache
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.http import HttpRequest, HttpResponse

from durable_ops.doors.callers import address_of, count_in_minute, place_of

REFUSED_PER_NAME, REFUSED_PER_ADDRESS = 10, 60
"""In a minute: of one name from one address, and of all names from one address (behind a proxy everybody has the same)."""

WAIT_SECONDS = 60


class SignInForm(AuthenticationForm):
    def clean(self) -> dict[str, Any]:
        """Refuses before the password is looked at: that takes a server's time, and would be a guess."""
        if any(cache.get(counter, 0) >= most for counter, most in self._counters()):
            raise ValidationError("Too many wrong passwords. Wait a minute, then try again.", code="throttled")
        return super().clean()

    def get_invalid_login_error(self) -> ValidationError:
        for counter, _ in self._counters():
            count_in_minute(counter)
        return super().get_invalid_login_error()

    def _counters(self) -> list[tuple[str, int]]:
        address = place_of(address_of(self.request.META)) if self.request else ""
        name = sha256(str(self.cleaned_data.get("username", "")).casefold().encode("utf-8", "replace")).hexdigest()
        return [(f"durable-ops-sign-in:{address}:{name}", REFUSED_PER_NAME), (f"durable-ops-sign-in:{address}", REFUSED_PER_ADDRESS)]


class SignInView(LoginView):
    authentication_form = SignInForm
    redirect_authenticated_user = True
    request: HttpRequest

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        answer = super().form_invalid(form)
        if form.has_error(NON_FIELD_ERRORS, "throttled"):
            answer.status_code = 429
            answer["Retry-After"] = str(WAIT_SECONDS)
        return answer
