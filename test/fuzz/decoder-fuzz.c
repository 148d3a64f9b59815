/* Fuzzes native/pam/wire.c: it must read each frame as the model does, and
 * find the same shapes in each text.
 *
 *
 *   input: the frame's bytes, of any length; or 0xFF class length part,
 *   then the text */
#include <errno.h>
#include <sanitizer/asan_interface.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"
#include "wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "BROKEN: %s\n", what);
	abort();
}

static bool same_prompt(const struct message *prompt,
    const struct meaning *meaning)
{
	for (size_t i = 0; i < meaning->count; i++)
		if (prompt->shapes[i].class != meaning->class[i] ||
		    prompt->shapes[i].length != meaning->length[i])
			return false;
	return prompt->source == meaning->source &&
	    prompt->part == meaning->part && prompt->count == meaning->count;
}

static bool same(const struct message *message, const struct meaning *meaning)
{
	if (message->type != meaning->type)
		return false;
	if (meaning->type == VERDICT)
		return message->code == meaning->code &&
		    message->shape == meaning->shape &&
		    message->fail_delay_us == meaning->delay;
	if (meaning->type == NOTICE && message->kind != meaning->kind)
		return false;
	if (meaning->type == PROMPT && !same_prompt(message, meaning))
		return false;
	return strlen(message->text) == meaning->text_size &&
	    memcmp(message->text, meaning->text, meaning->text_size) == 0;
}

/* The length is made right: the decoder is called only when it is (frames.c has
 * wrong ones). The bytes after the frame, except the place of a NUL, are
 * poisoned: reading them would mean reading an older frame. */
static void try_frame(const uint8_t *data, size_t size)
{
	static uint8_t bytes[LENGTH_SIZE + BODY_MAX];
	struct frame *frame;
	struct message message;
	struct meaning meaning;
	size_t room = sizeof bytes;
	int rc;

	if (size > room)
		size = room;
	if (size <= LENGTH_SIZE)
		return;
	memcpy(bytes, data, size);
	bytes[0] = (uint8_t)((size - LENGTH_SIZE) >> 8);
	bytes[1] = (uint8_t)(size - LENGTH_SIZE);
	frame = malloc(sizeof *frame);
	memset(frame, 0xA5, sizeof *frame);
	memcpy(frame->bytes, bytes, size);
	frame->size = size;
	__asan_poison_memory_region(frame->bytes + size + 1, room - size);
	rc = frame_decode(frame, &message);
	if (understand(bytes, size, &meaning) == (int)size)
		require(rc == 0 && same(&message, &meaning), "a good frame");
	else
		require(rc == EBADMSG, "a bad frame");
	__asan_unpoison_memory_region(frame->bytes, sizeof frame->bytes);
	free(frame);
}

static void try_shape(const uint8_t *data, size_t size)
{
	struct shape shape = { data[0], data[1] };
	uint8_t part = data[2] & 1;
	char *text;

	if (!may_ask(shape.class, shape.length, part))
		return; /* the decoder refuses it */
	text = malloc(size - 3);
	memcpy(text, data + 3, size - 3);
	require(shape_fits(shape, text, size - 3) ==
	        has_shape(shape.class, shape.length, part, text, size - 3),
	    "a shape");
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > 4 && data[0] == 0xFF)
		try_shape(data + 1, size - 1);
	else
		try_frame(data, size);
	return 0;
}
