"""Settings by environment: `local` (embedded default), `production`, `test`; all start from `base`."""
