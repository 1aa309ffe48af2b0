"""Sentence patterns of scene captions.

In a pattern {a} {b} {c} stand for noun phrases ("a dog barking") and {A} {B} {C} for clauses ("a dog barks") of the
first, second and third sound. No pattern holds a verb whose form would depend on a phrase being singular or plural.
"""

from __future__ import annotations

from typing import Literal

Relation = Literal["single", "together", "background", "sequence"]

RELATIONS: tuple[Relation, ...] = ("single", "together", "background", "sequence")

SINGLE = (
    "{a}",
    "{a}",
    "{a}",
    "{A}",
    "the sound of {a}",
    "{a} can be heard",
    "a recording of {a}",
    "nothing but {a}",
    "only {a}",
    "one sound: {a}",
)

# Patterns for one sound that say how loud or how far away it is; {a} is a noun phrase without any such addition.
LOUD = ("the loud sound of {a}", "{a}, very loud", "{a}, loud and clear", "{a} at high volume", "loudly heard: {a}")
QUIET = ("the faint sound of {a}", "{a}, very quiet", "{a}, barely audible", "{a} at low volume", "faintly heard: {a}")
NEAR = ("{a} nearby", "{a} close by", "{a} close to the microphone", "{a}, very near", "the sound of {a} up close")
FAR = (
    "{a} in the distance",
    "{a} far away",
    "{a} heard from far away",
    "the distant sound of {a}",
    "far off, {a}",
    "{a} a long way off",
)

# What may follow a far sound inside a longer caption.
FAR_SUFFIXES = ("in the distance", "far away", "heard from far away")

# In all patterns for two or three sounds at once the order of the sounds is free.
TOGETHER_TWO = (
    "{a} and {b}",
    "{a} and {b}",
    "{a} with {b}",
    "{A} and {B}",
    "{A} while {B}",
    "{A} as {B}",
    "{a} while {B}",
    "{a} as {B}",
    "{a} while {b} can be heard",
    "{a} mixed with {b}",
    "{a} together with {b}",
    "{a} along with {b}",
    "{a} accompanied by {b}",
    "{a} and {b} at the same time",
    "both {a} and {b}",
    "{a} plus {b}",
    "the sound of {a} and {b}",
    "{a}, {b}",
    "two sounds at once: {a} and {b}",
    "two sounds together, {a} and {b}",
)

# First sound in front, second one behind it.
BACKGROUND_TWO = (
    "{a} with {b} in the background",
    "{a} with {b} in the background",
    "{A} with {b} in the background",
    "{a} and {b} in the background",
    "{a} over {b}",
    "{a} over a background of {b}",
    "{a} in front of {b}",
    "{a} in the foreground and {b} in the background",
    "{a} in the foreground, {b} behind it",
    "in the background {b}, in the foreground {a}",
    "{a} while {b} can be heard in the background",
    "{A} while {b} can be heard in the background",
    "{b} in the background of {a}",
    "{b} behind {a}",
    "{a} louder than {b}",
    "{b} quieter than {a}",
    "against a background of {b}, {a}",
    "mostly {a}, with {b} in the background",
    "two sounds: {a}, and {b} in the background",
)

# First sound first in time.
SEQUENCE_TWO = (
    "{a} followed by {b}",
    "{a} followed by {b}",
    "{a} and then {b}",
    "{a} then {b}",
    "{a}, then {b}",
    "{A}, then {B}",
    "{A} and then {B}",
    "{A} before {B}",
    "{B} after {A}",
    "{a} before {b}",
    "{b} after {a}",
    "{b} preceded by {a}",
    "first {a}, then {b}",
    "first {A}, then {B}",
    "after {a}, {b}",
    "before {b}, {a}",
    "at first {a}, later {b}",
    "{a}, and after that {b}",
    "{a} and afterwards {b}",
    "{a}, next {b}",
    "beginning with {a}, ending with {b}",
    "two sounds, first {a} and then {b}",
    "two sounds one after the other: {a}, {b}",
)

TOGETHER_THREE = (
    "{a}, {b} and {c}",
    "{a} and {b} with {c}",
    "{a}, {b} and {c} all at once",
    "{a} together with {b} and {c}",
    "{A} while {b} and {c} can be heard",
    "{a} mixed with {b} and {c}",
    "{A}, {B} and {C}",
    "three sounds at once: {a}, {b} and {c}",
)

# First and second in front, third behind them.
BACKGROUND_THREE = (
    "{a} and {b} with {c} in the background",
    "{a} and {b} over a background of {c}",
    "{c} in the background, {a} and {b} in the foreground",
    "{a} and {b} while {c} can be heard in the background",
    "against a background of {c}, {a} and {b}",
    "{A} and {B} with {c} in the background",
    "three sounds: {a}, {b}, and {c} in the background",
)

SEQUENCE_THREE = (
    "{a}, then {b}, then {c}",
    "{a} followed by {b} and then {c}",
    "first {a}, then {b} and finally {c}",
    "{A}, then {B}, then {C}",
    "{a}, next {b}, and lastly {c}",
    "{a}, after that {b}, and at the end {c}",
    "three sounds one after the other: {a}, {b}, {c}",
    "beginning with {a}, going on with {b}, ending with {c}",
)

PATTERNS: dict[tuple[Relation, int], tuple[str, ...]] = {
    ("single", 1): SINGLE,
    ("together", 2): TOGETHER_TWO,
    ("background", 2): BACKGROUND_TWO,
    ("sequence", 2): SEQUENCE_TWO,
    ("together", 3): TOGETHER_THREE,
    ("background", 3): BACKGROUND_THREE,
    ("sequence", 3): SEQUENCE_THREE,
}
