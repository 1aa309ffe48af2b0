"""Make one sound in memory, then the best of four, and say which came out."""

from __future__ import annotations

import audiojourney

sound = audiojourney.generate("rain on a tin roof", seed=7, duration_s=4.0)
sound.save("rain.wav")
print(f"rain.wav: {len(sound.samples) / sound.rate_hz:.2f} s at {sound.rate_hz} Hz")

best = audiojourney.generate("a dog barking, then a door creaks", seed=7, candidates=4)
best.save("dog.wav")
print(f"dog.wav: seed {best.meta['seed']} fits best, score {best.score:.2f}")
