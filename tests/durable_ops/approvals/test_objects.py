"""From a Django row to its executions and approvals, in templates and in the admin."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.template import Context, Template

from durable_ops.django_admin.objects import DurableObjectAdmin
from durable_ops.models import Approval

pytestmark = pytest.mark.django_db
TAGS = "{% load durable_ops %}{% approvals_of row as asked %}{% executions_of row as run %}"
PAGE = TAGS + "{% for one in asked %}{{ one.title }};{% endfor %}{{ run|length }}"


def test_tags_find_a_row_in_one_query_each(ask: Callable[..., tuple[Any, Approval]], django_assert_num_queries: Any) -> None:
    row, other = User.objects.create_user("carl"), User.objects.create_user("carla")
    ask(for_object=row, title="<b>First</b>")
    ask(for_object=row, title="Second")
    ask(for_object=other)
    with django_assert_num_queries(2):
        text = Template(PAGE).render(Context({"row": row}))
    assert text == "Second;&lt;b&gt;First&lt;/b&gt;;2"


def test_the_admin_shows_them(ask: Callable[..., tuple[Any, Approval]], rf: Any, django_assert_num_queries: Any) -> None:
    row = User.objects.create_user("carl")
    _, approval = ask(for_object=row, title="Pay <b>")
    page = DurableObjectAdmin(User, admin.site)
    assert page.get_readonly_fields(rf.get("/"), row) == ("durable_executions", "durable_approvals")
    assert page.get_readonly_fields(rf.get("/")) == ()
    with django_assert_num_queries(2):
        text, run = page.durable_approvals(row), page.durable_executions(row)
    assert f'href="/executions/{approval.execution_id}/"' in run
    assert run.endswith("</a>: running</li></ul>")
    assert page.durable_executions(User.objects.create_user("carla")) == "–"
    assert f'href="/approvals/{approval.pk}/"' in text
    assert "Pay &lt;b&gt;" in text
