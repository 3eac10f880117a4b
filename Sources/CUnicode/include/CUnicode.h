// What of Unicode Swift's standard library does not offer: tables, which are constants, and the converters of the C library.
#pragma once
#include <stddef.h>
#include <stdint.h>

/// What i;unicode-casemap (RFC 5051) makes of a character: index << 8 | count of bytes of UTF-8; 0 for the character itself.
/// Hangul syllables, which decompose by rule, are not in the table.
uint32_t cu_casemap(uint32_t scalar);
/// One byte of that UTF-8.
uint8_t cu_casemap_byte(uint32_t index);

/// The character of a byte in a character set of one byte per character; U+FFFD where it has none.
uint16_t cu_charset_scalar(uint32_t table, uint8_t byte);
/// How many such sets there are.
uint32_t cu_charset_count(void);

// -- the other character sets: iconv of the C library -----------------------------------------
/// A converter to UTF-8, or NULL when the C library has none of that name.
void *cu_iconv_open(const char *name);
void cu_iconv_close(void *converter);
enum cu_iconv_end { cu_iconv_done, cu_iconv_full, cu_iconv_invalid, cu_iconv_incomplete };
/// Converts until the input ends, the output is full, or bytes come that mean nothing or are not complete.
enum cu_iconv_end cu_iconv(void *converter, const uint8_t *in, size_t count, size_t *consumed, uint8_t *out, size_t size,
                           size_t *written);
