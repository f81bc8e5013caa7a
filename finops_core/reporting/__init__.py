"""What is told of the whole practice: the scorecard, and the pack of a month. It asks the analyses, and reckons nothing of its own."""
