// Tables of Unicode that Swift's standard library does not offer. Constants only: shared by all processes, nothing to be set up.
#pragma once
#include <stdint.h>

/// What i;unicode-casemap (RFC 5051) makes of a character: index << 8 | count of bytes of UTF-8; 0 for the character itself.
/// Hangul syllables, which decompose by rule, are not in the table.
uint32_t cu_casemap(uint32_t scalar);
/// One byte of that UTF-8.
uint8_t cu_casemap_byte(uint32_t index);
