/* brotli.c: undo the coding "br" of a body. The decoder's memory is counted, for a window may be 16 MiB. */
#include "brotli.h"

#include <brotli/decode.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

struct brotli {
    BrotliDecoderState *decoder;
    size_t memory;
    uint64_t in, out;
    bool done;
};

union block { size_t bytes; max_align_t align; };       /* stands before what the decoder gets */

static _Atomic size_t all_memory;

static void *block_get(void *arg, size_t n)
{
    struct brotli *b = arg;
    size_t bytes = n + sizeof(union block);
    union block *m;

    if (bytes < n || bytes > BROTLI_EACH - b->memory)
        return NULL;
    if (atomic_fetch_add(&all_memory, bytes) + bytes > BROTLI_ALL || !(m = malloc(bytes))) {
        atomic_fetch_sub(&all_memory, bytes);
        return NULL;
    }
    b->memory += bytes;
    m->bytes = bytes;
    return m + 1;
}

static void block_put(void *arg, void *p)
{
    struct brotli *b = arg;
    union block *m = p;

    if (!p)
        return;
    m--;
    b->memory -= m->bytes;
    atomic_fetch_sub(&all_memory, m->bytes);
    free(m);
}

struct brotli *brotli_open(void)
{
    struct brotli *b = calloc(1, sizeof *b);

    if (b && !(b->decoder = BrotliDecoderCreateInstance(block_get, block_put, b))) {
        free(b);
        return NULL;
    }
    return b;
}

/* All that can be written now. */
static enum brotli_result take(struct brotli *b, void (*out)(void *, const uint8_t *, size_t), void *arg)
{
    while (BrotliDecoderHasMoreOutput(b->decoder)) {
        size_t n = 0;
        const uint8_t *p = BrotliDecoderTakeOutput(b->decoder, &n);
        b->out += n;
        if (b->out > BROTLI_BOMB_BYTES && b->out / BROTLI_BOMB_RATIO > b->in)
            return BROTLI_BOMB;
        out(arg, p, n);
    }
    return BROTLI_FINE;
}

enum brotli_result brotli_feed(struct brotli *b, const uint8_t *d, size_t n,
                               void (*out)(void *arg, const uint8_t *p, size_t n), void *arg)
{
    BrotliDecoderResult result;
    size_t room = 0;

    b->in += n;
    if (b->done)
        return BROTLI_FINE;
    do {
        result = BrotliDecoderDecompressStream(b->decoder, &n, &d, &room, NULL, NULL);
        if (take(b, out, arg) == BROTLI_BOMB)
            return BROTLI_BOMB;
    } while (result == BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT);
    b->done = result == BROTLI_DECODER_RESULT_SUCCESS;
    return result == BROTLI_DECODER_RESULT_ERROR ? BROTLI_BROKEN : BROTLI_FINE;
}

void brotli_close(struct brotli *b)
{
    if (!b)
        return;
    BrotliDecoderDestroyInstance(b->decoder);
    free(b);
}
