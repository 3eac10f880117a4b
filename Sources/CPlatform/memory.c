#include "CPlatform.h"
#define _GNU_SOURCE
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

void cp_heap_prepare(void) {
    // glibc raises this limit when a large piece is freed, and would then take the next one from the heap: LMDB's 2 MB tables, of which
    // hardly a page is used, would be zeroed there. Setting it keeps it.
    mallopt(M_MMAP_THRESHOLD, 128 * 1024);
}

void cp_heap_settle(void) {
    malloc_trim(0);
    // Whatever malloc still has lies in holes of pages that children share with us. Taken once here, it is never written by a child:
    // children then get memory from fresh pages at the end of the heap, one beside the other.
    uintptr_t top = (uintptr_t)sbrk(0);
    // From large to small: what is left of a hole is taken with a smaller size. 24 bytes are the smallest piece, and sizes grow by 16.
    enum { LARGEST = 64 * 1024, LARGEST_CACHED = 1032, SMALLEST = 24, STEP = 16 };
    for (size_t size = LARGEST; size >= SMALLEST;) {
        void *piece;
        while ((piece = malloc(size)) && (uintptr_t)piece + size <= top) {}
        // This one is from the end of the heap. A small one is kept, too: freed, it would wait in malloc's cache for the next piece of its
        // size, and what a child allocates would lie on as many pages as there are sizes.
        if (size > LARGEST_CACHED) free(piece);
        size = size / 2 > LARGEST_CACHED ? size / 2 : size > LARGEST_CACHED ? LARGEST_CACHED : size - STEP;
    }
}

void cp_memory_release(void) {
    malloc_trim(0);
    // Pages of the stack below the deepest living frame: what earlier calls used. This function and the one that it calls need far less than
    // a kilobyte below their frame, red zone included.
    enum { PAGE = 4096, DEPTH = 128 * 1024, OWN = 1024 };
    uintptr_t here = (uintptr_t)__builtin_frame_address(0);
    uintptr_t end = (here - OWN) & ~(uintptr_t)(PAGE - 1);
    madvise((void *)(end - DEPTH), DEPTH, MADV_DONTNEED);
}
