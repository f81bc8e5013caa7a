"""What can be asked about: dimensions, and conditions on them, in words, in Python and as expressions over charges."""
