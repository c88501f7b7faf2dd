"""Books beside KRX's regular one: at the close, in the evening, and those of NXT."""
