/* chunk.h: replies in pieces, as EC_RT_STREAM declares them: from any thread, with more() when the client has read. */
#ifndef HTTP_CHUNK_H
#define HTTP_CHUNK_H

struct server;

void chunk_take(struct server *s);              /* [loop] pieces that other threads have left */

#endif
