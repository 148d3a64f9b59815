/* The daemon's half of docs/reference/protocol.md, written a second time and
 * from that page alone: what a frame means, and what the module must answer. The
 * fuzzers compare native/pam with it, so it shares no code with native/pam. */
#ifndef MODEL_H
#define MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	START = 0x01,
	ANSWER = 0x02,
	CANCEL = 0x03,
	PROMPT = 0x81,
	NOTICE = 0x82,
	VERDICT = 0x83,
};

#define FRAME_MAX 8216 /* the longest that the module takes or sends */
#define ALL_SHAPES 8
#define NO_SHAPE 0xFF
/* Added to the shape of a verdict: an empty rest is not set. */
#define KEEP 0x40

struct meaning {
	uint8_t type;
	uint8_t source, part, count; /* PROMPT */
	uint8_t class[ALL_SHAPES], length[ALL_SHAPES];
	uint8_t kind;        /* NOTICE */
	uint8_t code, shape; /* VERDICT */
	uint32_t delay;
	const uint8_t *text; /* PROMPT, NOTICE */
	size_t text_size;
};

/* A frame under construction; what does not fit makes it `too_long`. */
struct building {
	size_t size;
	bool too_long;
	uint8_t bytes[FRAME_MAX];
};

/* The parts of an answer that the module must keep, if tails were asked for. */
struct tails {
	size_t typed;
	size_t length[ALL_SHAPES]; /* 0: this shape did not fit */
};

/* Reads the frame that `bytes` begins with. Returns its size, 0 if bytes are
 * missing, -1 if it must be refused. */
int understand(const uint8_t *bytes, size_t size, struct meaning *meaning);

/* True if a PROMPT may list this shape. */
bool may_ask(uint8_t class, uint8_t length, uint8_t part);

/* True if all of the text has the shape. */
bool has_shape(uint8_t class, uint8_t length, uint8_t part, const char *text,
    size_t size);

void build(struct building *frame, uint8_t type);
void build_u8(struct building *frame, uint8_t value);
void build_str(struct building *frame, const char *text, size_t size);
void build_item(struct building *frame, uint8_t tag, const char *text);
void build_end(struct building *frame);

/* Builds the only right ANSWER for a typed text (null: nothing). */
void build_answer(struct building *frame, const struct meaning *prompt,
    const char *typed, struct tails *tails);

#endif
