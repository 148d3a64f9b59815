#include "wire.h"

#include <errno.h>
#include <string.h>

/* The next integer of the frame, at most `max`. If there is none such it is 0,
 * and the frame is bad. */
static unsigned get(struct frame *frame, size_t size, unsigned max)
{
	unsigned value = 0;

	if (size > frame->size - frame->read)
		frame->bad = true;
	while (!frame->bad && size-- > 0)
		value = value << BYTE_BITS | frame->bytes[frame->read++];
	if (value > max)
		frame->bad = true;
	return frame->bad ? 0 : value;
}

/* Takes the text that ends a frame, and puts a NUL behind it: the frame has
 * one byte more than it can receive. */
static char *get_last_text(struct frame *frame)
{
	size_t length = get(frame, U16, TEXT_MAX);
	uint8_t *text = frame->bytes + frame->read;

	if (length != frame->size - frame->read || memchr(text, 0, length) != NULL)
		frame->bad = true;
	frame->bytes[frame->size] = 0;
	frame->read = frame->size;
	return (char *)text;
}

/* Only these: a compromised daemon must not find out a password by asking
 * for ever longer tails of it. */
static bool shape_allowed(struct shape shape, unsigned part)
{
	unsigned recovery = part == PART_TAIL ? RECOVERY_TAIL : RECOVERY_WHOLE;
	unsigned class = shape.class, n = shape.length;

	return (class == CLASS_DIGITS && n >= DIGITS_MIN && n <= DIGITS_MAX) ||
	    (class == CLASS_MODHEX && n >= MODHEX_MIN && n <= MODHEX_MAX) ||
	    (class == CLASS_RECOVERY && n == recovery);
}

static void get_shapes(struct frame *frame, struct message *message)
{
	for (size_t i = 0; i < message->count; i++) {
		message->shapes[i].class = get(frame, U8, CLASS_RECOVERY);
		message->shapes[i].length = get(frame, U8, MODHEX_MAX);
		if (!shape_allowed(message->shapes[i], message->part))
			frame->bad = true;
	}
}

int frame_decode(struct frame *frame, struct message *message)
{
	memset(message, 0, sizeof *message);
	frame->read = LENGTH_SIZE;
	frame->bad = false;
	message->type = get(frame, U8, MESSAGE_VERDICT);
	switch (message->type) {
	case MESSAGE_PROMPT:
		message->source = get(frame, U8, SOURCE_STACKED);
		message->part = get(frame, U8, PART_TAIL);
		message->count = get(frame, U8, SHAPES_MAX);
		get_shapes(frame, message);
		message->text = get_last_text(frame);
		break;
	case MESSAGE_NOTICE:
		message->kind = get(frame, U8, NOTICE_ERROR);
		message->text = get_last_text(frame);
		break;
	case MESSAGE_VERDICT:
		message->code = get(frame, U8, VERDICT_EXEMPT);
		message->shape = get(frame, U8, SHAPE_NONE);
		message->fail_delay_us = get(frame, U32, FAIL_DELAY_MAX_US);
		if (message->shape != SHAPE_NONE &&
		    (message->shape & ~SHAPE_KEEP) >= SHAPES_MAX)
			frame->bad = true;
		break;
	default:
		return EBADMSG;
	}
	return frame->bad || frame->read != frame->size ? EBADMSG : 0;
}

int frame_receive(struct frame *frame, struct channel *channel,
    struct message *message)
{
	int rc = channel_read(channel, frame->bytes, LENGTH_SIZE);
	size_t length;

	if (rc != 0)
		return rc;
	frame->size = LENGTH_SIZE;
	frame->read = 0;
	frame->bad = false;
	length = get(frame, LENGTH_SIZE, BODY_MAX);
	if (length == 0)
		return EBADMSG;
	frame->size += length;
	rc = channel_read(channel, frame->bytes + LENGTH_SIZE, length);
	return rc != 0 ? rc : frame_decode(frame, message);
}

static void put_bytes(struct frame *frame, const void *bytes, size_t size)
{
	if (frame->bad || size > LENGTH_SIZE + BODY_MAX - frame->size) {
		frame->bad = true;
		return;
	}
	memcpy(frame->bytes + frame->size, bytes, size);
	frame->size += size;
}

void frame_put(struct frame *frame, size_t value, size_t size)
{
	uint8_t byte;

	while (size-- > 0) {
		byte = (uint8_t)(value >> size * BYTE_BITS);
		put_bytes(frame, &byte, U8);
	}
}

void frame_put_item(struct frame *frame, unsigned tag, const char *text,
    size_t length)
{
	frame_put(frame, tag, U8);
	frame_put(frame, length, U16);
	put_bytes(frame, text, length);
}

void frame_begin(struct frame *frame, enum message_type type)
{
	frame->size = LENGTH_SIZE; /* frame_send fills it in */
	frame->bad = false;
	frame_put(frame, type, U8);
}

int frame_send(struct frame *frame, struct channel *channel)
{
	size_t size = frame->size;

	if (frame->bad)
		return EMSGSIZE;
	frame->size = 0;
	frame_put(frame, size - LENGTH_SIZE, LENGTH_SIZE);
	return channel_write(channel, frame->bytes, size);
}

static bool all_from(const char *alphabet, const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (text[i] == 0 || strchr(alphabet, text[i]) == NULL)
			return false;
	return true;
}

/* In a tail the dashes are what keeps the end of a password from fitting. */
static bool is_recovery(const char *text, size_t length)
{
	static const char base32[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz234567";
	bool dash;

	for (size_t i = 0; i < length; i++) {
		dash = length == RECOVERY_TAIL &&
		    i % (RECOVERY_GROUP + 1) == RECOVERY_GROUP;
		if (!all_from(dash ? "-" : base32, text + i, 1))
			return false;
	}
	return true;
}

bool shape_fits(struct shape shape, const char *text, size_t length)
{
	if (length != shape.length)
		return false;
	switch (shape.class) {
	case CLASS_DIGITS:
		return all_from("0123456789", text, length);
	case CLASS_MODHEX:
		/* The same keys of a YubiKey, on a US and on a Dvorak layout. */
		return all_from("cbdefghijklnrtuvCBDEFGHIJKLNRTUV", text, length) ||
		    all_from("jxe.uidchtnbpygkJXEUIDCHTNBPYGK", text, length);
	case CLASS_RECOVERY:
		return is_recovery(text, length);
	default:
		return false;
	}
}
