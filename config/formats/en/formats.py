"""Dates and times as the pages write them: the day before the month's name, the hour of 24."""

DATE_FORMAT = "j M Y"
TIME_FORMAT = "H:i"
DATETIME_FORMAT = "j M Y, H:i"
