#!/usr/bin/env python3
"""Writes Sources/CUnicode/casemap.c: what i;unicode-casemap (RFC 5051) makes of each character, from Python's Unicode database.

    python3 tools/unicode-tables.py > Sources/CUnicode/casemap.c
"""

import sys
import unicodedata

BLOCK = 128
LAST = 0x30000  # nothing above has a mapping
HANGUL = range(0xAC00, 0xD7A4)  # decomposed by rule, see the function below


def mapped(scalar):
    """Simple titlecase, then the full decomposition, canonical or not (RFC 5051 section 2)."""
    character = chr(scalar)
    title = character.title()
    # More than one character is the full mapping of SpecialCasing.txt; the simple one of UnicodeData.txt is then the character itself.
    return unicodedata.normalize("NFKD", title if len(title) == 1 else character)


def rows(values, width):
    values = list(values)
    return ",\n".join("    " + ", ".join(str(value) for value in values[at:at + width]) for at in range(0, len(values), width))


def main():
    texts, places, places_of = bytearray(), [(0, 0)], {}
    blocks, numbers, pages = [], {}, []
    for page in range(0, LAST, BLOCK):
        block = []
        for scalar in range(page, page + BLOCK):
            if 0xD800 <= scalar < 0xE000 or scalar in HANGUL or mapped(scalar) == chr(scalar):
                block.append(0)
                continue
            text = mapped(scalar).encode()
            if text not in places_of:
                places_of[text] = len(places)
                places.append((len(texts), len(text)))
                texts += text
            block.append(places_of[text])
        block = tuple(block)
        if block not in numbers:
            numbers[block] = len(blocks)
            blocks.append(block)
        pages.append(numbers[block])
    for scalar in range(LAST, sys.maxunicode + 1):
        assert mapped(scalar) == chr(scalar)
    assert len(places) < 65536 and len(texts) < 1 << 24 and max(count for _, count in places) < 256
    print("""// Written by tools/unicode-tables.py from Unicode %s; not to be changed by hand.
#include "CUnicode.h"

static const uint16_t pages[] = {
%s
};
static const uint16_t blocks[] = {
%s
};
static const uint32_t places[] = {
%s
};
static const uint8_t texts[] = {
%s
};

uint32_t cu_casemap(uint32_t scalar) {
    if (scalar >= %du) return 0;
    return places[blocks[pages[scalar / %d] * %d + scalar %% %d]];
}

uint8_t cu_casemap_byte(uint32_t index) { return index < sizeof texts ? texts[index] : 0; }""" % (
        unicodedata.unidata_version, rows(pages, 24), rows((value for block in blocks for value in block), 24),
        rows((start << 8 | count for start, count in places), 14), rows(texts, 32), LAST, BLOCK, BLOCK, BLOCK))


main()
