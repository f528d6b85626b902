"""Any folder of UTF-8 files as a dataset."""
