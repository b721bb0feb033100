"""The sealed chain over the audit log."""

from typing import ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from durable_ops.api.access import RestView
from durable_ops.api.serializers import documents
from durable_ops.api.serializers.audit_chain import VerifiedDocument, VerifyQuery
from durable_ops.api.serializers.strict import read
from durable_ops.audit.verify import verify
from durable_ops.models import Right


class AuditVerifyView(RestView):
    rights: ClassVar = {"GET": Right.VIEW_AUDIT}

    @documents.reads("verify_audit_log", VerifiedDocument, VerifyQuery)
    def get(self, request: Request) -> Response:
        """Reads the newest links of the chain again; 200 whether it holds or not: `ok` says which, `broken` what is wrong."""
        query = read(VerifyQuery, request.query_params.dict())
        return Response(verify(newest=query["newest"]).to_json())
