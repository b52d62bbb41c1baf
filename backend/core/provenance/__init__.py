"""What a file says of its own origin: evidence beside a verdict, and never a proof that a picture is REAL."""
