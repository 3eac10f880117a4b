#include "CUnicode.h"

#include <errno.h>
#include <iconv.h>

void *cu_iconv_open(const char *name) {
    iconv_t converter = iconv_open("UTF-8", name);
    return converter == (iconv_t)-1 ? NULL : converter;
}

void cu_iconv_close(void *converter) { iconv_close(converter); }

enum cu_iconv_end cu_iconv(void *converter, const uint8_t *in, size_t count, size_t *consumed, uint8_t *out, size_t size,
                           size_t *written) {
    char *from = (char *)in, *to = (char *)out;
    size_t left = count, room = size;
    enum cu_iconv_end end = cu_iconv_done;
    if (iconv(converter, &from, &left, &to, &room) == (size_t)-1) {
        end = errno == E2BIG ? cu_iconv_full : errno == EINVAL ? cu_iconv_incomplete : cu_iconv_invalid;
    }
    *consumed = count - left;
    *written = size - room;
    return end;
}
