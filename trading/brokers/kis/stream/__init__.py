"""KIS's WebSocket from our side: what is heard, what is registered, and the line that carries both."""
