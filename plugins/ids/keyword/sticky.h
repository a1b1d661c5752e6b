/* sticky.h: buffers by name. Any buffer of any parser is one; old and alternative names lead to the same. */
#ifndef IDS_KEYWORD_STICKY_H
#define IDS_KEYWORD_STICKY_H
struct build;
struct view;

/* The keyword `name` opens a buffer for the contents behind it. */
int sticky_open(struct build *b, const char *name);
/* The view of a buffer or of an old name for it ("http_uri"); NULL: b says why not. */
const struct view *sticky_view(struct build *b, const char *name);

#endif
