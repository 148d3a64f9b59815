/* The messages of the protocol: docs/reference/protocol.md, byte by byte, has
 * the reason for each number. Functions return 0 or an errno; EBADMSG: what
 * came is not a message. */
#ifndef WIRE_H
#define WIRE_H

#include "channel.h"

enum message_type {
	MESSAGE_START = 0x01, MESSAGE_ANSWER = 0x02, MESSAGE_CANCEL = 0x03,
	MESSAGE_PROMPT = 0x81, MESSAGE_NOTICE = 0x82, MESSAGE_VERDICT = 0x83
};

enum { PROTOCOL_VERSION = 1 };
enum start_flag { START_SILENT = 1, START_NO_NULL_AUTHTOK = 2 };
enum start_tag {
	TAG_SERVICE = 1, TAG_USER = 2, TAG_TTY = 3, TAG_RHOST = 4, TAG_RUSER = 5,
	TAG_ARGUMENT = 6, TAG_UID = 7, TAG_GID = 8, TAG_HOME = 9, TAG_NAME = 10
};
enum cancel_reason { CANCEL_FAILED = 1, CANCEL_NOT_ALLOWED = 2 };

enum source { SOURCE_HIDDEN = 0, SOURCE_VISIBLE = 1, SOURCE_STACKED = 2 };
enum part { PART_WHOLE = 0, PART_TAIL = 1 };
enum shape_class { CLASS_DIGITS = 1, CLASS_MODHEX = 2, CLASS_RECOVERY = 3 };
/* Lengths a shape may have. A tail of a recovery code counts its dashes. */
enum { DIGITS_MIN = 6, DIGITS_MAX = 8, MODHEX_MIN = 32, MODHEX_MAX = 48 };
enum { RECOVERY_WHOLE = 16, RECOVERY_TAIL = 19, RECOVERY_GROUP = 4 };

enum notice_kind { NOTICE_INFO = 0, NOTICE_ERROR = 1 };
enum verdict_code {
	VERDICT_DENIED = 0, VERDICT_OK = 1, VERDICT_NOT_ENROLLED = 2,
	VERDICT_USER_UNKNOWN = 3, VERDICT_TOO_MANY = 4, VERDICT_UNAVAILABLE = 5,
	VERDICT_EXEMPT = 6
};
#define SHAPE_NONE 0xFFU
/* Added to a shape: an empty rest is not set. */
#define SHAPE_KEEP 0x40U
enum { FAIL_DELAY_DEFAULT_US = 2000000, FAIL_DELAY_MAX_US = 10000000 };

/* Bytes of the integers on the wire. */
enum { U8 = 1, U16 = 2, U32 = 4, LENGTH_SIZE = U16, BYTE_BITS = 8 };

/* What one login may hold. The longest frame that version 1 can bring is
 * a PROMPT with every shape and the longest text; START must fit it too. */
enum { PROMPTS_MAX = 16, NOTICES_MAX = 32, SHAPES_MAX = 8 };
enum { TEXT_MAX = 8192, TYPED_MAX = 1024 };
enum { BODY_MAX = 4 * U8 + SHAPES_MAX * 2 * U8 + U16 + TEXT_MAX };

struct shape {
	unsigned class, length;
};

/* A message from the daemon. */
struct message {
	unsigned type; /* PROMPT, NOTICE or VERDICT, and no other */
	char *text;    /* PROMPT, NOTICE: ends with NUL, points into the frame */
	unsigned source, part, count; /* PROMPT */
	struct shape shapes[SHAPES_MAX];
	unsigned kind;                       /* NOTICE */
	unsigned code, shape, fail_delay_us; /* VERDICT; shape: if VERDICT_OK */
};

/* One frame, in either direction; one byte more for a NUL after a text. */
struct frame {
	size_t size, read;
	bool bad; /* too small for what was put into it, or read from it */
	uint8_t bytes[LENGTH_SIZE + BODY_MAX + 1];
};

/* Building a frame: begin, put, send. If a put did not fit, nothing is sent:
 * EMSGSIZE. */
void frame_begin(struct frame *frame, enum message_type type);
/* An integer of `size` U8, U16 or U32. */
void frame_put(struct frame *frame, size_t value, size_t size);
/* An item of START, or one of ANSWER: there the tag is the shape's index. */
void frame_put_item(struct frame *frame, unsigned tag, const char *text,
    size_t length);
int frame_send(struct frame *frame, struct channel *channel);

/* Reads one frame into `frame` and decodes it. */
int frame_receive(struct frame *frame, struct channel *channel,
    struct message *message);
/* Decodes the frame that `frame` holds, after its length, which is right. */
int frame_decode(struct frame *frame, struct message *message);

/* True if the `length` bytes at `text` have this shape. The shape is one that
 * frame_decode lets through: the length of no other is checked. */
bool shape_fits(struct shape shape, const char *text, size_t length);

#endif
