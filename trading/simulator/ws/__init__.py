"""The broker's WebSocket: registrations, frames of the market, notices of own orders."""
