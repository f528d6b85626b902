"""From a prompt to bytes: prefill, sampling rules and sessions."""
