"""AutoCap: a captioner that hears through HTSAT and CLAP and reads what was published beside the sound."""
