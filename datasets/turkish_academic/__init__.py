"""Turkish papers, theses and edited prose."""
