/* lexer.h: a rule file cut into logical lines (a backslash at the end of a line joins the next one) and a line cut
 * into tokens, with the place of every byte in the file. */
#ifndef IDS_RULE_LEXER_H
#define IDS_RULE_LEXER_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LEXER_LINE_MAX (64u * 1024)     /* bytes of a logical line */

struct token { const char *s; uint32_t len, off; };     /* off: in its line */

struct line_part { uint32_t off, line, column; };       /* joined text from `off` on stands there in the file */
struct line {
    const char *text;               /* until the next lexer_next() */
    uint32_t len, number;           /* number: of its first physical line, from 1 */
    uint32_t n_part;
    const struct line_part *part;
    bool too_long;                  /* cut to LEXER_LINE_MAX */
};

struct lexer {
    const char *at, *end;
    uint32_t number;
    char *joined;
    size_t cap;
    struct line_part part[256];
};

void lexer_open(struct lexer *x, const char *text, size_t len);
/* The next line that is not empty, comments included. Returns 1, 0 at the end, -1 out of memory. */
int lexer_next(struct lexer *x, struct line *l);
void lexer_close(struct lexer *x);

void line_place(const struct line *l, uint32_t off, uint32_t *line, uint32_t *column);

/* Tokens of the header: words parted by blanks; brackets may hold blanks. false: nothing is left, or an opening
 * parenthesis follows. */
bool lexer_word(const struct line *l, uint32_t *at, struct token *t);
void lexer_blanks(const struct line *l, uint32_t *at);

bool token_is(struct token t, const char *word);        /* equal, without regard to case */
struct token token_trim(struct token t);
struct token token_sub(struct token t, uint32_t from, uint32_t len);
/* Cut the next piece in front of `sep` off *rest, trimmed; false: nothing is left, and the piece is empty. */
bool token_cut(struct token *rest, char sep, struct token *piece);
/* A whole decimal number within min…max. */
bool token_number(struct token t, int64_t min, int64_t max, int64_t *v);

#endif
