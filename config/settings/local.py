"""The embedded default: one machine, plain HTTP on loopback, demo data, no server to install."""

from config.settings.base import *
