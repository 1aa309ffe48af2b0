#!/bin/sh
# The whole way at toy size, offline, in a few minutes on a CPU: scenes, an autoencoder, a generator, a sound of it,
# and the same generator adapted to a few sounds more.
#
#   sh examples/journey.sh [FOLDER]
set -eu
work=${1:-journey}

aj data scenes "$work/scenes" -n 40 --seed 1
aj pretrain --preset pocket/autoencoder --data "$work/scenes" -o "$work/autoencoder" \
    --set loop.steps=60 --set model.width=32 --set model.depth=1 --set component_crops=200
aj pretrain --preset pocket/generator --data "$work/scenes" -o "$work/generator" \
    --set loop.steps=30 --set loop.warmup=5 --set model.autoencoder="$work/autoencoder" \
    --set model.sizes="{width: 64, depth: 2, heads: 2}"
aj generate "rain on a tin roof" --model "$work/generator" --seed 1 --duration 4 -o "$work/first.wav" --spectrogram

aj data scenes "$work/more" -n 20 --seed 2
aj finetune --init "$work/generator" --data "$work/more" -o "$work/adapted" --steps 10
aj generate "rain on a tin roof" --model "$work/adapted" --seed 1 --duration 4 -o "$work/second.wav"
aj info "$work/second.wav"
