"""The sections of the pack: a file each, found by its SECTION."""
