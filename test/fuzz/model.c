#include "model.h"

#include <string.h>

static uint32_t number(const uint8_t *bytes, size_t size)
{
	uint32_t value = 0;

	while (size-- > 0)
		value = value << 8 | *bytes++;
	return value;
}

bool may_ask(uint8_t class, uint8_t length, uint8_t part)
{
	return (class == 1 && length >= 6 && length <= 8) ||
	    (class == 2 && length >= 32 && length <= 48) ||
	    (class == 3 && length == (part == 0 ? 16 : 19));
}

static bool read_text(const uint8_t *at, size_t left, struct meaning *meaning)
{
	if (left < 2 || number(at, 2) != left - 2 || left - 2 > 8192)
		return false;
	meaning->text = at + 2;
	meaning->text_size = left - 2;
	return memchr(at + 2, 0, left - 2) == NULL;
}

static bool read_prompt(const uint8_t *at, size_t left,
    struct meaning *meaning)
{
	if (left < 3 || at[0] > 2 || at[1] > 1 || at[2] > ALL_SHAPES)
		return false;
	meaning->source = at[0];
	meaning->part = at[1];
	meaning->count = at[2];
	if (left < 3 + 2 * (size_t)at[2])
		return false;
	for (size_t i = 0; i < at[2]; i++) {
		meaning->class[i] = at[3 + 2 * i];
		meaning->length[i] = at[4 + 2 * i];
		if (!may_ask(meaning->class[i], meaning->length[i], at[1]))
			return false;
	}
	return read_text(at + 3 + 2 * at[2], left - 3 - 2 * at[2], meaning);
}

static bool read_verdict(const uint8_t *at, size_t left,
    struct meaning *meaning)
{
	if (left != 6)
		return false;
	meaning->code = at[0];
	meaning->shape = at[1];
	meaning->delay = number(at + 2, 4);
	return meaning->code <= 6 && meaning->delay <= 10000000 &&
	    ((meaning->shape & ~KEEP) < ALL_SHAPES || meaning->shape == NO_SHAPE);
}

static bool read_body(const uint8_t *at, size_t left, struct meaning *meaning)
{
	meaning->type = at[0];
	switch (at[0]) {
	case PROMPT:
		return read_prompt(at + 1, left - 1, meaning);
	case VERDICT:
		return read_verdict(at + 1, left - 1, meaning);
	case NOTICE:
		meaning->kind = left > 1 ? at[1] : 0xFF;
		return meaning->kind <= 1 && read_text(at + 2, left - 2, meaning);
	default:
		return false;
	}
}

int understand(const uint8_t *bytes, size_t size, struct meaning *meaning)
{
	size_t length;

	memset(meaning, 0, sizeof *meaning);
	if (size < 2)
		return 0;
	length = number(bytes, 2);
	if (length < 1 || length > FRAME_MAX - 2)
		return -1;
	if (size < 2 + length)
		return 0;
	return read_body(bytes + 2, length, meaning) ? (int)length + 2 : -1;
}

static bool only(const char *allowed, const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (text[i] == 0 || strchr(allowed, text[i]) == NULL)
			return false;
	return true;
}

static bool is_recovery_code(const char *text, size_t size, uint8_t part)
{
	static const char base32[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
	                             "abcdefghijklmnopqrstuvwxyz";

	for (size_t i = 0; i < size; i++) {
		const char *allowed = part == 1 && i % 5 == 4 ? "-" : base32;

		if (!only(allowed, text + i, 1))
			return false;
	}
	return true;
}

bool has_shape(uint8_t class, uint8_t length, uint8_t part, const char *text,
    size_t size)
{
	if (size != length)
		return false;
	if (class == 1)
		return only("0123456789", text, size);
	if (class == 2)
		return only("cbdefghijklnrtuvCBDEFGHIJKLNRTUV", text, size) ||
		    only("jxe.uidchtnbpygkJXE.UIDCHTNBPYGK", text, size);
	return class == 3 && is_recovery_code(text, size, part);
}

void build_u8(struct building *frame, uint8_t value)
{
	if (frame->size == FRAME_MAX)
		frame->too_long = true;
	else
		frame->bytes[frame->size++] = value;
}

void build(struct building *frame, uint8_t type)
{
	memset(frame, 0, sizeof *frame);
	frame->size = 2;
	build_u8(frame, type);
}

void build_str(struct building *frame, const char *text, size_t size)
{
	if (size > 0xFFFF)
		frame->too_long = true;
	build_u8(frame, (uint8_t)(size >> 8));
	build_u8(frame, (uint8_t)size);
	for (size_t i = 0; i < size; i++)
		build_u8(frame, (uint8_t)text[i]);
}

void build_item(struct building *frame, uint8_t tag, const char *text)
{
	if (text == NULL)
		return;
	build_u8(frame, tag);
	build_str(frame, text, strlen(text));
}

/* A frame that is too long is never sent, not even in part. */
void build_end(struct building *frame)
{
	if (frame->too_long)
		frame->size = 0;
	frame->bytes[0] = (uint8_t)((frame->size - 2) >> 8);
	frame->bytes[1] = (uint8_t)(frame->size - 2);
}

/* Without spaces, tabs and dashes. */
static size_t drop_grouping(const char *typed, size_t size, char *bare)
{
	size_t left = 0;

	for (size_t i = 0; i < size; i++)
		if (strchr(" \t-", typed[i]) == NULL)
			bare[left++] = typed[i];
	return left;
}

void build_answer(struct building *frame, const struct meaning *prompt,
    const char *typed, struct tails *tails)
{
	char bare[1024];
	size_t all = typed == NULL ? 0 : strlen(typed);
	size_t size = all > sizeof bare ? 0 : all;
	const char *from = bare;

	build(frame, ANSWER);
	if (prompt->part == 1)
		*tails = (struct tails){ .typed = size };
	else
		size = size == 0 ? 0 : drop_grouping(typed, size, bare);
	for (uint8_t i = 0; size > 0 && i < prompt->count; i++) {
		size_t wanted = prompt->length[i];

		if (prompt->part == 1 && wanted > size)
			continue;
		if (prompt->part == 1)
			from = typed + size - wanted;
		if (!has_shape(prompt->class[i], prompt->length[i], prompt->part,
		        from, prompt->part == 1 ? wanted : size))
			continue;
		if (prompt->part == 1)
			tails->length[i] = wanted;
		build_u8(frame, i);
		build_str(frame, from, wanted);
	}
	build_end(frame);
}
