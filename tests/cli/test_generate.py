"""`aj generate`: what is written, where, and that it can be made again."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

import audiojourney
from audiojourney.data.loudness import loudness_lufs
from audiojourney.data.write import read_tag


def names(folder: Path = Path()) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_one_prompt_writes_one_file_and_prints_its_path(aj, tone):
    result = aj("generate", "Rain on a tin roof!", "--seed", "7")
    assert result.exit_code == 0, result.stderr
    assert result.stdout == "rain-on-a-tin-roof-7.wav\n"
    assert names() == ["rain-on-a-tin-roof-7.wav"]
    info = soundfile.info("rain-on-a-tin-roof-7.wav")
    assert (info.samplerate, info.frames, info.channels) == (16_000, 16_000, 1)


def test_the_file_says_how_it_was_made(aj, tone):
    aj("generate", "rain", "--seed", "7", "--steps", "9", "-g", "1.5", "--negative", "wind", "--sampler", "pndm")
    tag = read_tag("rain-7.wav")
    wanted = {
        "aj": 1, "prompt": "rain", "seed": 7, "steps": 9, "guidance": 1.5, "negative": "wind", "sampler": "pndm",
        "duration": 1.0, "model": "pocket/generator", "native_rate": 16_000, "version": audiojourney.__version__,
    }  # fmt: skip
    assert {key: tag[key] for key in wanted} == wanted
    assert len(tag["model_sha256"]) == 64
    assert tag["license"] == "unknown"
    assert "created" not in tag


def test_same_command_and_seed_gives_equal_bytes_and_another_seed_does_not(aj, tone):
    for folder, seed in (("a", 7), ("b", 7), ("c", 8)):
        aj("generate", "rain", "--seed", seed, "-o", f"{folder}/x.wav")
    assert Path("a/x.wav").read_bytes() == Path("b/x.wav").read_bytes()
    first, other = soundfile.read("a/x.wav")[0], soundfile.read("c/x.wav")[0]
    assert np.abs(first - other).max() > 0.01


def test_seed_is_drawn_and_shown_when_absent(aj, tone):
    first, second = aj("generate", "rain", "-o", "a/"), aj("generate", "rain", "-o", "b/")
    (one,), (two,) = names(Path("a")), names(Path("b"))
    assert one != two
    assert one == f"rain-{read_tag(Path('a') / one)['seed']}.wav"
    assert f"seed {read_tag(Path('a') / one)['seed']}" in first.stderr
    assert second.exit_code == 0


def test_sound_i_has_seed_plus_i_and_does_not_depend_on_its_neighbours(aj, tone):
    aj("generate", "rain", "--seed", "5", "-n", "3")
    aj("generate", "rain", "--seed", "6", "-o", "alone.wav")
    assert names() == ["alone.wav", "rain-5.wav", "rain-6.wav", "rain-7.wav"]
    assert Path("alone.wav").read_bytes() == Path("rain-6.wav").read_bytes()
    assert tone.batches == [1, 1, 1, 1]


def test_batches_keep_the_order_of_prompts_in_their_names(aj, tone):
    result = aj("generate", "wind", "a dog", "rain", "--seed", "1", "--batch", "2")
    assert result.stdout.split() == ["00000-wind-1.wav", "00001-a-dog-2.wav", "00002-rain-3.wav"]
    assert tone.batches == [2, 1]


@pytest.mark.parametrize("seconds", ["0.5", "1", "2.0004", "0.001"])
def test_duration_is_exact(aj, tone, seconds):
    assert aj("generate", "rain", "--duration", seconds, "-o", "x.wav").exit_code == 0
    assert soundfile.info("x.wav").frames == round(float(seconds) * 16_000)


@pytest.mark.parametrize("rate", [8_000, 22_050, 48_000])
def test_rate_resamples_and_keeps_the_exact_length(aj, tone, rate):
    aj("generate", "rain", "--duration", "0.7001", "--rate", rate, "-o", "x.wav")
    info = soundfile.info("x.wav")
    assert (info.samplerate, info.frames) == (rate, round(0.7001 * rate))
    assert read_tag("x.wav")["rate"] == rate


@pytest.mark.parametrize("target", [-40.0, -23.0])
def test_loudness_is_what_was_asked_and_like_asks_for_it_again(aj, tone, target):
    aj("generate", "rain", "--seed", "1", "--loudness", target, "-o", "x.flac")
    wave, rate = soundfile.read("x.flac", dtype="float32")
    assert loudness_lufs(wave, rate) == pytest.approx(target, abs=0.05)
    assert read_tag("x.flac")["loudness"] == target
    aj("generate", "--like", "x.flac", "-o", "y.flac")
    assert Path("x.flac").read_bytes() == Path("y.flac").read_bytes()


def test_loudness_stops_where_the_peaks_would_clip(aj, tone):
    aj("generate", "rain", "--loudness", "0", "-o", "x.wav")
    wave, rate = soundfile.read("x.wav", dtype="float32")
    assert 0.98 < np.abs(wave).max() < 1 and loudness_lufs(wave, rate) < 0


@pytest.mark.parametrize("kind", ["wav", "flac", "ogg"])
def test_format_by_option_and_by_suffix(aj, tone, kind):
    aj("generate", "rain", "--seed", "1", "--format", kind)
    aj("generate", "rain", "--seed", "1", "-o", f"named.{kind}")
    assert soundfile.info(f"rain-1.{kind}").format == {"wav": "WAV", "flac": "FLAC", "ogg": "OGG"}[kind]
    assert Path(f"rain-1.{kind}").read_bytes() == Path(f"named.{kind}").read_bytes()
    assert read_tag(f"named.{kind}")["prompt"] == "rain"


def test_a_sound_above_full_scale_is_turned_down_and_not_clipped(aj, tone):
    aj("generate", "loud rain", "-o", "x.wav")
    wave, _ = soundfile.read("x.wav")
    assert 0.98 < np.abs(wave).max() < 1
    assert np.count_nonzero(np.abs(wave) > 0.985) < 5


def test_like_repeats_a_sound_bit_for_bit_and_options_change_it(aj, tone):
    aj("generate", "rain é", "--seed", "7", "--steps", "9", "-d", "0.5", "--rate", "8000", "-o", "a.flac")
    assert aj("generate", "--like", "a.flac", "-o", "b.flac").exit_code == 0
    assert Path("a.flac").read_bytes() == Path("b.flac").read_bytes()
    aj("generate", "--like", "a.flac", "--steps", "5", "-o", "c.flac")
    assert read_tag("c.flac") == {**read_tag("a.flac"), "steps": 5}
    aj("generate", "snow", "--like", "a.flac", "-o", "d.flac")
    assert read_tag("d.flac")["prompt"] == "snow"


def test_like_repeats_the_winner_of_several_candidates(aj, tone):
    aj("generate", "rain", "--seed", "3", "--candidates", "4", "-o", "a.wav")
    aj("generate", "--like", "a.wav", "-o", "b.wav")
    assert np.array_equal(soundfile.read("a.wav")[0], soundfile.read("b.wav")[0])


def test_like_reads_the_sidecar_of_a_file_without_metadata(aj, tone):
    aj("generate", "rain", "--seed", "7", "--no-metadata", "--sidecar", "-o", "a.wav")
    assert read_tag("a.wav") is None
    assert json.loads(Path("a.json").read_text(encoding="utf-8"))["seed"] == 7
    aj("generate", "--like", "a.wav", "--no-metadata", "-o", "b.wav")
    assert Path("a.wav").read_bytes() == Path("b.wav").read_bytes()


def test_like_warns_when_the_weights_have_changed(aj, tone):
    from audiojourney import hub

    aj("generate", "rain", "-o", "a.wav")
    (hub.POCKET / "generator" / "config.yaml").write_text("kind: tone\nmodel: {x: 1}\n", encoding="utf-8")
    result = aj("generate", "--like", "a.wav", "-o", "b.wav")
    assert result.exit_code == 0
    assert "other weights" in result.stderr


def test_candidates_keep_the_best_by_the_models_own_ranking(aj, tone):
    result = aj("generate", "rain", "--seed", "10", "--candidates", "3", "--json")
    row = json.loads(result.stdout)
    aj("generate", "rain", "--seed", "10", "--candidates", "3", "--keep", "all", "--json", "-o", "all/")
    scores = {seed: _score(tone, seed) for seed in (10, 11, 12)}
    assert row["seed"] == max(scores, key=scores.get)
    assert row["path"] == "rain-10.wav"
    assert (row["first_seed"], row["candidates"]) == (10, 3)
    assert names(Path("all")) == ["rain-10.wav", "rain-11.wav", "rain-12.wav"]


def _score(tone, seed: int) -> float:
    return float(tone.rank(["rain"], tone.generate(["rain"], [seed], tone.defaults))[0])


def test_sounds_too_short_to_be_ranked_are_ranked_with_silence_after_them(aj, tone):
    assert aj("generate", "rain", "-d", "0.01", "--candidates", "2", "-o", "x.wav").exit_code == 0
    assert soundfile.info("x.wav").frames == 160


def test_candidates_of_a_model_that_cannot_rank_end_with_3_unless_all_are_kept(aj, tone):
    tone.ranks = False
    result = aj("generate", "rain", "--candidates", "2")
    assert result.exit_code == 3
    assert "--keep all" in result.stderr
    assert aj("generate", "rain", "--candidates", "2", "--keep", "all").exit_code == 0
    assert len(names()) == 2


def test_nothing_is_overwritten_silently(aj, tone):
    for _ in range(3):
        aj("generate", "rain", "--seed", "1")
    assert names() == ["rain-1-2.wav", "rain-1-3.wav", "rain-1.wav"]


def test_exists_policies(aj, tone):
    Path("x.wav").write_bytes(b"mine")
    refused = aj("generate", "rain", "-o", "x.wav", "--exists", "error")
    assert refused.exit_code == 2
    assert "'x.wav' exists" in refused.stderr
    assert tone.batches == []
    assert aj("generate", "rain", "-o", "x.wav").stdout == "x-2.wav\n"
    # What is there is another sound, so skipping would lose the one that is asked for.
    assert aj("generate", "rain", "--seed", "1", "-o", "x.wav", "--exists", "skip").stdout == "x-3.wav\n"
    assert Path("x.wav").read_bytes() == b"mine"
    assert aj("generate", "rain", "--seed", "1", "-o", "x.wav", "--force").stdout == "x.wav\n"
    assert Path("x.wav").read_bytes() == Path("x-3.wav").read_bytes()


def test_a_batch_is_continued_where_it_ended(aj, tone):
    first = aj("generate", "rain", "wind", "--seed", "1", "-o", "out/", "--json")
    Path("out/00001-wind-2.wav").unlink()
    tone.batches.clear()
    again = aj("generate", "rain", "wind", "--seed", "1", "-o", "out/", "--json")
    assert [json.loads(line)["status"] for line in first.stdout.splitlines()] == ["written", "written"]
    assert [json.loads(line)["status"] for line in again.stdout.splitlines()] == ["skipped", "written"]
    assert tone.batches == [1]


def test_a_batch_with_other_settings_loses_nothing(aj, tone):
    aj("generate", "rain", "wind", "--seed", "1", "-o", "out/")
    aj("generate", "rain", "wind", "--seed", "1", "-o", "out/", "--steps", "9")
    assert names(Path("out")) == [
        "00000-rain-1-2.wav", "00000-rain-1.wav", "00001-wind-2-2.wav", "00001-wind-2.wav",
    ]  # fmt: skip


def test_a_continued_batch_of_candidates_skips_what_is_done(aj, tone):
    arguments = ("generate", "rain", "wind", "--seed", "1", "--candidates", "3", "-o", "out/", "--json")
    aj(*arguments)
    again = aj(*arguments)
    assert [json.loads(line)["status"] for line in again.stdout.splitlines()] == ["skipped", "skipped"]


def test_spectrogram_lies_beside_the_sound(aj, tone):
    result = aj("generate", "rain", "--seed", "1", "--spectrogram", "--json")
    assert Path("rain-1.png").read_bytes().startswith(b"\x89PNG")
    assert json.loads(result.stdout)["spectrogram"] == "rain-1.png"


def test_a_picture_of_another_sound_is_not_overwritten(aj, tone):
    Path("rain-1.png").write_bytes(b"mine")
    assert aj("generate", "rain", "--seed", "1", "--spectrogram").stdout == "rain-1-2.wav\n"
    assert Path("rain-1.png").read_bytes() == b"mine"


def test_json_lines_all_parse_and_hold_the_settings(aj, tone):
    result = aj("generate", "rain", "wind", "--seed", "4", "--json")
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert [(row["prompt"], row["seed"], row["status"]) for row in rows] == [
        ("rain", 4, "written"), ("wind", 5, "written"),
    ]  # fmt: skip
    assert all(Path(row["path"]).is_file() for row in rows)


def test_dry_run_names_what_would_be_written_and_loads_nothing(aj, tone):
    result = aj("generate", "rain", "wind", "--seed", "1", "-o", "out/", "--dry-run")
    assert result.stdout.split() == ["out/00000-rain-1.wav", "out/00001-wind-2.wav"]
    assert names() == []
    assert tone.batches == []
    row = json.loads(aj("generate", "rain", "--seed", "1", "--dry-run", "--json").stdout)
    assert (row["status"], row["path"]) == ("planned", "rain-1.wav")


def test_an_unfamiliar_prompt_is_made_with_one_warning_on_stderr(aj, tone):
    result = aj("generate", "xyzzy plugh", "rain", "xyzzy", "--seed", "1")
    assert result.exit_code == 0
    assert len(result.stdout.splitlines()) == 3
    (warning,) = [line for line in result.stderr.splitlines() if "warning" in line]
    assert all(text in warning for text in ("xyzzy plugh", "a dog barking", "--model", "1 more"))
    assert "warning" not in aj("generate", "xyzzy", "-q", "-o", "q.wav").stderr


def test_quiet_says_nothing_on_stderr(aj, tone):
    assert aj("generate", "rain", "-q").stderr == ""
    assert aj("-q", "generate", "rain").stderr == ""


def test_memory_that_runs_out_halves_the_batch_and_changes_nothing(aj, tone):
    aj("generate", *"abcdef", "--seed", "1", "--batch", "6", "-o", "whole/")
    tone.batches.clear()
    tone.largest_batch = 2
    assert aj("generate", *"abcdef", "--seed", "1", "--batch", "6", "-o", "halves/").exit_code == 0
    assert max(tone.batches) <= 2
    for name in names(Path("whole")):
        assert Path("whole", name).read_bytes() == Path("halves", name).read_bytes()


def test_prompts_of_different_length_and_negative_text_each_get_their_own(aj, tone):
    Path("p.jsonl").write_text(
        '{"prompt": "rain", "duration": 0.5, "seed": 40, "id": "r/1"}\n{"prompt": "wind", "negative": "rain"}\n',
        encoding="utf-8",
    )
    result = aj("generate", "--prompts", "p.jsonl", "--seed", "1", "--batch", "4", "-d", "0.25")
    assert result.stdout.split() == ["r-1.wav", "00001-wind-1.wav"]
    assert soundfile.info("r-1.wav").frames == 8000
    assert soundfile.info("00001-wind-1.wav").frames == 4000
    assert (read_tag("r-1.wav")["seed"], read_tag("r-1.wav")["id"]) == (40, "r/1")
    assert read_tag("00001-wind-1.wav")["negative"] == "rain"
    assert [(drawn.duration_s, drawn.negative) for drawn in tone.samplings] == [(0.5, ""), (0.25, "rain")]


def test_python_gives_the_same_sound_as_the_command(aj, tone, tmp_path):
    aj("generate", "rain", "--seed", "7", "--steps", "9", "-o", "a.wav")
    steps = []
    sound = audiojourney.generate("rain", seed=7, steps=9, on_step=lambda *step: steps.append(step))
    sound.save(tmp_path / "b.wav")
    assert Path("a.wav").read_bytes() == Path("b.wav").read_bytes()
    assert (sound.rate_hz, sound.duration_s, sound.meta["seed"]) == (16_000, 1.0, 7)
    assert steps[-1] == (9, 9)
    assert steps == sorted(steps)


def test_python_offers_the_nearest_setting(tone):
    with pytest.raises(audiojourney.errors.UsageError, match="Did you mean 'steps'"):
        audiojourney.generate("rain", stps=9)


def test_settings_come_from_flag_then_variable_then_file(aj, tone, monkeypatch):
    def steps(*arguments: str) -> int:
        aj("generate", "rain", "-o", "x.wav", "--force", *arguments)
        return read_tag("x.wav")["steps"]

    Path("aj.yaml").write_text("generate:\n  steps: 11\n", encoding="utf-8")
    Path("other.yaml").write_text("steps: 12\n", encoding="utf-8")
    assert steps() == 11
    assert steps("--config", "other.yaml") == 12
    monkeypatch.setenv("AJ_STEPS", "13")
    assert steps("--config", "other.yaml") == 13
    assert steps("--steps", "14") == 14
    assert steps("--set", "steps=15") == 15


def test_print_config_shows_every_setting_and_makes_nothing(aj, tone):
    result = aj("generate", "rain", "--steps", "9", "--print-config")
    assert "steps: 9\n" in result.stdout
    assert "text: rain" in result.stdout
    assert names() == []
    Path("again.yaml").write_text(result.stdout, encoding="utf-8")
    assert aj("generate", "--config", "again.yaml", "--seed", "1").stdout == "rain-1.wav\n"
