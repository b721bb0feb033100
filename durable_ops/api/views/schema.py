"""The OpenAPI document of this door."""

from typing import ClassVar

from drf_spectacular.renderers import OpenApiJsonRenderer, OpenApiJsonRenderer2, OpenApiYamlRenderer
from drf_spectacular.views import SpectacularAPIView

from durable_ops.api.rights import RightOfRoute
from durable_ops.models import Right


class SchemaView(SpectacularAPIView):
    rights: ClassVar = {"GET": Right.VIEW_EXECUTION}
    permission_classes = [RightOfRoute]
    renderer_classes = [OpenApiJsonRenderer2, OpenApiJsonRenderer, OpenApiYamlRenderer]
