"""WebSocket addresses of this app."""

from django.urls import path

from rebalancing.consumers import RunNewsConsumer

websocket_urlpatterns = [path("ws/runs", RunNewsConsumer.as_asgi())]
