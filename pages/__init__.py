"""The views, one thin file each: what it shows, in what order."""
