"""`aj data segments`: ambient clips found by the subtitles of videos, before any sound is read."""
