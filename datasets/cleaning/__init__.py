"""Steps that a document passes before it is packed, each of them small, switchable and counted."""
