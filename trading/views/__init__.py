"""Doors of the ground floor for people: who may enter, which account is looked at, the kill switch."""
