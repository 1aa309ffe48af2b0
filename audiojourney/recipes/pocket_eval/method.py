"""The words of the page that say how its figures were made."""

METHOD = """\
### How these figures were made

- **Judges.** Two listeners, trained by the project's own task and never shown a generated clip. The *strict* judge
  was trained on the recordings of fold 4 (at five speeds from 0.9 to 1.1) and on scenes from seed 10,000,000 on, so
  it shares no clip with the training of the generator, which had folds 1-3; the figures that count are its. The
  *lenient* judge was trained on the recordings of folds 1-3 and scenes from seed 20,000,000 on, so it shares
  recordings with the generator. Lines in brackets are there for comparison.
- **Naming** is among all 49 sounds. *Real* is the same share for clips that the judge never heard: recordings (folds
  1-3 for the strict judge, fold 4 for the lenient one) for the ten ESC-10 classes, and fresh scenes from seed
  30,000,000 on for the others. *Chance* is the share that would be expected if the judge's answers were dealt out
  anew.
- **Generated clips** last {duration_s:g} s ({scene_s:g} s for scenes of two sounds), one take a prompt and seed,
  default settings, no choice among candidates, {per_class} clips of each class in training wordings and one of every
  wording of the held-out list that is not, capitals and articles aside, among those that training captions are made
  of.
- **Scenes of two sounds** are heard as a whole and in windows of 2.56 s every 0.64 s. In sequence, both are named
  when some window is called the first sound and another the second; in the right order when such windows lie apart,
  the first sound's before. Together or one behind the other, both are named when both are among the three sounds
  whose greatest share over all these views is largest. *Real* are scenes composed of the same two sounds; *chance*
  holds each clip against the other prompts of its kind.
- **Frechet distance** is taken on the judge's features, projected to 24 principal axes of the real clips, with as
  many clips of each class on every side; recordings of folds 1-3 for the strict judge, of fold 4 for the lenient
  one. *Real* is the distance of two sets of real clips. The centroid distance is the mean over classes in the same
  space.
- **Novelty.** A clip counts as a copy when it lies nearer to a training clip, in the judge's features, than the 5 %
  quantile of the distances between training clips and their nearest neighbours. *Real* are held-out clips. Training
  clips are the recordings of folds 1-3; a line for all classes, where there is one, adds scenes that the generator
  was trained on. Several recordings are cut from one source and almost alike, so a second line takes the bound from
  clips of different sources only.
- **Autoencoder and vocoder** get the log-mel of real clips whose peak is at 0.5. The gate of the autoencoder hangs
  on the lenient judge, because fold 4 is new to both. The energy distance is d(x, y) + d(x, y') - d(y, y') of two
  independent outputs.
- Intervals are Wilson's at 95 %."""
