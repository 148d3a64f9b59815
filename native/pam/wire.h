/* The messages of the protocol: docs/reference/protocol.md, byte by byte.
 * Functions return 0 or an errno; EBADMSG: what came is not a message. */
#ifndef WIRE_H
#define WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "channel.h"
#include "limits.h"

enum message_type {
	MESSAGE_START = 0x01,
	MESSAGE_ANSWER = 0x02,
	MESSAGE_CANCEL = 0x03,
	MESSAGE_PROMPT = 0x81,
	MESSAGE_NOTICE = 0x82,
	MESSAGE_VERDICT = 0x83,
};

enum start_flag { START_SILENT = 1, START_NO_NULL_AUTHTOK = 2 };

enum start_tag {
	TAG_SERVICE = 1,
	TAG_USER = 2,
	TAG_TTY = 3,
	TAG_RHOST = 4,
	TAG_RUSER = 5,
	TAG_ARGUMENT = 6,
	TAG_UID = 7,
	TAG_GID = 8,
	TAG_HOME = 9,
	TAG_NAME = 10,
};

enum cancel_reason { CANCEL_FAILED = 1, CANCEL_NOT_ALLOWED = 2 };

enum source { SOURCE_HIDDEN = 0, SOURCE_VISIBLE = 1, SOURCE_STACKED = 2 };

enum part { PART_WHOLE = 0, PART_TAIL = 1 };

enum shape_class { CLASS_DIGITS = 1, CLASS_MODHEX = 2, CLASS_RECOVERY = 3 };

enum notice_kind { NOTICE_INFO = 0, NOTICE_ERROR = 1 };

enum verdict_code {
	VERDICT_DENIED = 0,
	VERDICT_OK = 1,
	VERDICT_NOT_ENROLLED = 2,
	VERDICT_USER_UNKNOWN = 3,
	VERDICT_TOO_MANY = 4,
	VERDICT_UNAVAILABLE = 5,
	VERDICT_EXEMPT = 6,
};

#define SHAPE_NONE 0xFF
/* Added to a shape: an empty rest is not set. */
#define SHAPE_KEEP 0x40

struct shape {
	uint8_t class;
	uint8_t length;
};

struct prompt {
	uint8_t source;
	uint8_t part;
	uint8_t count;
	struct shape shapes[SHAPES_MAX];
};

struct verdict {
	uint8_t code;
	uint8_t shape; /* counts only if the code is VERDICT_OK */
	uint32_t fail_delay_us;
};

/* A message from the daemon. `text` ends with NUL and points into the frame. */
struct message {
	uint8_t type;
	uint8_t notice;
	struct prompt prompt;
	struct verdict verdict;
	char *text;
};

/* One frame, in either direction; one byte more for a NUL after a text. */
struct frame {
	size_t size;
	bool overflow;
	uint8_t bytes[LENGTH_SIZE + BODY_MAX + 1];
};

/* Building a frame: begin, put, send. A put that does not fit, or is longer
 * than a str can be, makes the send fail with EMSGSIZE. */
void frame_begin(struct frame *frame, enum message_type type);
void frame_put_u8(struct frame *frame, uint8_t value);
void frame_put_str(struct frame *frame, const char *text, size_t length);
/* An item of START; a null text leaves it out. */
void frame_put_item(struct frame *frame, enum start_tag tag, const char *text);
int frame_end(struct frame *frame);
int frame_send(struct frame *frame, struct channel *channel);

/* Reads one frame into `frame` and decodes it. */
int frame_receive(struct frame *frame, struct channel *channel,
    struct message *message);
/* Decodes the frame of `frame->size` bytes that `frame` holds. */
int frame_decode(struct frame *frame, struct message *message);

/* True if the `length` bytes at `text` have this shape as this part. The shape
 * is one that frame_decode lets through: the length of no other is checked. */
bool shape_fits(struct shape shape, uint8_t part, const char *text,
    size_t length);

#endif
