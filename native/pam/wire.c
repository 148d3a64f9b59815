#include "wire.h"

#include <errno.h>
#include <string.h>

/* A position in a payload. Every get_ returns false where it ends early. */
struct reader {
	uint8_t *next;
	size_t left;
};

static bool get_u8(struct reader *reader, uint8_t *value)
{
	if (reader->left < 1)
		return false;
	*value = *reader->next++;
	reader->left--;
	return true;
}

static bool get_u16(struct reader *reader, uint16_t *value)
{
	uint8_t high, low;

	if (!get_u8(reader, &high) || !get_u8(reader, &low))
		return false;
	*value = (uint16_t)(high << BYTE_BITS | low);
	return true;
}

static bool get_u32(struct reader *reader, uint32_t *value)
{
	uint16_t high, low;

	if (!get_u16(reader, &high) || !get_u16(reader, &low))
		return false;
	*value = (uint32_t)high << (2 * BYTE_BITS) | low;
	return true;
}

/* Takes the text that ends a payload, and puts a NUL behind it: the frame has
 * one byte more than it can receive. */
static bool get_last_text(struct reader *reader, char **text)
{
	uint16_t length;

	if (!get_u16(reader, &length) || length > TEXT_MAX)
		return false;
	if (length != reader->left || memchr(reader->next, 0, length) != NULL)
		return false;
	*text = (char *)reader->next;
	reader->next += length;
	*reader->next = 0;
	reader->left = 0;
	return true;
}

/* Only these: a compromised daemon must not find out a password by asking
 * for ever longer tails of it. */
static bool shape_allowed(struct shape shape, uint8_t part)
{
	switch (shape.class) {
	case CLASS_DIGITS:
		return shape.length >= DIGITS_MIN && shape.length <= DIGITS_MAX;
	case CLASS_MODHEX:
		return shape.length >= MODHEX_MIN && shape.length <= MODHEX_MAX;
	case CLASS_RECOVERY:
		return shape.length ==
		    (part == PART_TAIL ? RECOVERY_TAIL : RECOVERY_WHOLE);
	default:
		return false;
	}
}

static bool get_prompt(struct reader *reader, struct message *message)
{
	struct prompt *prompt = &message->prompt;
	struct shape *shape;

	if (!get_u8(reader, &prompt->source) || !get_u8(reader, &prompt->part) ||
	    !get_u8(reader, &prompt->count))
		return false;
	if (prompt->source > SOURCE_STACKED || prompt->part > PART_TAIL ||
	    prompt->count > SHAPES_MAX)
		return false;
	for (size_t i = 0; i < prompt->count; i++) {
		shape = &prompt->shapes[i];
		if (!get_u8(reader, &shape->class) || !get_u8(reader, &shape->length))
			return false;
		if (!shape_allowed(*shape, prompt->part))
			return false;
	}
	return get_last_text(reader, &message->text);
}

static bool get_notice(struct reader *reader, struct message *message)
{
	return get_u8(reader, &message->notice) &&
	    message->notice <= NOTICE_ERROR &&
	    get_last_text(reader, &message->text);
}

static bool verdict_shape_allowed(uint8_t shape)
{
	return shape == SHAPE_NONE || (shape & ~SHAPE_KEEP) < SHAPES_MAX;
}

static bool get_verdict(struct reader *reader, struct message *message)
{
	struct verdict *verdict = &message->verdict;

	return get_u8(reader, &verdict->code) &&
	    get_u8(reader, &verdict->shape) &&
	    get_u32(reader, &verdict->fail_delay_us) &&
	    verdict->code <= VERDICT_EXEMPT &&
	    verdict_shape_allowed(verdict->shape) &&
	    verdict->fail_delay_us <= FAIL_DELAY_MAX_US;
}

static bool get_payload(struct reader *reader, struct message *message)
{
	switch (message->type) {
	case MESSAGE_PROMPT:
		return get_prompt(reader, message);
	case MESSAGE_NOTICE:
		return get_notice(reader, message);
	case MESSAGE_VERDICT:
		return get_verdict(reader, message);
	default:
		return false;
	}
}

int frame_decode(struct frame *frame, struct message *message)
{
	struct reader reader = { frame->bytes, frame->size };
	uint16_t length;

	memset(message, 0, sizeof *message);
	if (!get_u16(&reader, &length) || length != reader.left)
		return EBADMSG;
	if (length > BODY_MAX || !get_u8(&reader, &message->type))
		return EBADMSG;
	if (!get_payload(&reader, message) || reader.left != 0)
		return EBADMSG;
	return 0;
}

int frame_receive(struct frame *frame, struct channel *channel,
    struct message *message)
{
	struct reader reader = { frame->bytes, LENGTH_SIZE };
	uint16_t length;
	int rc;

	rc = channel_read(channel, frame->bytes, LENGTH_SIZE);
	if (rc != 0)
		return rc;
	if (!get_u16(&reader, &length) || length < TYPE_SIZE || length > BODY_MAX)
		return EBADMSG;
	rc = channel_read(channel, frame->bytes + LENGTH_SIZE, length);
	if (rc != 0)
		return rc;
	frame->size = LENGTH_SIZE + (size_t)length;
	return frame_decode(frame, message);
}

static void put(struct frame *frame, const void *bytes, size_t size)
{
	if (frame->overflow || size > LENGTH_SIZE + BODY_MAX - frame->size) {
		frame->overflow = true;
		return;
	}
	memcpy(frame->bytes + frame->size, bytes, size);
	frame->size += size;
}

void frame_put_u8(struct frame *frame, uint8_t value)
{
	put(frame, &value, sizeof value);
}

static void put_u16(struct frame *frame, size_t value)
{
	frame_put_u8(frame, (uint8_t)(value >> BYTE_BITS & BYTE_MASK));
	frame_put_u8(frame, (uint8_t)(value & BYTE_MASK));
}

void frame_put_str(struct frame *frame, const char *text, size_t length)
{
	if (length > U16_MAX)
		frame->overflow = true;
	put_u16(frame, length);
	put(frame, text, length);
}

void frame_put_item(struct frame *frame, enum start_tag tag, const char *text)
{
	if (text == NULL)
		return;
	frame_put_u8(frame, (uint8_t)tag);
	frame_put_str(frame, text, strlen(text));
}

void frame_begin(struct frame *frame, enum message_type type)
{
	frame->size = 0;
	frame->overflow = false;
	put_u16(frame, 0); /* frame_end knows the length */
	frame_put_u8(frame, (uint8_t)type);
}

int frame_end(struct frame *frame)
{
	size_t size = frame->size;

	if (frame->overflow)
		return EMSGSIZE;
	frame->size = 0;
	put_u16(frame, size - LENGTH_SIZE);
	frame->size = size;
	return 0;
}

int frame_send(struct frame *frame, struct channel *channel)
{
	int rc = frame_end(frame);

	return rc != 0 ? rc : channel_write(channel, frame->bytes, frame->size);
}

static bool all_from(const char *alphabet, const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (text[i] == 0 || strchr(alphabet, text[i]) == NULL)
			return false;
	return true;
}

static bool is_modhex(const char *text, size_t length)
{
	/* The same keys of a YubiKey, on a US and on a Dvorak layout. */
	return all_from("cbdefghijklnrtuvCBDEFGHIJKLNRTUV", text, length) ||
	    all_from("jxe.uidchtnbpygkJXEUIDCHTNBPYGK", text, length);
}

/* In a tail the dashes are what keeps the end of a password from fitting. */
static bool is_recovery(const char *text, size_t length, uint8_t part)
{
	static const char base32[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz234567";
	const size_t group = RECOVERY_GROUP;

	if (part == PART_WHOLE)
		return all_from(base32, text, length);
	for (size_t i = 0; i < length; i += group + 1) {
		if (!all_from(base32, text + i, group))
			return false;
		if (i + group < length && text[i + group] != '-')
			return false;
	}
	return true;
}

bool shape_fits(struct shape shape, uint8_t part, const char *text,
    size_t length)
{
	if (length != shape.length)
		return false;
	switch (shape.class) {
	case CLASS_DIGITS:
		return all_from("0123456789", text, length);
	case CLASS_MODHEX:
		return is_modhex(text, length);
	case CLASS_RECOVERY:
		return is_recovery(text, length, part);
	default:
		return false;
	}
}
