"""`aj recaption`: captions for clips, in shards that survive being killed."""
