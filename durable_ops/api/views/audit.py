"""The audit log: every change by a person, key or command."""

from typing import ClassVar

from django.http import Http404
from rest_framework.request import Request
from rest_framework.response import Response

from durable_ops.api.access import RestView
from durable_ops.api.paging import number_of, page
from durable_ops.api.serializers import audit, documents
from durable_ops.api.serializers.strict import read
from durable_ops.audit.search import AuditFilters, find_entries, older
from durable_ops.models import Right
from durable_ops.permissions import access_of
from durable_ops.selectors.pages import first_page


class AuditView(RestView):
    rights: ClassVar = {"GET": Right.VIEW_AUDIT}

    @documents.reads("list_audit_entries", documents.page_of(audit.AuditEntryDocument), audit.AuditQuery)
    def get(self, request: Request) -> Response:
        """Newest first."""
        query = read(audit.AuditQuery, request.query_params.dict())
        filters = AuditFilters(
            text=query["q"],
            action=query["action"],
            channel=query["channel"],
            since=query["since"],
            until=query["until"],
            execution_id=query["execution"],
            functions=access_of(request.user).functions_for(Right.VIEW_AUDIT),
        )
        found, before, limit = find_entries(filters), number_of(request), query["limit"]
        rows, following = first_page(older(found, before) if before else found, limit)
        return page(request, [audit.entry(row) for row in rows], following)


class AuditEntryView(RestView):
    rights: ClassVar = {"GET": Right.VIEW_AUDIT}

    @documents.reads("get_audit_entry", audit.AuditEntryDocument)
    def get(self, request: Request, entry_id: int) -> Response:
        functions = access_of(request.user).functions_for(Right.VIEW_AUDIT)
        row = find_entries(AuditFilters(functions=functions)).filter(pk=entry_id).first()
        if row is None:
            raise Http404
        return Response(audit.entry(row))
